//! Columns of matrices side by side, for products that multiply by them transposed.
//!
//! A strip has `WIDTH` columns, a cache line for every row: `[strip][row][column]`. The rows of a step may lie anywhere, and
//! those of several steps and sequences are copied once for all products.
//!
//! Contains `unsafe`: rows are read through pointers, and strips are written by several threads.

use crate::gemm::STRIP;
use crate::parallel::SharedMut;
use crate::pool::parallel_for;
use ferrograph_simd::{Kernel, Level, Simd};

/// Columns of the rows of some steps: row `sequence` of step `step` begins at `first + step * self.step` (minus, if
/// `backwards`) `+ sequence * self.sequence`.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub data: &'a [f32],
    pub columns: usize,
    pub first: usize,
    pub step: usize,
    pub backwards: bool,
    pub sequence: usize,
}

impl Source<'_> {
    /// Where a row begins.
    fn row(&self, step: usize, sequence: usize) -> usize {
        let step = step * self.step;
        (if self.backwards { self.first - step } else { self.first + step }) + sequence * self.sequence
    }

    /// Panics unless the rows lie within the data.
    fn assert_holds(&self, steps: usize, batch: usize) {
        for step in [0, steps - 1] {
            assert!(self.row(step, batch - 1) + self.columns <= self.data.len());
        }
    }
}

/// The columns of several sources, each from a strip of its own on, and a column of ones.
pub(crate) struct Strips<'a> {
    data: &'a [f32],
    rows: usize,
    /// Columns of the sources, and the strips they begin at.
    columns: [(usize, usize); MAX_SOURCES],
}

/// Sources and the column of ones.
const MAX_SOURCES: usize = 3;

impl<'a> Strips<'a> {
    /// Columns of a strip.
    pub(crate) const WIDTH: usize = STRIP;

    /// Elements for sources of that many columns, and a column of ones.
    pub(crate) fn len(columns: &[usize], rows: usize) -> usize {
        let strips =
            columns.iter().fold(1_usize, |strips, columns| strips.saturating_add(columns.div_ceil(Self::WIDTH)));
        strips.saturating_mul(Self::WIDTH).saturating_mul(rows)
    }

    /// Copies the sources, of `steps` steps of `batch` sequences.
    pub(crate) fn fill(sources: &[Source], ones: bool, steps: usize, batch: usize, data: &'a mut [f32]) -> Self {
        /// A chunk copies at least this many elements, about 10 microseconds.
        const CHUNK: usize = 32 * 1024;
        let rows = steps * batch;
        let mut columns = [(0, 0); MAX_SOURCES];
        let (mut strip, mut total) = (0, 0);
        for (source, place) in sources.iter().zip(&mut columns) {
            if rows > 0 {
                source.assert_holds(steps, batch);
            }
            *place = (source.columns, strip);
            strip += source.columns.div_ceil(Self::WIDTH);
            total += source.columns;
        }
        columns[sources.len()] = (usize::from(ones), strip);
        assert!(data.len() >= (strip + usize::from(ones)) * rows * Self::WIDTH);
        let level = Level::current();
        let shared = SharedMut::new(data);
        let chunk = CHUNK.div_ceil((batch * total).max(1));
        parallel_for(steps.div_ceil(chunk), &|index| {
            for step in index * chunk..steps.min((index + 1) * chunk) {
                for (source, (_, strip)) in sources.iter().zip(&columns) {
                    let from = source.data.as_ptr().wrapping_add(source.row(step, 0));
                    let to = shared.get().wrapping_add((strip * rows + step * batch) * Self::WIDTH);
                    level.run(Fill {
                        from,
                        stride: source.sequence,
                        rows: batch,
                        columns: source.columns,
                        to,
                        strip: rows * Self::WIDTH,
                    });
                }
            }
        });
        if ones {
            data[strip * rows * Self::WIDTH..][..rows * Self::WIDTH].fill(1.0);
        }
        Self { data, rows, columns }
    }

    /// Where a column begins, counted over all sources and the ones; its rows are [`Self::WIDTH`] apart.
    pub(crate) fn column(&self, mut column: usize) -> *const f32 {
        for (count, strip) in self.columns {
            if column < count {
                let at = (strip + column / Self::WIDTH) * self.rows * Self::WIDTH + column % Self::WIDTH;
                return self.data[at..].as_ptr();
            }
            column -= count;
        }
        panic!("strips have the columns of their sources");
    }
}

/// Copies rows that are `stride` apart into strips `strip` elements apart.
struct Fill {
    from: *const f32,
    stride: usize,
    rows: usize,
    columns: usize,
    to: *mut f32,
    strip: usize,
}

impl Kernel for Fill {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = Strips::WIDTH;
        for row in 0..self.rows {
            let from = self.from.wrapping_add(row * self.stride);
            let mut to = self.to.wrapping_add(row * width);
            let mut column = 0;
            // SAFETY: `Strips::fill` asserts that the rows lie within the source and the strips within their memory, where nobody
            // else writes these rows.
            unsafe {
                while column + width <= self.columns {
                    for part in (0..width).step_by(S::N) {
                        simd.store_ptr(to.add(part), simd.load_ptr(from.add(column + part)));
                    }
                    column += width;
                    to = to.wrapping_add(self.strip);
                }
                for rest in column..self.columns {
                    *to.add(rest - column) = *from.add(rest);
                }
            }
        }
    }
}
