//! Copies between a dense tensor and a strided view of one: transposes, slices, broadcasts, padding.

use crate::parallel::for_each_chunk;

/// Elements that are worth a task of their own.
const TASK: usize = 1 << 15;
/// Side of the squares that a transpose goes by: a row of one is two cache lines.
const TILE: usize = 32;

/// Which elements of a dense tensor, and in what order: element `i` (an index) is at `offset + sum(i * stride)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strided {
    /// Place of the first element.
    offset: usize,
    /// Extent and stride of each axis, outermost first; none has extent 1.
    axes: Vec<(usize, isize)>,
    /// Number of elements.
    len: usize,
    /// Where the last axis does not lie along the tensor but another does.
    turn: Option<Turn>,
}

/// How a view is read in squares of two axes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Turn {
    /// The axis whose elements are neighbours in the tensor.
    unit: usize,
    /// Axes but that one and the last.
    others: Vec<usize>,
    /// Strides of all axes in the dense result.
    strides: Vec<usize>,
}

impl Turn {
    fn of(axes: &[(usize, isize)]) -> Option<Self> {
        let ((_, stride), outer) = axes.split_last()?;
        let unit = outer.iter().position(|(_, s)| *s == 1).filter(|_| stride.unsigned_abs() > 1)?;
        let mut strides = vec![1; axes.len()];
        for axis in (0..outer.len()).rev() {
            strides[axis] = strides[axis + 1] * axes[axis + 1].0;
        }
        Some(Self { unit, others: (0..outer.len()).filter(|&axis| axis != unit).collect(), strides })
    }
}

impl Strided {
    /// A view of `extents` with a stride for each; every element it names must lie in the tensor it is used on.
    pub fn new(offset: usize, extents: &[usize], strides: &[isize]) -> Self {
        assert_eq!(extents.len(), strides.len());
        if extents.contains(&0) {
            return Self { offset, axes: Vec::new(), len: 0, turn: None };
        }
        let mut axes: Vec<(usize, isize)> = Vec::new();
        for (&extent, &stride) in extents.iter().zip(strides).filter(|(n, _)| **n != 1) {
            match axes.last_mut() {
                // The outer axis goes on where the inner one ends: the two are one.
                Some(last) if last.1 == stride * extent as isize => *last = (last.0 * extent, stride),
                _ => axes.push((extent, stride)),
            }
        }
        let turn = Turn::of(&axes);
        Self { offset, len: axes.iter().map(|(n, _)| n).product(), axes, turn }
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether these are the elements of the tensor in their own order.
    pub fn is_dense(&self) -> bool {
        self.offset == 0 && matches!(self.axes.as_slice(), [] | [(_, 1)])
    }

    /// Rows: every axis but the last, and the last.
    fn rows(&self) -> (&[(usize, isize)], (usize, isize)) {
        match self.axes.split_last() {
            Some((last, outer)) => (outer, *last),
            None => (&[], (1, 1)),
        }
    }
}

/// The place of row `index` of axes listed outermost first.
fn place(offset: usize, axes: &[(usize, isize)], mut index: usize) -> usize {
    let mut place = offset as isize;
    for (extent, stride) in axes.iter().rev() {
        place += (index % extent) as isize * stride;
        index /= extent;
    }
    place as usize
}

/// `y[i] = x[view(i)]`, `y` dense.
pub fn gather_strided<T: Copy + Send + Sync>(x: &[T], view: &Strided, y: &mut [T]) {
    assert_eq!(y.len(), view.len);
    if y.is_empty() {
        return;
    }
    let (outer, (extent, stride)) = view.rows();
    if let Some(turn) = &view.turn {
        return transpose(x, view, turn, y);
    }
    let chunk = (TASK / extent).max(1) * extent;
    for_each_chunk(y, chunk, |index, y| {
        for (row, y) in y.chunks_exact_mut(extent).enumerate() {
            let from = place(view.offset, outer, index * (chunk / extent) + row);
            match stride {
                1 => y.copy_from_slice(&x[from..from + extent]),
                0 => y.fill(x[from]),
                _ => (0..).zip(y).for_each(|(i, y)| *y = x[(from as isize + i * stride) as usize]),
            }
        }
    });
}

/// The same where the elements of an axis but the last are neighbours in `x`: in squares, so that every cache line that is
/// fetched is used up on both sides. Tasks are cut along the outermost axis.
fn transpose<T: Copy + Send + Sync>(x: &[T], view: &Strided, turn: &Turn, y: &mut [T]) {
    let (first, last) = (view.axes[0], view.axes.len() - 1);
    let Turn { unit, ref others, ref strides } = *turn;
    let plane = view.len / first.0;
    // Whole squares where the outermost axis is a side of them.
    let step = (TASK / plane).max(1).next_multiple_of(if unit == 0 { TILE } else { 1 });
    for_each_chunk(y, step * plane, |index, y| {
        // A task has a part of the outermost axis.
        let part = y.len() / plane;
        let extent = |axis: usize| if axis == 0 { part } else { view.axes[axis].0 };
        let offset = (view.offset as isize + (index * step) as isize * first.1) as usize;
        let (rows, columns, stride) = (extent(unit), extent(last), view.axes[last].1);
        // A square of its own: rows of x and y may lie so far apart that they would drive each other out of the cache.
        let mut tile = [[x[0]; TILE]; TILE];
        for plane in 0..others.iter().map(|&axis| extent(axis)).product() {
            let (mut from, mut to, mut rest) = (offset as isize, 0, plane);
            for &axis in others.iter().rev() {
                let i = rest % extent(axis);
                rest /= extent(axis);
                from += i as isize * view.axes[axis].1;
                to += i * strides[axis];
            }
            for row in (0..rows).step_by(TILE) {
                let height = TILE.min(rows - row);
                for column in (0..columns).step_by(TILE) {
                    let width = TILE.min(columns - column);
                    for c in 0..width {
                        let from = (from + row as isize + (column + c) as isize * stride) as usize;
                        for (tile, x) in tile.iter_mut().zip(&x[from..from + height]) {
                            tile[c] = *x;
                        }
                    }
                    for (r, tile) in (row..).zip(&tile[..height]) {
                        y[to + r * strides[unit] + column..][..width].copy_from_slice(&tile[..width]);
                    }
                }
            }
        }
    });
}

/// `y[view(i)] = x[i]`, `x` dense; the other elements of `y` stay. No element may be named twice.
pub fn scatter_strided<T: Copy>(x: &[T], view: &Strided, y: &mut [T]) {
    assert_eq!(x.len(), view.len);
    let (outer, (extent, stride)) = view.rows();
    for (row, x) in x.chunks_exact(extent).enumerate() {
        let to = place(view.offset, outer, row);
        match stride {
            1 => y[to..to + extent].copy_from_slice(x),
            _ => (0..).zip(x).for_each(|(i, x)| y[(to as isize + i * stride) as usize] = *x),
        }
    }
}

/// Each row of `y` is the rows of all `parts` one after another; a part is its elements and the length of its rows.
pub fn concatenate<T: Copy + Send + Sync>(parts: &[(&[T], usize)], y: &mut [T]) {
    let width: usize = parts.iter().map(|(_, width)| width).sum();
    if y.is_empty() {
        return;
    }
    let chunk = (TASK / width).max(1) * width;
    for_each_chunk(y, chunk, |index, y| {
        for (row, y) in y.chunks_exact_mut(width).enumerate() {
            let (row, mut to) = (index * (chunk / width) + row, 0);
            for (x, width) in parts {
                y[to..to + width].copy_from_slice(&x[row * width..][..*width]);
                to += width;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strides of a dense tensor.
    fn dense(shape: &[usize]) -> Vec<isize> {
        (0..shape.len()).map(|axis| shape[axis + 1..].iter().product::<usize>() as isize).collect()
    }

    fn check(x_len: usize, offset: usize, extents: &[usize], strides: &[isize]) {
        let x: Vec<i32> = (0..x_len as i32).collect();
        let view = Strided::new(offset, extents, strides);
        let mut y = vec![-1; view.len()];
        gather_strided(&x, &view, &mut y);
        let mut wanted = vec![offset as isize];
        for (&extent, &stride) in extents.iter().zip(strides) {
            wanted = wanted.iter().flat_map(|from| (0..extent as isize).map(move |i| from + i * stride)).collect();
        }
        assert!(y.iter().map(|&y| y as isize).eq(wanted.iter().copied()), "{extents:?} {strides:?}");
        if strides.iter().all(|s| *s != 0) {
            let mut back = vec![-1; x_len];
            scatter_strided(&y, &view, &mut back);
            assert!(wanted.iter().all(|&at| back[at as usize] as isize == at));
            assert_eq!(back.iter().filter(|b| **b >= 0).count(), y.len());
        }
    }

    #[test]
    fn every_permutation() {
        let shape = [3, 70, 1, 41];
        let strides = dense(&shape);
        for a in 0..4 {
            for b in (0..4).filter(|&b| b != a) {
                for c in (0..4).filter(|&c| c != a && c != b) {
                    let order = [a, b, c, 6 - a - b - c];
                    check(3 * 70 * 41, 0, &order.map(|i| shape[i]), &order.map(|i| strides[i]));
                }
            }
        }
    }

    #[test]
    fn large_transposes_in_tasks() {
        check(600 * 301, 0, &[301, 600], &[1, 301]);
        check(5 * 90 * 100, 0, &[5, 100, 90], &[9000, 1, 100]);
    }

    #[test]
    fn slices_reversals_and_broadcasts() {
        check(60, 7, &[2, 3, 2], &[20, 5, 2]);
        check(60, 59, &[3, 20], &[-20, -1]);
        check(4, 0, &[3, 4, 2], &[0, 1, 0]);
        check(5, 3, &[], &[]);
        check(5, 3, &[0, 4], &[1, 1]);
        check(40_000, 0, &[20_000], &[2]);
    }

    #[test]
    fn knows_what_needs_no_copy() {
        assert!(Strided::new(0, &[2, 1, 3], &[3, 99, 1]).is_dense());
        assert!(!Strided::new(0, &[3, 2], &[1, 3]).is_dense());
        assert!(!Strided::new(1, &[2], &[1]).is_dense());
    }

    #[test]
    fn joins_rows() {
        let mut y = [0; 6];
        concatenate(&[(&[1, 2, 3, 4][..], 2), (&[9, 8][..], 1)], &mut y);
        assert_eq!(y, [1, 2, 9, 3, 4, 8]);
    }
}
