//! Against plain loops in f64.

use super::*;
use crate::pool::{set_threads, threads};
use ferrograph_simd::{Level, with_level};

const EPSILON: f64 = 1e-3;

/// Channels last and not, fewer and more than lanes and blocks, one and several chunks with ragged ends.
fn shapes() -> Vec<ChannelShape> {
    [
        (7, 3, 1),
        (1, 1, 1),
        (2000, 3, 1),
        (700, 100, 1),
        (33, 40, 1),
        (20_000, 1, 1),
        (40, 700, 1),
        (3, 5, 4),
        (2, 3, 17_000),
        (5, 2, 33),
    ]
    .map(|(outer, channels, inner)| ChannelShape { outer, channels, inner })
    .to_vec()
}

/// Reproducible numbers between -1 and 1.
fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

fn of_channel(shape: &ChannelShape, channel: usize) -> Vec<usize> {
    (0..shape.len()).filter(|i| i / shape.inner % shape.channels == channel).collect()
}

fn close(got: f32, expected: f64, scale: f64, units: f64) {
    let error = (f64::from(got) - expected).abs() / (scale * f64::from(f32::EPSILON / 2.0));
    assert!(error <= units, "{got} instead of {expected}: {error} units of {scale}");
}

struct Result {
    mean: Vec<f32>,
    variance: Vec<f32>,
    y: Vec<f32>,
    dx: Vec<f32>,
    dgamma: Vec<f32>,
    dbeta: Vec<f32>,
}

fn run(shape: &ChannelShape, x: &[f32], dy: &[f32], gamma: &[f32], beta: &[f32]) -> Result {
    let per_channel = || vec![f32::NAN; shape.channels];
    let [mut mean, mut variance, mut dgamma, mut dbeta] = [0; 4].map(|_| per_channel());
    let [mut y, mut dx] = [0; 2].map(|_| vec![f32::NAN; x.len()]);
    let mut scratch = vec![f32::NAN; shape.scratch_len()];
    statistics(shape, x, &mut mean, &mut variance, &mut scratch);
    let parameters = Parameters { gamma, mean: &mean, variance: &variance, epsilon: EPSILON };
    normalize(shape, x, parameters, beta, &mut y, &mut scratch[..shape.table_len()], None);
    let gradients = Gradients { dx: &mut dx, dgamma: &mut dgamma, dbeta: &mut dbeta };
    gradient(shape, x, parameters, dy, gradients, &mut scratch);
    Result { mean, variance, y, dx, dgamma, dbeta }
}

#[test]
fn all_results_are_those_of_the_loops_in_f64() {
    // Far from zero a two-pass sum in float32 would lose the variance.
    for (shape, offset) in shapes().into_iter().flat_map(|s| [(s, 0.0), (s, 1000.0)]) {
        let x: Vec<f32> = noise(shape.len(), 1).iter().map(|x| x + offset).collect();
        let dy = noise(shape.len(), 2);
        let (gamma, beta) = (noise(shape.channels, 3), noise(shape.channels, 4));
        for level in Level::available() {
            let got = with_level(level, || run(&shape, &x, &dy, &gamma, &beta));
            for c in 0..shape.channels {
                let elements = of_channel(&shape, c);
                let n = elements.len() as f64;
                let average = |f: &dyn Fn(usize) -> f64| elements.iter().map(|&i| f(i)).sum::<f64>() / n;
                let mean = average(&|i| f64::from(x[i]));
                let variance = average(&|i| (f64::from(x[i]) - mean).powi(2));
                close(got.mean[c], mean, 1.0 + f64::from(offset), 1.0);
                close(got.variance[c], variance, 1.0, 4.0);
                // From here on with the rounded mean, as the caller has it.
                let (mean, variance) = (f64::from(got.mean[c]), f64::from(got.variance[c]));
                let factor = 1.0 / (variance + EPSILON).sqrt();
                let z = |i: usize| (f64::from(x[i]) - mean) * factor;
                let (mean_dy, mean_dyz) = (average(&|i| f64::from(dy[i])), average(&|i| f64::from(dy[i]) * z(i)));
                // Each of the n additions rounds a partial sum of up to `in_row` terms of random sign: the root of
                // the sum of the squares of n errors of some sqrt(in_row / 2) / sqrt(3) units, four times over.
                let in_row = (shape.chunk() / shape.lanes()) as f64;
                let walk = (n * in_row.min(n) / 6.0).sqrt().max(1.0);
                close(got.dbeta[c], mean_dy * n, walk, 4.0);
                close(got.dgamma[c], mean_dyz * n, walk * factor.max(1.0), 4.0);
                let gamma = f64::from(gamma[c]);
                for &i in &elements {
                    close(got.y[i], z(i) * gamma + f64::from(beta[c]), factor, 4.0);
                    let dx = gamma * factor * (f64::from(dy[i]) - mean_dy - z(i) * mean_dyz);
                    close(got.dx[i], dx, factor.max(1.0), 8.0);
                }
            }
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let before = threads();
    for shape in shapes() {
        let (x, dy) = (noise(shape.len(), 1), noise(shape.len(), 2));
        let (gamma, beta) = (noise(shape.channels, 3), noise(shape.channels, 4));
        let [one, three] = [1, 3].map(|n| {
            set_threads(n);
            run(&shape, &x, &dy, &gamma, &beta)
        });
        assert_eq!((one.mean, one.variance, one.y), (three.mean, three.variance, three.y));
        assert_eq!((one.dx, one.dgamma, one.dbeta), (three.dx, three.dgamma, three.dbeta));
    }
    set_threads(before);
}

#[test]
fn nothing_has_mean_and_variance_zero() {
    for (outer, channels, inner) in [(0, 2, 1), (0, 2, 5), (3, 2, 0), (3, 0, 1)] {
        let shape = ChannelShape { outer, channels, inner };
        let ones = vec![1.0; channels];
        let got = run(&shape, &[], &[], &ones, &ones);
        let zeros = vec![0.0; channels];
        assert_eq!([got.mean, got.variance, got.dgamma, got.dbeta], [0; 4].map(|_| zeros.clone()));
    }
}

#[test]
fn infinity_and_nan_stay_where_they_belong() {
    let shape = ChannelShape { outer: 2, channels: 2, inner: 1 };
    let x = [f32::INFINITY, 1.0, 0.0, 2.0];
    let mut y = [0.0; 4];
    let parameters = Parameters { gamma: &[1.0; 2], mean: &[0.0; 2], variance: &[1.0; 2], epsilon: 0.0 };
    normalize(&shape, &x, parameters, &[0.0; 2], &mut y, &mut vec![0.0; shape.table_len()], None);
    assert_eq!(y, x);
    let (mut mean, mut variance) = ([0.0; 2], [0.0; 2]);
    let mut scratch = vec![0.0; shape.scratch_len()];
    statistics(&shape, &[f32::NAN, 1.0, 0.0, 2.0], &mut mean, &mut variance, &mut scratch);
    assert!(mean[0].is_nan() && variance[0].is_nan());
    assert_eq!((mean[1], variance[1]), (1.5, 0.25));
}
