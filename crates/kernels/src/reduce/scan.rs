//! Running sums.

use crate::parallel::for_each_chunk;

/// For `x` of shape `[outer, extent, inner]` the sums along `extent` up to and with each element, in f64.
pub fn cumsum_f32(x: &[f32], extent: usize, inner: usize, y: &mut [f32]) {
    scan(x, extent, inner, y, |a: f64, x| a + f64::from(x), |a| a as f32);
}

/// As [`cumsum_f32`], wrapping.
pub fn cumsum_i32(x: &[i32], extent: usize, inner: usize, y: &mut [i32]) {
    scan(x, extent, inner, y, |a: i32, x| a.wrapping_add(x), |a| a);
}

/// Columns that are summed side by side.
const COLUMNS: usize = 64;

fn scan<T: Copy + Send + Sync, A: Copy + Default>(
    x: &[T],
    extent: usize,
    inner: usize,
    y: &mut [T],
    step: impl Fn(A, T) -> A + Sync,
    finish: impl Fn(A) -> T + Sync,
) {
    assert_eq!(x.len(), y.len());
    if y.is_empty() {
        return;
    }
    let plane = extent * inner;
    for_each_chunk(y, plane, |outer, y| {
        let x = &x[outer * plane..][..plane];
        for column in (0..inner).step_by(COLUMNS) {
            let width = COLUMNS.min(inner - column);
            let mut sums = [A::default(); COLUMNS];
            for from in (column..plane).step_by(inner) {
                let elements = x[from..from + width].iter().zip(&mut y[from..from + width]);
                for (sum, (x, y)) in sums.iter_mut().zip(elements) {
                    *sum = step(*sum, *x);
                    *y = finish(*sum);
                }
            }
        }
    });
}
