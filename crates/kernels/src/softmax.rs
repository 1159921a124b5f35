//! Softmax and its logarithm along one axis.

use crate::parallel::for_each_chunk;
use crate::vecmath::{exp, exp_v};
use ferrograph_simd::{Kernel, Level, Simd};

/// Elements that are worth a task of their own.
const TASK: usize = 1 << 13;
/// Elements whose exponentials are added in float32 before they are added in f64.
const BLOCK: usize = 512;
/// No processor has more lanes in a vector.
const MAX_LANES: usize = 64;
/// Columns that are worked on side by side where the axis is not the last.
const COLUMNS: usize = 64;

/// For `x` of shape `[outer, extent, inner]`: `y = exp(x - max) / sum(exp(x - max))` along `extent`. NaN in a row makes
/// the row NaN, and so do an infinity or nothing but `-inf`.
pub fn softmax(x: &[f32], extent: usize, inner: usize, y: &mut [f32]) {
    run(x, extent, inner, y, false);
}

/// As [`softmax`]: `y = x - max - log(sum(exp(x - max)))`.
pub fn log_softmax(x: &[f32], extent: usize, inner: usize, y: &mut [f32]) {
    run(x, extent, inner, y, true);
}

fn run(x: &[f32], extent: usize, inner: usize, y: &mut [f32], log: bool) {
    assert_eq!(x.len(), y.len());
    if y.is_empty() {
        return;
    }
    let plane = extent * inner;
    let chunk = (TASK / plane).max(1) * plane;
    let level = Level::current();
    for_each_chunk(y, chunk, |index, y| {
        let x = &x[index * chunk..][..y.len()];
        for (x, y) in x.chunks_exact(plane).zip(y.chunks_exact_mut(plane)) {
            if inner == 1 {
                level.run(Row { x, y, log });
            } else {
                columns(x, inner, y, log);
            }
        }
    });
}

struct Row<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
    log: bool,
}

impl Kernel for Row<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { x, y, log } = self;
        let max = row_max(simd, x);
        let shift = simd.splat(max);
        let mut sum = 0.0;
        for (x, y) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)) {
            let mut lanes = simd.zero();
            let whole = x.len() / S::N * S::N;
            for (x, y) in x[..whole].chunks_exact(S::N).zip(y.chunks_exact_mut(S::N)) {
                let e = exp_v(simd, simd.sub(simd.load(x), shift));
                lanes = simd.add(lanes, e);
                if !log {
                    simd.store(y, e);
                }
            }
            if whole < x.len() {
                // Filled up with what has no weight.
                let mut tail = [f32::NEG_INFINITY; MAX_LANES];
                tail[..x.len() - whole].copy_from_slice(&x[whole..]);
                let e = exp_v(simd, simd.sub(simd.load(&tail), shift));
                lanes = simd.add(lanes, e);
                if !log {
                    simd.store_partial(&mut y[whole..], e);
                }
            }
            sum += f64::from(simd.reduce_add(lanes));
        }
        if log {
            let log_sum = sum.ln() as f32;
            for (y, x) in y.iter_mut().zip(x) {
                *y = (x - max) - log_sum;
            }
        } else {
            let scale = (1.0 / sum) as f32;
            for y in y {
                *y *= scale;
            }
        }
    }
}

/// The largest element that is not NaN; what NaN does to a row, its exponential does.
#[inline(always)]
fn row_max<S: Simd>(simd: S, x: &[f32]) -> f32 {
    let mut lanes = simd.splat(f32::NEG_INFINITY);
    let blocks = x.chunks_exact(S::N);
    let tail = blocks.remainder();
    for block in blocks {
        lanes = simd.max(simd.load(block), lanes);
    }
    tail.iter().fold(simd.reduce_max(lanes), |max, &x| if x > max { x } else { max })
}

/// One plane `[extent, inner]`, down its columns.
fn columns(x: &[f32], inner: usize, y: &mut [f32], log: bool) {
    for column in (0..inner).step_by(COLUMNS) {
        let width = COLUMNS.min(inner - column);
        let rows = (column..x.len()).step_by(inner).map(|from| from..from + width);
        let mut max = [f32::NEG_INFINITY; COLUMNS];
        for row in rows.clone() {
            for (max, &x) in max.iter_mut().zip(&x[row]) {
                *max = if x > *max { x } else { *max };
            }
        }
        let (mut sum, mut shifted, mut powers) = ([0.0f64; COLUMNS], [0.0; COLUMNS], [0.0; COLUMNS]);
        for row in rows.clone() {
            for (to, (x, max)) in shifted.iter_mut().zip(x[row.clone()].iter().zip(&max)) {
                *to = x - max;
            }
            exp(&shifted[..width], &mut powers[..width]);
            for (sum, e) in sum.iter_mut().zip(&powers[..width]) {
                *sum += f64::from(*e);
            }
            y[row].copy_from_slice(if log { &shifted[..width] } else { &powers[..width] });
        }
        let last: [f32; COLUMNS] = sum.map(|sum| if log { sum.ln() } else { 1.0 / sum } as f32);
        for row in rows {
            for (y, last) in y[row].iter_mut().zip(&last) {
                *y = if log { *y - last } else { *y * last };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(x: &[f32], extent: usize, inner: usize, log: bool) -> Vec<f64> {
        (0..x.len())
            .map(|i| {
                let (outer, column) = (i / (extent * inner), i % inner);
                let at = |j: usize| f64::from(x[(outer * extent + j) * inner + column]);
                let max = (0..extent).map(at).fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = (0..extent).map(|j| (at(j) - max).exp()).sum();
                let shifted = f64::from(x[i]) - max;
                if log { shifted - sum.ln() } else { shifted.exp() / sum }
            })
            .collect()
    }

    #[test]
    fn agrees_with_the_formula_along_any_axis() {
        for (outer, extent, inner) in [(1, 1, 1), (3, 10, 1), (2, 1000, 1), (1, 1537, 1), (2, 7, 3), (1, 5, 130)] {
            let x: Vec<f32> = (0..outer * extent * inner).map(|i| (i * 7919 % 211) as f32 / 10.0 - 10.0).collect();
            let mut y = vec![0.0; x.len()];
            for log in [false, true] {
                run(&x, extent, inner, &mut y, log);
                for (y, wanted) in y.iter().zip(naive(&x, extent, inner, log)) {
                    assert!(
                        (f64::from(*y) - wanted).abs() <= 3e-7 * wanted.abs().max(0.01),
                        "{extent} {inner}: {y} {wanted}"
                    );
                }
            }
        }
    }

    #[test]
    fn large_arguments_do_not_overflow() {
        let mut y = [0.0; 3];
        log_softmax(&[1e4, 0.0, -1e4], 3, 1, &mut y);
        assert_eq!(y, [0.0, -1e4, -2e4]);
        softmax(&[f32::NEG_INFINITY, 0.0, 0.0], 3, 1, &mut y);
        assert_eq!(y, [0.0, 0.5, 0.5]);
    }

    #[test]
    fn what_has_no_softmax_is_nan() {
        for x in [[f32::NEG_INFINITY; 2], [f32::INFINITY, 0.0], [f32::NAN, 1.0]] {
            for inner in [1, 2] {
                let (mut y, x) = ([0.0; 4], [x[0], x[0], x[1], x[1]]);
                let x = if inner == 1 { [x[0], x[2], x[0], x[2]] } else { x };
                softmax(&x, 2, inner, &mut y);
                assert!(y.iter().all(|y| y.is_nan()), "{x:?}: {y:?}");
            }
        }
    }
}
