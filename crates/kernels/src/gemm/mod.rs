//! Matrix products.

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
}

/// Elements of a packed `[k, n]` matrix.
pub fn packed_len(k: usize, n: usize) -> usize {
    k * n
}
/// Packs `b` `[k, n]`.
pub fn pack(k: usize, n: usize, b: Matrix, packed: &mut [f32]) {
    for i in 0..k {
        for j in 0..n {
            packed[i * n + j] = b.data[i * b.row_stride + j * b.column_stride];
        }
    }
}
/// `c = a * b`, or `c += a * b`.
#[allow(clippy::too_many_arguments)]
pub fn gemm(m: usize, k: usize, n: usize, a: Matrix, packed_b: &[f32], c: &mut [f32], c_row_stride: usize, accumulate: bool) {
    for i in 0..m {
        for j in 0..n {
            let mut s = if accumulate { c[i * c_row_stride + j] } else { 0.0 };
            for p in 0..k {
                s += a.data[i * a.row_stride + p * a.column_stride] * packed_b[p * n + j];
            }
            c[i * c_row_stride + j] = s;
        }
    }
}
