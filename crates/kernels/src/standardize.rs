//! Rows brought to mean 0 and variance 1, and the gradient of that.
//!
//! Sums are taken in float32 over blocks of fixed length and joined in f64, in an order that depends on the length of the
//! row alone, and on every instruction set alike.

use crate::parallel::{for_each_chunk, for_each_chunk2};
use ferrograph_simd::{Kernel, Level, Simd};

/// Elements that are worth a task of their own.
const TASK: usize = 1 << 14;
/// Elements that are added in float32 before they are added in f64.
const BLOCK: usize = 512;
/// Sums that are taken side by side, element `i` of a block in sum `i % LANES`, and joined by halves: enough to hide the
/// latency of an addition.
const LANES: usize = 64;
/// No instruction set has fewer lanes in a vector.
const MIN_LANES: usize = 4;
/// No instruction set has more.
const MAX_LANES: usize = 16;

/// For rows `x` of `n` elements: `z = (x - mean) * r` with `r = 1 / sqrt(variance + epsilon)`, one `r` for each row; the
/// variance is the biased one.
pub fn standardize(x: &[f32], n: usize, epsilon: f64, z: &mut [f32], r: &mut [f32]) {
    assert_eq!((x.len(), x.len()), (z.len(), r.len() * n));
    let rows = (TASK / n.max(1)).max(1);
    let level = Level::current();
    for_each_chunk2(z, rows * n.max(1), r, rows, |index, z, r| {
        level.run(Forward { x: &x[index * rows * n..][..z.len()], n, epsilon, z, r });
    });
}

/// The gradient of `x` from that of `z`: `dx = r * (dz - mean(dz) - z * mean(dz * z))`.
pub fn standardize_gradient(z: &[f32], r: &[f32], dz: &[f32], n: usize, dx: &mut [f32]) {
    assert_eq!((z.len(), dz.len(), r.len() * n), (dx.len(), dx.len(), dx.len()));
    let rows = (TASK / n.max(1)).max(1);
    let level = Level::current();
    for_each_chunk(dx, rows * n.max(1), |index, dx| {
        let start = index * rows * n;
        let (z, dz) = (&z[start..][..dx.len()], &dz[start..][..dx.len()]);
        level.run(Backward { z, r: &r[index * rows..][..dx.len() / n], dz, n, dx });
    });
}

struct Forward<'a> {
    x: &'a [f32],
    n: usize,
    epsilon: f64,
    z: &'a mut [f32],
    r: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { x, n, epsilon, z, r } = self;
        for ((x, z), r) in x.chunks_exact(n).zip(z.chunks_exact_mut(n)).zip(r) {
            let mean = (sum(simd, n, |i| simd.load(&x[i..]), |i| x[i]) / n as f64) as f32;
            let shift = simd.splat(mean);
            // What rounding took from the mean, which is much where the row is far from 0.
            let apart = |i: usize| simd.sub(simd.load(&x[i..]), shift);
            let rest = (sum(simd, n, apart, |i| x[i] - mean) / n as f64) as f32;
            let left = simd.splat(rest);
            let square = |i: usize| {
                let apart = simd.sub(apart(i), left);
                simd.mul(apart, apart)
            };
            let one_square = |i: usize| ((x[i] - mean) - rest) * ((x[i] - mean) - rest);
            let variance = sum(simd, n, square, one_square) / n as f64;
            *r = (1.0 / (variance + epsilon).sqrt()) as f32;
            let scale = simd.splat(*r);
            let whole = whole::<S>(n);
            for i in (0..whole).step_by(S::N) {
                simd.store(&mut z[i..], simd.mul(simd.sub(apart(i), left), scale));
            }
            for i in whole..n {
                z[i] = ((x[i] - mean) - rest) * *r;
            }
        }
    }
}

struct Backward<'a> {
    z: &'a [f32],
    r: &'a [f32],
    dz: &'a [f32],
    n: usize,
    dx: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { z, r, dz, n, dx } = self;
        let rows = z.chunks_exact(n).zip(dz.chunks_exact(n)).zip(dx.chunks_exact_mut(n));
        for (((z, dz), dx), r) in rows.zip(r) {
            let mean = (sum(simd, n, |i| simd.load(&dz[i..]), |i| dz[i]) / n as f64) as f32;
            let product = |i: usize| simd.mul(simd.load(&dz[i..]), simd.load(&z[i..]));
            let slope = (sum(simd, n, product, |i| dz[i] * z[i]) / n as f64) as f32;
            let (shift, along, scale) = (simd.splat(mean), simd.splat(slope), simd.splat(*r));
            let whole = whole::<S>(n);
            for i in (0..whole).step_by(S::N) {
                let apart = simd.sub(simd.load(&dz[i..]), shift);
                let rest = simd.sub(apart, simd.mul(simd.load(&z[i..]), along));
                simd.store(&mut dx[i..], simd.mul(rest, scale));
            }
            for i in whole..n {
                dx[i] = (dz[i] - mean - z[i] * slope) * r;
            }
        }
    }
}

/// The sum of `len` elements, of which `many` gives a vector from an index on and `one` a single one.
#[inline(always)]
fn sum<S: Simd>(simd: S, len: usize, many: impl Fn(usize) -> S::V, one: impl Fn(usize) -> f32) -> f64 {
    let vectors = LANES / S::N;
    let whole = whole::<S>(len);
    let mut total = 0.0;
    for start in (0..whole).step_by(BLOCK) {
        let end = whole.min(start + BLOCK);
        let mut lanes = [simd.zero(); LANES / MIN_LANES];
        let mut at = start;
        while at + LANES <= end {
            for (lane, at) in lanes[..vectors].iter_mut().zip((at..).step_by(S::N)) {
                *lane = simd.add(*lane, many(at));
            }
            at += LANES;
        }
        for (lane, at) in lanes.iter_mut().zip((at..end).step_by(S::N)) {
            *lane = simd.add(*lane, many(at));
        }
        let mut width = vectors / 2;
        while width > 0 {
            for i in 0..width {
                lanes[i] = simd.add(lanes[i], lanes[i + width]);
            }
            width /= 2;
        }
        total += f64::from(simd.reduce_add(lanes[0]));
    }
    (whole..len).fold(total, |total, i| total + f64::from(one(i)))
}

/// How many of `len` elements are worked on in vectors: the same on every instruction set.
#[inline(always)]
fn whole<S: Simd>(len: usize) -> usize {
    const { assert!(S::N >= MIN_LANES && MAX_LANES.is_multiple_of(S::N)) };
    len / MAX_LANES * MAX_LANES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Random, at_thread_counts, bits};
    use ferrograph_simd::with_level;

    #[test]
    fn agrees_with_the_formula() {
        let mut random = Random::new(1);
        for (rows, n) in [(1, 1), (3, 5), (2, 16), (5, 67), (3, 512), (2, 1100), (300, 130)] {
            // Far from 0, so that a variance from the mean square would be lost.
            let x: Vec<f32> = random.normal(rows * n).into_iter().map(|x| x + 100.0).collect();
            let dz = random.normal(rows * n);
            let mut first = None;
            for level in Level::available() {
                let mut r = vec![0.0; rows];
                let z = with_level(level, || {
                    at_thread_counts(|| {
                        let (mut z, mut r) = (vec![0.0; x.len()], vec![0.0; rows]);
                        standardize(&x, n, 1e-3, &mut z, &mut r);
                        [z, r].concat()
                    })
                });
                r.copy_from_slice(&z[rows * n..]);
                let dx = with_level(level, || {
                    at_thread_counts(|| {
                        let mut dx = vec![0.0; x.len()];
                        standardize_gradient(&z[..rows * n], &r, &dz, n, &mut dx);
                        dx
                    })
                });
                assert_eq!(bits(&dx), *first.get_or_insert_with(|| bits(&dx)), "{} differs", level.name());
                for row in 0..rows {
                    let place = |i: usize| row * n + i;
                    let mean_of = |f: &dyn Fn(usize) -> f64| (0..n).map(|i| f(place(i))).sum::<f64>() / n as f64;
                    let mean = mean_of(&|i| f64::from(x[i]));
                    let variance = mean_of(&|i| (f64::from(x[i]) - mean).powi(2));
                    let scale = 1.0 / (variance + 1e-3).sqrt();
                    let wanted_z = |i: usize| (f64::from(x[i]) - mean) * scale;
                    let of_dz = mean_of(&|i| f64::from(dz[i]));
                    let of_both = mean_of(&|i| f64::from(dz[i]) * wanted_z(i));
                    for i in (0..n).map(place) {
                        assert!((f64::from(z[i]) - wanted_z(i)).abs() < 2e-6 * scale.max(1.0), "{rows} {n}");
                        let wanted = scale * (f64::from(dz[i]) - of_dz - wanted_z(i) * of_both);
                        assert!((f64::from(dx[i]) - wanted).abs() < 1e-5 * scale.max(1.0).powi(2), "{rows} {n}");
                    }
                }
            }
        }
    }

    #[test]
    fn rows_of_nothing() {
        standardize(&[], 0, 1e-3, &mut [], &mut []);
        standardize_gradient(&[], &[], &[], 3, &mut []);
    }
}
