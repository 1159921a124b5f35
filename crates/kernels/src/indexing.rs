//! Elements picked by index, and added back. Indices are checked by [`first_outside`] before.

use crate::parallel::{Finished, for_each_chunk, for_each_with_scratch};
use ferrograph_simd::{Kernel, Level, Simd};

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

/// Elements of a piece of [`scatter_add_in_parts`], about: 16 KiB, which stay in the first-level cache with what is done to
/// them.
const PIECE: usize = 4 * 1024;
/// Pieces that may be made at the same time.
const SLOTS: usize = 16;
/// How many updates ahead the next are asked for: they lie anywhere.
const AHEAD: usize = 8;

/// How the rows of a result `[extent, inner]` are cut for [`scatter_add_in_parts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Rows that are made together.
    piece: usize,
    /// Rows of a part: whole pieces.
    part: usize,
    extent: usize,
    inner: usize,
}

impl Parts {
    /// At most `most` parts.
    pub fn new(extent: usize, inner: usize, most: usize) -> Self {
        let piece = (PIECE / inner.max(1)).clamp(1, extent.max(1));
        let pieces = extent.div_ceil(piece).max(1);
        Self { piece, part: piece * pieces.div_ceil(most.max(1)), extent, inner }
    }

    /// Elements of a part.
    pub fn part_len(self) -> usize {
        self.part * self.inner
    }

    /// Elements of scratch memory for that many indices.
    pub fn scratch_len(self, indices: usize) -> usize {
        let slots = SLOTS.saturating_mul(self.piece).saturating_mul(self.inner);
        slots.saturating_add(self.pieces()).saturating_add(indices)
    }

    fn pieces(self) -> usize {
        self.extent.div_ceil(self.piece)
    }
}

/// As [`scatter_add`] of one `outer`, without memory for `y`: `finished` gets pieces of it in `scratch`, each within one part.
/// A part is made by one thread.
pub fn scatter_add_in_parts(x: &[f32], indices: &[i32], parts: Parts, scratch: &mut [f32], finished: Finished<'_>) {
    let Parts { piece, part, extent, inner } = parts;
    if extent == 0 || inner == 0 {
        return;
    }
    let (ends, rest) = scratch.split_at_mut(parts.pieces());
    let (order, slots) = rest.split_at_mut(indices.len());
    sort(indices, piece, ends, order);
    let (ends, order) = (&*ends, &*order);
    for_each_with_scratch(extent.div_ceil(part), slots, piece * inner, |index, slot| {
        let end = extent.min((index + 1) * part);
        for row in (index * part..end).step_by(piece) {
            let y = &mut slot[..piece.min(end - row) * inner];
            let at = row / piece;
            let start = if at == 0 { 0 } else { ends[at - 1].to_bits() as usize };
            y.fill(0.0);
            add_rows(x, indices, &order[start..ends[at].to_bits() as usize], row, inner, y);
            finished(row * inner, y);
        }
    });
}

/// Writes the numbers of `indices` to `order`, those of the rows of one piece after those of the piece before, each in their
/// order; the numbers of piece `p` end at `ends[p]`. Numbers are stored as the bits of a float.
fn sort(indices: &[i32], piece: usize, ends: &mut [f32], order: &mut [f32]) {
    let add = |count: &mut f32, more: u32| *count = f32::from_bits(count.to_bits() + more);
    ends.fill(0.0);
    for &index in indices {
        add(&mut ends[index as usize / piece], 1);
    }
    let mut before = 0;
    for end in ends.iter_mut() {
        let count = end.to_bits();
        *end = f32::from_bits(before);
        before += count;
    }
    for (number, &index) in (0u32..).zip(indices) {
        let at = &mut ends[index as usize / piece];
        order[at.to_bits() as usize] = f32::from_bits(number);
        add(at, 1);
    }
}

/// Adds the updates of these numbers to `y`, which begins with row `first`.
fn add_rows(x: &[f32], indices: &[i32], numbers: &[f32], first: usize, inner: usize, y: &mut [f32]) {
    struct Add<'a>(&'a [f32], &'a [i32], &'a [f32], usize, usize, &'a mut [f32]);
    impl Kernel for Add<'_> {
        type Output = ();
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let Add(x, indices, numbers, first, inner, y) = self;
            for (n, number) in numbers.iter().enumerate() {
                if let Some(next) = numbers.get(n + AHEAD) {
                    let next = x.as_ptr().wrapping_add(next.to_bits() as usize * inner);
                    for line in (0..inner.min(LINES * LINE)).step_by(LINE) {
                        simd.prefetch(next.wrapping_add(line));
                    }
                }
                let number = number.to_bits() as usize;
                let row = indices[number] as usize - first;
                let x = &x[number * inner..][..inner];
                let y = &mut y[row * inner..][..inner];
                for (y, x) in y.chunks_mut(S::N).zip(x.chunks(S::N)) {
                    if x.len() == S::N {
                        simd.store(y, simd.add(simd.load(y), simd.load(x)));
                    } else {
                        simd.store_partial(y, simd.add(simd.load_partial(y), simd.load_partial(x)));
                    }
                }
            }
        }
    }
    Level::current().run(Add(x, indices, numbers, first, inner, y));
}

/// Floats of a cache line.
const LINE: usize = 16;
/// Cache lines that are asked for, at most; the processor finds more by itself.
const LINES: usize = 4;

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
    fn adds_back_in_parts() {
        for (extent, inner, most) in [(3000, 33, 64), (3000, 33, 3), (1, 1, 1), (5, 9000, 2)] {
            let indices: Vec<i32> = (0..700).map(|i| i * 7919 % extent).collect();
            let x: Vec<f32> = (0..700 * inner).map(|i| (i % 97) as f32).collect();
            let mut wanted = vec![-1.0; extent as usize * inner as usize];
            scatter_add(&x, &indices, extent as usize, inner as usize, &mut wanted, |a, b| a + b);
            let parts = Parts::new(extent as usize, inner as usize, most);
            assert!(wanted.len().div_ceil(parts.part_len()) <= most);
            let y = std::sync::Mutex::new(vec![-1.0; wanted.len()]);
            let mut scratch = vec![f32::NAN; parts.scratch_len(indices.len())];
            scatter_add_in_parts(&x, &indices, parts, &mut scratch, &|start, piece| {
                assert_eq!(start / parts.part_len(), (start + piece.len() - 1) / parts.part_len());
                y.lock().unwrap()[start..start + piece.len()].copy_from_slice(piece);
            });
            assert_eq!(y.into_inner().unwrap(), wanted);
        }
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
