//! Matrix products `C = A B`, with `B` packed once and `A` read in place.
//!
//! `B` is packed into panels of a few vectors' width, `[panel][k][column]`; the last panel is as many whole vectors wide
//! as its columns need. A tile of rows x one panel stays in registers while it walks along `k` (`tile`); a block of
//! rows takes one panel after the other (`block`); blocks are the chunks that threads share (`product`).
//!
//! Every element of `C` is one chain of multiply-adds in the order of `k`, whatever tile, block or thread computes it.
//! So a row's bits depend neither on the number of rows, nor on its position, nor on the number of threads.

mod block;
mod epilogue;
mod pack;
mod parts;
mod product;
mod rows;
#[cfg(test)]
mod tests;
mod tile;
mod unpacked;

pub(crate) use block::{Beside, Block, Depth, Next, STRIP};
pub use epilogue::{Bias, BiasRelu, Epilogue, Identity};
pub(crate) use pack::pack_steps;
pub use pack::{pack, packed_layout, packed_len};
pub use parts::{Parts, gemm_in_parts};
pub(crate) use product::Product;
pub use product::{finishes_by_rows, gemm, gemm_then, gemm_with};
pub(crate) use rows::{Lines, MAX_ROWS, Rows, Spacing};
pub use unpacked::{gemm_unpacked, unpacked_scratch_len};

use ferrograph_simd::{Kernel, Level, Simd};

/// A strided matrix of `f32`: element `(i, j)` is `data[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    /// The elements.
    pub data: &'a [f32],
    /// Distance between rows, in elements.
    pub row_stride: usize,
    /// Distance between columns, in elements.
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows of `columns` adjacent elements.
    pub fn row_major(data: &'a [f32], columns: usize) -> Self {
        Matrix { data, row_stride: columns, column_stride: 1 }
    }

    /// The transpose of a row-major matrix of `columns` columns.
    pub fn transposed(data: &'a [f32], columns: usize) -> Self {
        Matrix { data, row_stride: 1, column_stride: columns }
    }

    /// Panics unless all of `rows x columns` elements lie within `data`.
    fn assert_holds(&self, rows: usize, columns: usize) {
        if rows == 0 || columns == 0 {
            return;
        }
        let last = (rows - 1)
            .checked_mul(self.row_stride)
            .zip((columns - 1).checked_mul(self.column_stride))
            .and_then(|(row, column)| row.checked_add(column));
        assert!(
            last.is_some_and(|last| last < self.data.len()),
            "{rows} x {columns} elements exceed the matrix: {} elements, strides {} and {}",
            self.data.len(),
            self.row_stride,
            self.column_stride
        );
    }
}

/// Extents of the register tile at a level.
#[derive(Clone, Copy)]
pub(crate) struct TileShape {
    /// Rows of the tile.
    pub rows: usize,
    /// Columns of a full panel.
    pub columns: usize,
    /// Lanes of a vector.
    pub lanes: usize,
}

impl TileShape {
    pub(crate) fn of(level: Level) -> Self {
        struct Query;
        impl Kernel for Query {
            type Output = TileShape;
            #[inline(always)]
            fn run<S: Simd>(self, _: S) -> TileShape {
                TileShape { rows: S::TILE_ROWS, columns: S::TILE_VECTORS * S::N, lanes: S::N }
            }
        }
        level.run(Query)
    }

    /// Columns that panels cover which together hold `n`.
    fn padded(self, n: usize) -> usize {
        let full = n / self.columns * self.columns;
        full + (n - full).next_multiple_of(self.lanes)
    }
}
