//! Elements picked by index, and added back. Indices are checked by [`first_outside`] before.

use crate::parallel::for_each_chunk;

/// Elements that are worth a task of their own.
const TASK: usize = 1 << 15;
/// The most tasks that look through the same indices.
const MAX_TASKS: usize = 16;

/// The place of the first index that is not within `0..extent`.
pub fn first_outside(indices: &[i32], extent: usize) -> Option<usize> {
    indices.iter().position(|&i| usize::try_from(i).map_or(true, |i| i >= extent))
}

/// `y[o, i, ..] = x[o, indices[i], ..]` with `x` `[outer, extent, inner]`, `y` `[outer, indices, inner]`.
pub fn gather<T: Copy + Send + Sync>(x: &[T], indices: &[i32], extent: usize, inner: usize, y: &mut [T]) {
    if y.is_empty() {
        return;
    }
    let chunk = (TASK / inner).max(1) * inner;
    for_each_chunk(y, chunk, |at, y| {
        for (row, y) in y.chunks_exact_mut(inner).enumerate() {
            let row = at * (chunk / inner) + row;
            let from = row / indices.len() * extent + indices[row % indices.len()] as usize;
            y.copy_from_slice(&x[from * inner..][..inner]);
        }
    });
}

/// The transpose of [`gather`]: `y[o, indices[i], ..] += x[o, i, ..]` in the order of `i`, from `y = 0`.
pub fn scatter_add<T: Copy + Default + Send + Sync>(
    x: &[T],
    indices: &[i32],
    extent: usize,
    inner: usize,
    y: &mut [T],
    add: impl Fn(T, T) -> T + Sync,
) {
    if y.is_empty() {
        return;
    }
    // Each task owns some rows and looks through all indices for them, so the order of additions stays.
    let rows = (TASK / inner).max(y.len() / inner / MAX_TASKS).max(1);
    for_each_chunk(y, rows * inner, |at, y| {
        y.fill(T::default());
        let own = at * rows..at * rows + y.len() / inner;
        for outer in own.start / extent..own.end.div_ceil(extent) {
            for (i, &index) in indices.iter().enumerate() {
                let row = outer * extent + index as usize;
                if own.contains(&row) {
                    let x = &x[(outer * indices.len() + i) * inner..][..inner];
                    for (y, x) in y[(row - own.start) * inner..][..inner].iter_mut().zip(x) {
                        *y = add(*y, *x);
                    }
                }
            }
        }
    });
}

/// `y[o, j, c] = x[o, indices[o, j, c], c]` with `x` `[outer, extent, inner]`, `indices` and `y`
/// `[outer, picked, inner]`.
pub fn take_along<T: Copy + Send + Sync>(x: &[T], indices: &[i32], [extent, picked, inner]: [usize; 3], y: &mut [T]) {
    assert_eq!(indices.len(), y.len());
    if y.is_empty() {
        return;
    }
    for_each_chunk(y, TASK, |at, y| {
        for (i, y) in (at * TASK..).zip(y) {
            *y = x[(i / (picked * inner) * extent + indices[i] as usize) * inner + i % inner];
        }
    });
}

/// The transpose of [`take_along`]: `y[o, indices[o, j, c], c] += x[o, j, c]` in the order of `j`, from `y = 0`.
pub fn put_along_add<T: Copy + Default + Send + Sync>(
    x: &[T],
    indices: &[i32],
    [extent, picked, inner]: [usize; 3],
    y: &mut [T],
    add: impl Fn(T, T) -> T + Sync,
) {
    assert_eq!(indices.len(), x.len());
    if y.is_empty() {
        return;
    }
    for_each_chunk(y, extent * inner, |outer, y| {
        y.fill(T::default());
        for i in 0..picked * inner {
            let from = outer * picked * inner + i;
            let y = &mut y[indices[from] as usize * inner + i % inner];
            *y = add(*y, x[from]);
        }
    });
}

/// `y[o, indices[o, c], c] = 1` where the index is within `0..depth`, with `y` `[outer, depth, inner]` otherwise 0.
pub fn one_hot(indices: &[i32], depth: usize, inner: usize, y: &mut [f32]) {
    assert_eq!(indices.len() * depth, y.len());
    y.fill(0.0);
    for (i, &index) in indices.iter().enumerate() {
        if let Ok(index) = usize::try_from(index)
            && index < depth
        {
            y[(i / inner * depth + index) * inner + i % inner] = 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gathers_and_adds_back() {
        let x = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        let mut y = [0; 12];
        gather(&x, &[2, 0, 2], 3, 2, &mut y);
        assert_eq!(y, [5, 6, 1, 2, 5, 6, 11, 12, 7, 8, 11, 12]);
        let mut back = [9; 12];
        scatter_add(&y, &[2, 0, 2], 3, 2, &mut back, |a, b| a + b);
        assert_eq!(back, [1, 2, 0, 0, 10, 12, 7, 8, 0, 0, 22, 24]);
    }

    #[test]
    fn adds_back_in_many_tasks() {
        let (extent, inner, outer) = (3000, 33, 2);
        let indices: Vec<i32> = (0..700).map(|i| i * 7919 % extent).collect();
        let x: Vec<i32> = (0..outer * 700 * inner).collect();
        let mut wanted = vec![0; (outer * extent * inner) as usize];
        for (i, x) in (0..).zip(&x) {
            let (o, row, column) = (i / (700 * inner), i / inner % 700, i % inner);
            wanted[((o * extent + indices[row as usize]) * inner + column) as usize] += x;
        }
        let mut y = vec![-1; wanted.len()];
        scatter_add(&x, &indices, extent as usize, inner as usize, &mut y, |a, b| a + b);
        assert_eq!(y, wanted);
    }

    #[test]
    fn takes_along_and_adds_back() {
        // x is [1, 3, 2], indices [1, 2, 2].
        let (x, indices) = ([1, 2, 3, 4, 5, 6], [2, 0, 2, 1]);
        let mut y = [0; 4];
        take_along(&x, &indices, [3, 2, 2], &mut y);
        assert_eq!(y, [5, 2, 5, 4]);
        let mut back = [9; 6];
        put_along_add(&y, &indices, [3, 2, 2], &mut back, |a, b| a + b);
        assert_eq!(back, [0, 2, 0, 4, 10, 0]);
    }

    #[test]
    fn one_hot_ignores_what_is_outside() {
        let mut y = [5.0; 6];
        one_hot(&[1, 7], 3, 2, &mut y);
        assert_eq!(y, [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(first_outside(&[0, 2, -1, 3], 3), Some(2));
        assert_eq!(first_outside(&[0, 2], 3), None);
        assert_eq!(first_outside(&[0], 0), Some(0));
    }
}
