//! Softmax and its logarithm along one axis.

use crate::parallel::for_each_chunk;
use crate::vecmath::exp_v;
use ferrograph_simd::{Kernel, Level, Simd};

/// Elements that are worth a task of their own.
const TASK: usize = 1 << 13;
/// Elements whose exponentials are added in float32 before they are added in f64.
const BLOCK: usize = 512;
/// Rows up to this length are worked on side by side.
const SHORT: usize = 32;
/// No instruction set has more lanes in a vector.
const MAX_LANES: usize = 16;
/// The logarithm of the smallest normal float32, 2^-126.
const SMALLEST: f32 = -87.336_54;

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
        level.run(Planes { x, y, extent, inner, log });
    });
}

/// Some planes `[extent, inner]`.
struct Planes<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
    extent: usize,
    inner: usize,
    log: bool,
}

impl Kernel for Planes<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { x, y, extent, inner, log } = self;
        if inner == 1 && extent <= SHORT {
            let rows = x.chunks(extent * MAX_LANES).zip(y.chunks_mut(extent * MAX_LANES));
            rows.for_each(|(x, y)| short_rows(simd, x, extent, y, log));
            return;
        }
        for (x, y) in x.chunks_exact(extent * inner).zip(y.chunks_exact_mut(extent * inner)) {
            if inner == 1 {
                row(simd, x, y, log);
            } else {
                columns(simd, x, inner, y, log);
            }
        }
    }
}

/// At most [`MAX_LANES`] rows of at most [`SHORT`] elements, turned so that each lane has a row.
#[inline(always)]
fn short_rows<S: Simd>(simd: S, x: &[f32], extent: usize, y: &mut [f32], log: bool) {
    let (mut from, mut to) = ([0.0; SHORT * MAX_LANES], [0.0; SHORT * MAX_LANES]);
    for (r, x) in x.chunks_exact(extent).enumerate() {
        for (x, from) in x.iter().zip(from[r..].iter_mut().step_by(MAX_LANES)) {
            *from = *x;
        }
    }
    let len = extent * MAX_LANES;
    columns(simd, &from[..len], MAX_LANES, &mut to[..len], log);
    for (r, y) in y.chunks_exact_mut(extent).enumerate() {
        for (y, to) in y.iter_mut().zip(to[r..].iter().step_by(MAX_LANES)) {
            *y = *to;
        }
    }
}

/// One row.
#[inline(always)]
fn row<S: Simd>(simd: S, x: &[f32], y: &mut [f32], log: bool) {
    let max = row_max(simd, x);
    let shift = simd.splat(max);
    let mut sum = 0.0;
    for (x, y) in x.chunks(BLOCK).zip(y.chunks_mut(BLOCK)) {
        // Vectors that between them have as many lanes as the widest one, so that every instruction set adds alike.
        let mut lanes = [simd.zero(); MAX_LANES];
        let (x_blocks, y_blocks) = (x.chunks_exact(MAX_LANES), y.chunks_exact_mut(MAX_LANES));
        let x_rest = x_blocks.remainder();
        for (x, y) in x_blocks.zip(y_blocks) {
            for group in 0..MAX_LANES / S::N {
                let e = power(simd, simd.sub(simd.load(&x[group * S::N..]), shift));
                lanes[group] = simd.add(lanes[group], e);
                if !log {
                    simd.store(&mut y[group * S::N..], e);
                }
            }
        }
        if !x_rest.is_empty() {
            let mut rest = [0.0; MAX_LANES];
            for (x, rest) in x_rest.chunks(S::N).zip(rest.chunks_exact_mut(S::N)) {
                let e = power(simd, simd.sub(simd.load_partial(x), shift));
                simd.store_partial(&mut rest[..x.len()], e);
            }
            for group in 0..MAX_LANES / S::N {
                lanes[group] = simd.add(lanes[group], simd.load(&rest[group * S::N..]));
            }
            if !log {
                let whole = x.len() - x_rest.len();
                y[whole..].copy_from_slice(&rest[..x_rest.len()]);
            }
        }
        let mut groups = MAX_LANES / S::N;
        while groups > 1 {
            groups /= 2;
            for group in 0..groups {
                lanes[group] = simd.add(lanes[group], lanes[groups + group]);
            }
        }
        sum += f64::from(simd.reduce_add(lanes[0]));
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

/// `exp(x)`, and 0 where that is below the normal numbers: a share so small is nothing beside the largest, and
/// processors take a hundred times as long for it. Masked places, which lie far below, are that case.
#[inline(always)]
fn power<S: Simd>(simd: S, x: S::V) -> S::V {
    let tiny = simd.lt(x, simd.splat(SMALLEST));
    simd.select(tiny, simd.zero(), exp_v(simd, simd.select(tiny, simd.zero(), x)))
}

/// A plane `[extent, inner]`, down its columns.
#[inline(always)]
fn columns<S: Simd>(simd: S, x: &[f32], inner: usize, y: &mut [f32], log: bool) {
    for column in (0..inner).step_by(S::N) {
        let width = S::N.min(inner - column);
        if width == S::N {
            // The usual width, known while compiling.
            some_columns(simd, x, inner, column, S::N, y, log);
        } else {
            some_columns(simd, x, inner, column, width, y, log);
        }
    }
}

/// `width` columns from `column` on.
#[inline(always)]
fn some_columns<S: Simd>(simd: S, x: &[f32], inner: usize, column: usize, width: usize, y: &mut [f32], log: bool) {
    let load = |x: &[f32], at: usize| {
        let x = &x[at..at + width];
        if width == S::N { simd.load(x) } else { simd.load_partial(x) }
    };
    let store = |y: &mut [f32], at: usize, v: S::V| {
        let y = &mut y[at..at + width];
        if width == S::N { simd.store(y, v) } else { simd.store_partial(y, v) }
    };
    let mut max = simd.splat(f32::NEG_INFINITY);
    for at in (column..x.len()).step_by(inner) {
        max = simd.max(load(x, at), max);
    }
    let mut sum = [0.0f64; MAX_LANES];
    for at in (column..x.len()).step_by(inner) {
        let shifted = simd.sub(load(x, at), max);
        let e = power(simd, shifted);
        store(y, at, if log { shifted } else { e });
        let mut lanes = [0.0; MAX_LANES];
        simd.store(&mut lanes, e);
        for (sum, e) in sum.iter_mut().zip(lanes) {
            *sum += f64::from(e);
        }
    }
    let last = simd.load(&sum.map(|sum| if log { sum.ln() } else { 1.0 / sum } as f32));
    for at in (column..x.len()).step_by(inner) {
        let v = load(y, at);
        store(y, at, if log { simd.sub(v, last) } else { simd.mul(v, last) });
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
        for (outer, extent, inner) in [
            (1, 1, 1),
            (3, 10, 1),
            (100, 10, 1),
            (17, 32, 1),
            (5, 33, 1),
            (2, 1000, 1),
            (1, 1537, 1),
            (2, 7, 3),
            (1, 5, 130),
            (1, 200, 16),
        ] {
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
