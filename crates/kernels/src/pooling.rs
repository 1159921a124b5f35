//! Largest element and mean of windows over NHWC images, with their gradients.
//!
//! Work is cut into rows, every element is summed in row-major order of the windows, and loops run over channels, so
//! results depend neither on the number of threads nor on the images beside.
//!
//! Contains `unsafe`: the cells of a window are read by pointer.

// Wrong lengths are a wrong plan, as the crate's documentation says of every function.
#![allow(clippy::missing_panics_doc)]

use crate::parallel::{Finished, for_each_chunk};
use ferrograph_simd::{Kernel, Level, Simd, dispatch};
use std::ops::Range;

/// Windows over a batch of images. Every window holds at least one cell of the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolShape {
    /// Images.
    pub batch: usize,
    /// Rows and columns of an image.
    pub input: [usize; 2],
    /// Windows along rows and columns.
    pub output: [usize; 2],
    /// Channels.
    pub channels: usize,
    /// Cells of a window along rows and columns.
    pub size: [usize; 2],
    /// Cells from one window to the next.
    pub strides: [usize; 2],
    /// Cells of padding above and to the left.
    pub before: [usize; 2],
}

/// Elements that one chunk of work touches: a few microseconds, enough to be worth handing to a thread that is awake.
const CHUNK_ELEMENTS: usize = 1 << 14;

/// Channels handled at once where state is kept for each of them.
const BLOCK: usize = 64;

impl PoolShape {
    /// Elements of the input.
    pub fn input_len(&self) -> usize {
        self.batch * self.input[0] * self.input[1] * self.channels
    }

    /// Elements of the output.
    pub fn output_len(&self) -> usize {
        self.batch * self.output[0] * self.output[1] * self.channels
    }

    /// The cells along `axis` that window `index` covers, padding left out.
    fn cells(&self, axis: usize, index: usize) -> Range<usize> {
        let padded = index * self.strides[axis];
        let end = (padded + self.size[axis]).saturating_sub(self.before[axis]).min(self.input[axis]);
        padded.saturating_sub(self.before[axis])..end
    }

    /// The windows along the rows that cover a cell of `rows`, and perhaps some that do not.
    fn windows_over(&self, rows: &Range<usize>) -> Range<usize> {
        let first = (rows.start + self.before[0] + 1).saturating_sub(self.size[0]).div_ceil(self.strides[0]);
        let end = (rows.end + self.before[0]).div_ceil(self.strides[0]).min(self.output[0]);
        first..end.max(first)
    }

    /// The channels of cell `(row, column)` of image `n` begin here.
    fn input_offset(&self, n: usize, row: usize, column: usize) -> usize {
        ((n * self.input[0] + row) * self.input[1] + column) * self.channels
    }

    /// The channels of window `(i, j)` of image `n` begin here.
    fn output_offset(&self, n: usize, i: usize, j: usize) -> usize {
        ((n * self.output[0] + i) * self.output[1] + j) * self.channels
    }

    /// How many rows of `row_len` elements, each reached by `taps` others, make a chunk.
    fn rows_per_chunk(row_len: usize, taps: usize) -> usize {
        (CHUNK_ELEMENTS / row_len.saturating_mul(taps).max(1)).max(1)
    }

    /// Calls `f(first row, rows)` for chunks of the output.
    fn for_output_rows(&self, y: &mut [f32], f: impl Fn(usize, &mut [f32]) + Sync) {
        let row_len = self.output[1] * self.channels;
        let rows = Self::rows_per_chunk(row_len, self.size[0].saturating_mul(self.size[1]));
        for_each_chunk(y, rows * row_len, |chunk, y| f(chunk * rows, y));
    }

    /// Calls `f(image, its rows, their elements)` for chunks of the input.
    fn for_input_rows(&self, dx: &mut [f32], f: impl Fn(usize, Range<usize>, &mut [f32]) + Sync) {
        let row_len = self.input[1] * self.channels;
        // A chunk also walks the windows that begin above it; at least twice their height keeps that share small.
        let rows = Self::rows_per_chunk(row_len, 4).max(2 * self.size[0]);
        for_each_chunk(dx, rows * row_len, |chunk, mut dx| {
            let mut row = chunk * rows;
            while !dx.is_empty() {
                let (n, top) = (row / self.input[0], row % self.input[0]);
                let here = (self.input[0] - top).min(dx.len() / row_len);
                let (part, rest) = dx.split_at_mut(here * row_len);
                f(n, top..top + here, part);
                (dx, row) = (rest, row + here);
            }
        });
    }
}

/// `y` = largest element of each window of `x`, channel by channel. NaN wins, padding never does.
pub fn max_forward(shape: &PoolShape, x: &[f32], y: &mut [f32]) {
    max_forward_with(shape, f32::NEG_INFINITY, x, y);
}

/// As [`max_forward`] where the padding is zeros that may win.
pub fn bordered_max_forward(shape: &PoolShape, x: &[f32], y: &mut [f32]) {
    max_forward_with(shape, 0.0, x, y);
}

fn max_forward_with(shape: &PoolShape, outside: f32, x: &[f32], y: &mut [f32]) {
    assert_eq!((x.len(), y.len()), (shape.input_len(), shape.output_len()));
    let level = Level::current();
    shape.for_output_rows(y, |first_row, y| level.run(Rows::<true> { shape, outside, x, first_row, y }));
}

/// `y` = mean of the cells of each window of `x` that are not padding.
pub fn average_forward(shape: &PoolShape, x: &[f32], y: &mut [f32]) {
    assert_eq!((x.len(), y.len()), (shape.input_len(), shape.output_len()));
    let level = Level::current();
    shape.for_output_rows(y, |first_row, y| level.run(Rows::<false> { shape, outside: 0.0, x, first_row, y }));
}

/// `dx` from `dy`: the first cell of each window that holds its maximum `y` gets all of it.
pub fn max_gradient(shape: &PoolShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32]) {
    max_gradient_then(shape, x, y, dy, dx, &|_, _| ());
}

/// As [`max_gradient`]; `finished` gets parts of `dx` as soon as they are final.
pub fn max_gradient_then(shape: &PoolShape, x: &[f32], y: &[f32], dy: &[f32], dx: &mut [f32], finished: Finished<'_>) {
    assert_eq!((x.len(), y.len()), (shape.input_len(), shape.output_len()));
    assert_eq!((dx.len(), dy.len()), (x.len(), y.len()));
    shape.for_input_rows(dx, |n, rows, dx| {
        let start = shape.input_offset(n, rows.start, 0);
        max_gradient_rows(shape, x, y, dy, n, rows, dx);
        finished(start, dx);
    });
}

/// `chosen` = the element of `values` at the cell whose `x` is the first maximum `y` of the window: the transpose of
/// [`max_gradient`].
pub fn max_gather(shape: &PoolShape, x: &[f32], y: &[f32], values: &[f32], chosen: &mut [f32]) {
    assert_eq!((x.len(), y.len()), (shape.input_len(), shape.output_len()));
    assert_eq!((values.len(), chosen.len()), (x.len(), y.len()));
    shape.for_output_rows(chosen, |first_row, chosen| gather_rows(shape, x, y, values, first_row, chosen));
}

/// `dx` from `dy`: each cell of a window gets an equal share.
pub fn average_gradient(shape: &PoolShape, dy: &[f32], dx: &mut [f32]) {
    assert_eq!((dx.len(), dy.len()), (shape.input_len(), shape.output_len()));
    shape.for_input_rows(dx, |n, rows, dx| average_gradient_rows(shape, dy, n, rows, dx));
}

/// Windows of whole rows of the output, from `first_row` on, a vector of channels at a time.
struct Rows<'a, const MAX: bool> {
    shape: &'a PoolShape,
    /// What is in the padding of a maximum.
    outside: f32,
    x: &'a [f32],
    first_row: usize,
    y: &'a mut [f32],
}

impl<const MAX: bool> Kernel for Rows<'_, MAX> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Rows { shape, outside, x, first_row, y } = self;
        let line = shape.input[1] * shape.channels;
        for (index, y) in y.chunks_exact_mut(shape.output[1] * shape.channels).enumerate() {
            let (n, i) = ((first_row + index) / shape.output[0], (first_row + index) % shape.output[0]);
            let rows = shape.cells(0, i);
            for (j, y) in y.chunks_exact_mut(shape.channels).enumerate() {
                let columns = shape.cells(1, j);
                let whole = rows.len() * columns.len() == shape.size[0] * shape.size[1];
                let least = if whole { f32::NEG_INFINITY } else { outside };
                if rows.is_empty() || columns.is_empty() {
                    // An image without cells.
                    y.fill(if MAX { least } else { f32::NAN });
                    continue;
                }
                // From the first cell of the window to the end of the last.
                let start = shape.input_offset(n, rows.start, columns.start);
                let x = &x[start..shape.input_offset(n, rows.end - 1, columns.end)];
                // Known extents leave no loop over the cells of the most common window: less than half of the time.
                if rows.len() == 2 && columns.len() == 2 {
                    window::<S, MAX>(simd, x, [2, 2], line, least, y);
                } else {
                    window::<S, MAX>(simd, x, [rows.len(), columns.len()], line, least, y);
                }
            }
        }
    }
}

/// The larger of what a window has given so far and its next cell; NaN wins, and of equal ones the first.
#[inline(always)]
pub(crate) fn larger<S: Simd>(simd: S, largest: S::V, x: S::V) -> S::V {
    // The maximum keeps a NaN that is in `largest` already.
    simd.select(simd.eq(x, x), simd.max(x, largest), x)
}

/// One window of `rows` x `columns` cells: `x` begins with the first of them and ends with the last, rows are `line`
/// elements apart, and `y` has an element for each channel. A maximum is at least `least`.
#[inline(always)]
fn window<S: Simd, const MAX: bool>(
    simd: S,
    x: &[f32],
    [rows, columns]: [usize; 2],
    line: usize,
    least: f32,
    y: &mut [f32],
) {
    let channels = y.len();
    assert!(rows > 0 && columns > 0 && x.len() == (rows - 1) * line + columns * channels);
    let count = simd.splat((rows * columns) as f32);
    for (block, y) in y.chunks_mut(S::N).enumerate() {
        let mut sum = simd.splat(if MAX { least } else { 0.0 });
        for row in 0..rows {
            for column in 0..columns {
                let at = row * line + column * channels + block * S::N;
                // SAFETY: the channels of every cell lie within `x`, whose length is asserted above.
                let x = unsafe {
                    let x = x.as_ptr().add(at);
                    if y.len() == S::N { simd.load_ptr(x) } else { simd.load_partial_ptr(x, y.len()) }
                };
                sum = if MAX { larger(simd, sum, x) } else { simd.add(sum, x) };
            }
        }
        let sum = if MAX { sum } else { simd.div(sum, count) };
        if y.len() == S::N { simd.store(y, sum) } else { simd.store_partial(y, sum) }
    }
}

dispatch! {
    fn max_gradient_rows(
        shape: &PoolShape, x: &[f32], y: &[f32], dy: &[f32], n: usize, rows: Range<usize>, dx: &mut [f32],
    ) {
        dx.fill(0.0);
        let start = shape.input_offset(n, rows.start, 0);
        for i in shape.windows_over(&rows) {
            for j in 0..shape.output[1] {
                let window = shape.output_offset(n, i, j);
                for block in (0..shape.channels).step_by(BLOCK) {
                    let len = BLOCK.min(shape.channels - block);
                    let y = &y[window + block..][..len];
                    // What no cell of the window has taken yet.
                    let mut left = [0.0; BLOCK];
                    left[..len].copy_from_slice(&dy[window + block..][..len]);
                    for h in shape.cells(0, i) {
                        for w in shape.cells(1, j) {
                            let at = shape.input_offset(n, h, w) + block;
                            let x = &x[at..][..len];
                            if rows.contains(&h) {
                                let dx = &mut dx[at - start..][..len];
                                for (((dx, &x), &y), left) in dx.iter_mut().zip(x).zip(y).zip(&mut left) {
                                    // `|`, because a branch would keep the loop from being vectorised.
                                    let wins = (x == y) | x.is_nan();
                                    *dx += if wins { *left } else { 0.0 };
                                    *left = if wins { 0.0 } else { *left };
                                }
                            } else {
                                for ((&x, &y), left) in x.iter().zip(y).zip(&mut left) {
                                    *left = if (x == y) | x.is_nan() { 0.0 } else { *left };
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn gather_rows(
        shape: &PoolShape, x: &[f32], y: &[f32], values: &[f32], first_row: usize, chosen: &mut [f32],
    ) {
        chosen.fill(0.0);
        for (index, chosen) in chosen.chunks_exact_mut(shape.channels).enumerate() {
            let (row, j) = (first_row + index / shape.output[1], index % shape.output[1]);
            let (n, i) = (row / shape.output[0], row % shape.output[0]);
            let window = shape.output_offset(n, i, j);
            for (block, chosen) in chosen.chunks_mut(BLOCK).enumerate() {
                let (block, len) = (block * BLOCK, chosen.len());
                let y = &y[window + block..][..len];
                let mut open = [true; BLOCK];
                for h in shape.cells(0, i) {
                    for w in shape.cells(1, j) {
                        let at = shape.input_offset(n, h, w) + block;
                        let cells = x[at..][..len].iter().zip(&values[at..][..len]);
                        for (((chosen, (&x, &value)), &y), open) in chosen.iter_mut().zip(cells).zip(y).zip(&mut open) {
                            let wins = *open & ((x == y) | x.is_nan());
                            *chosen = if wins { value } else { *chosen };
                            *open &= !wins;
                        }
                    }
                }
            }
        }
    }

    fn average_gradient_rows(shape: &PoolShape, dy: &[f32], n: usize, rows: Range<usize>, dx: &mut [f32]) {
        dx.fill(0.0);
        let start = shape.input_offset(n, rows.start, 0);
        for i in shape.windows_over(&rows) {
            let covered = shape.cells(0, i);
            let written = covered.start.max(rows.start)..covered.end.min(rows.end);
            for j in 0..shape.output[1] {
                let count = (covered.len() * shape.cells(1, j).len()) as f32;
                let dy = &dy[shape.output_offset(n, i, j)..][..shape.channels];
                for h in written.clone() {
                    for w in shape.cells(1, j) {
                        let dx = &mut dx[shape.input_offset(n, h, w) - start..][..shape.channels];
                        for (dx, &dy) in dx.iter_mut().zip(dy) {
                            *dx += dy / count;
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ferrograph_simd::{Level, with_level};

    /// Shapes with overlap, gaps, padding on any side, windows larger than the image, channels around a block.
    fn shapes() -> Vec<PoolShape> {
        let mut shapes = Vec::new();
        for channels in [1, 3, 64, 67] {
            for (size, strides) in [([2, 2], [2, 2]), ([3, 3], [2, 2]), ([3, 2], [1, 3]), ([1, 1], [2, 2])] {
                for before in [[0, 0], [size[0] - 1, size[1] / 2]] {
                    let input = [9, 7];
                    let output = [0, 1].map(|a| (input[a] + 2 * before[a] - size[a]) / strides[a] + 1);
                    shapes.push(PoolShape { batch: 2, input, output, channels, size, strides, before });
                }
            }
        }
        // Many rows, so that there are several chunks, and windows that reach over their borders.
        let tall = PoolShape {
            batch: 2,
            input: [150, 5],
            output: [148, 3],
            channels: 80,
            size: [3, 3],
            strides: [1, 1],
            before: [0, 0],
        };
        shapes.extend([tall, PoolShape { batch: 0, ..tall }]);
        shapes
    }

    /// Whole numbers with many ties.
    fn values(len: usize, range: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 2_654_435_761) >> 7) as f32 % range as f32).collect()
    }

    /// For every output element: the input indices below it, in row-major order.
    fn windows(s: &PoolShape) -> Vec<Vec<usize>> {
        let mut all = Vec::new();
        for (n, i) in (0..s.batch).flat_map(|n| (0..s.output[0]).map(move |i| (n, i))) {
            for (j, c) in (0..s.output[1]).flat_map(|j| (0..s.channels).map(move |c| (j, c))) {
                let mut below = Vec::new();
                for (p, q) in (0..s.size[0]).flat_map(|p| (0..s.size[1]).map(move |q| (p, q))) {
                    let (h, w) = (i * s.strides[0] + p, j * s.strides[1] + q);
                    let inside = |axis: usize, at: usize| at >= s.before[axis] && at - s.before[axis] < s.input[axis];
                    if inside(0, h) && inside(1, w) {
                        let (h, w) = (h - s.before[0], w - s.before[1]);
                        below.push(((n * s.input[0] + h) * s.input[1] + w) * s.channels + c);
                    }
                }
                all.push(below);
            }
        }
        all
    }

    fn winner(x: &[f32], below: &[usize]) -> usize {
        let wins =
            |best: usize, &i: &usize| if x[i] > x[best] || (x[i].is_nan() && !x[best].is_nan()) { i } else { best };
        below.iter().fold(below[0], wins)
    }

    fn at_all_levels(mut test: impl FnMut()) {
        for level in Level::available() {
            with_level(level, &mut test);
        }
    }

    #[test]
    fn maximum_and_its_gradients_are_those_of_the_loops() {
        at_all_levels(|| {
            for shape in shapes() {
                let (x, dy) = (values(shape.input_len(), 5), values(shape.output_len(), 100));
                let tangent = values(shape.input_len(), 1000);
                let below = windows(&shape);
                let mut y = vec![f32::NAN; shape.output_len()];
                max_forward(&shape, &x, &mut y);
                let (mut dx, mut expected) = (vec![f32::NAN; x.len()], vec![0.0; x.len()]);
                max_gradient(&shape, &x, &y, &dy, &mut dx);
                let mut chosen = vec![f32::NAN; y.len()];
                max_gather(&shape, &x, &y, &tangent, &mut chosen);
                for (o, below) in below.iter().enumerate() {
                    let winner = winner(&x, below);
                    assert_eq!((y[o], chosen[o]), (x[winner], tangent[winner]), "{shape:?}");
                    expected[winner] += dy[o];
                }
                assert_eq!(dx, expected, "{shape:?}");
            }
        });
    }

    #[test]
    fn a_border_of_zeros_may_win() {
        at_all_levels(|| {
            for shape in shapes() {
                let x: Vec<f32> = values(shape.input_len(), 5).iter().map(|x| x - 3.0).collect();
                let mut y = vec![f32::NAN; shape.output_len()];
                bordered_max_forward(&shape, &x, &mut y);
                for (o, below) in windows(&shape).iter().enumerate() {
                    let cut = below.len() < shape.size[0] * shape.size[1];
                    assert_eq!(
                        y[o],
                        if cut { x[winner(&x, below)].max(0.0) } else { x[winner(&x, below)] },
                        "{shape:?}"
                    );
                }
            }
        });
    }

    #[test]
    fn mean_and_its_gradient_are_those_of_the_loops() {
        at_all_levels(|| {
            for shape in shapes() {
                let (x, dy) = (values(shape.input_len(), 50), values(shape.output_len(), 100));
                let (mut y, mut dx) = (vec![f32::NAN; shape.output_len()], vec![f32::NAN; x.len()]);
                average_forward(&shape, &x, &mut y);
                average_gradient(&shape, &dy, &mut dx);
                let mut expected = vec![0.0; x.len()];
                for (o, below) in windows(&shape).iter().enumerate() {
                    let sum: f32 = below.iter().map(|&i| x[i]).sum();
                    assert_eq!(y[o], sum / below.len() as f32, "{shape:?}");
                    for &i in below {
                        expected[i] += dy[o] / below.len() as f32;
                    }
                }
                assert_eq!(dx, expected, "{shape:?}");
            }
        });
    }

    #[test]
    fn nan_wins_and_takes_the_gradient() {
        let nan = f32::NAN;
        let shape = PoolShape {
            batch: 1,
            input: [2, 4],
            output: [1, 2],
            channels: 1,
            size: [2, 2],
            strides: [2, 2],
            before: [0, 0],
        };
        let x = [1.0, nan, f32::NEG_INFINITY, f32::NEG_INFINITY, 3.0, nan, f32::NEG_INFINITY, f32::NEG_INFINITY];
        let (mut y, mut dx) = ([0.0; 2], [0.0; 8]);
        max_forward(&shape, &x, &mut y);
        assert!(y[0].is_nan() && y[1] == f32::NEG_INFINITY);
        max_gradient(&shape, &x, &y, &[5.0, 7.0], &mut dx);
        assert_eq!(dx, [0.0, 5.0, 7.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
