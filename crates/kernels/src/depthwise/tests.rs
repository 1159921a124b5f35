use super::*;
use crate::conv::tests::{PLAIN, visit};
use crate::testing::{Random, at_thread_counts, bits};
use ferrograph_simd::{Level, with_level};

fn run_forward(shape: &ConvShape, x: &[f32], kernel: &[f32]) -> Vec<f32> {
    let mut y = vec![f32::NAN; shape.y_len()];
    forward(shape, x, kernel, &mut y);
    y
}

fn run_input_gradient(shape: &ConvShape, dy: &[f32], kernel: &[f32]) -> Vec<f32> {
    let mut dx = vec![f32::NAN; shape.x_len()];
    input_gradient(shape, dy, kernel, &mut dx);
    dx
}

fn run_kernel_gradient(shape: &ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
    let mut scratch = vec![f32::NAN; kernel_gradient_scratch_len(shape)];
    let mut dw = vec![f32::NAN; shape.kernel_len()];
    kernel_gradient(shape, x, dy, &mut dw, &mut scratch);
    dw
}

fn check(shape: &ConvShape, random: &mut Random) {
    // Small integers, so that f32 sums are exact in any order.
    let (x, kernel, dy) =
        (random.integers(shape.x_len()), random.integers(shape.kernel_len()), random.integers(shape.y_len()));
    let (mut y, mut dx, mut dw) = (vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; kernel.len()]);
    visit(shape, |i, k, o| {
        y[o] += x[i] * kernel[k];
        dx[i] += dy[o] * kernel[k];
        dw[k] += x[i] * dy[o];
    });
    for level in Level::available() {
        with_level(level, || {
            let name = level.name();
            let same = |what: &str, result: Vec<f32>, expected: &[f32]| {
                assert!(result == expected, "{name} {what} {shape:?}");
            };
            same("forward", at_thread_counts(|| run_forward(shape, &x, &kernel)), &y);
            same("input gradient", at_thread_counts(|| run_input_gradient(shape, &dy, &kernel)), &dx);
            same("kernel gradient", at_thread_counts(|| run_kernel_gradient(shape, &x, &dy)), &dw);
        });
    }
}

fn depthwise(channels: usize, multiplier: usize) -> ConvShape {
    ConvShape { in_channels: channels, out_channels: channels * multiplier, groups: channels.max(1), ..PLAIN }
}

#[test]
fn random_shapes_are_exact() {
    let mut random = Random::new(31);
    for _ in 0..300 {
        let mut pick = |choices: &[usize]| choices[random.below(choices.len())];
        let (channels, multiplier) = (pick(&[1, 3, 8, 16, 17, 35]), pick(&[1, 1, 2, 3]));
        let mut pair = |choices: &[usize]| [pick(choices), pick(choices)];
        let (square, stride) = (pair(&[0, 1])[0] == 0, pair(&[1, 2])[0]);
        let shape = ConvShape {
            kernel: if square { [3, 3] } else { pair(&[1, 2, 3, 5, 7]) },
            stride: if square { [stride; 2] } else { pair(&[1, 2, 3]) },
            dilation: if square { [1, 1] } else { pair(&[1, 1, 2, 3]) },
            padding: [pair(&[0, 1, 1, 2, 7]), pair(&[0, 1, 1, 2, 7])],
            height: pair(&[1, 2, 5, 8, 13])[0],
            width: pair(&[1, 3, 6, 9, 17])[0],
            batch: pair(&[1, 2, 3])[0],
            ..depthwise(channels, multiplier)
        };
        check(&shape, &mut random);
    }
}

#[test]
fn shapes_of_real_networks_are_exact() {
    let mut random = Random::new(32);
    for shape in [
        ConvShape { batch: 3, height: 40, width: 33, ..depthwise(48, 1) },
        ConvShape { batch: 1, height: 41, width: 40, stride: [2, 2], padding: [[0, 1], [0, 1]], ..depthwise(64, 1) },
        ConvShape { batch: 4, height: 14, width: 14, ..depthwise(200, 1) },
        // Several tiles of columns and of channels, the last of which are narrower.
        ConvShape { batch: 1, height: 9, width: 75, ..depthwise(150, 1) },
        ConvShape { batch: 1, height: 9, width: 76, stride: [2, 2], padding: [[1, 1], [1, 1]], ..depthwise(70, 1) },
        ConvShape { batch: 2, height: 30, width: 30, kernel: [5, 5], padding: [[2, 2], [2, 2]], ..depthwise(40, 1) },
    ] {
        check(&shape, &mut random);
    }
}

#[test]
fn empty_shapes() {
    let mut random = Random::new(33);
    for shape in [
        ConvShape { batch: 0, ..depthwise(5, 1) },
        ConvShape { height: 0, ..depthwise(5, 1) },
        ConvShape { height: 0, padding: [[0, 0], [0, 0]], ..depthwise(5, 1) },
        depthwise(0, 1),
        depthwise(4, 0),
        ConvShape { kernel: [20, 3], ..depthwise(5, 2) },
        ConvShape { kernel: [0, 3], ..depthwise(5, 1) },
    ] {
        check(&shape, &mut random);
    }
}

#[test]
fn images_do_not_depend_on_their_neighbours() {
    let mut random = Random::new(34);
    for (channels, multiplier, extent, stride) in [(24, 1, 15, 1), (33, 1, 14, 2), (5, 3, 9, 1)] {
        let shape = ConvShape {
            batch: 5,
            height: extent,
            width: extent,
            stride: [stride, stride],
            ..depthwise(channels, multiplier)
        };
        let alone = ConvShape { batch: 1, ..shape };
        let (x, kernel, dy) =
            (random.normal(shape.x_len()), random.normal(shape.kernel_len()), random.normal(shape.y_len()));
        for level in Level::available() {
            with_level(level, || {
                let y = at_thread_counts(|| run_forward(&shape, &x, &kernel));
                let dx = at_thread_counts(|| run_input_gradient(&shape, &dy, &kernel));
                at_thread_counts(|| run_kernel_gradient(&shape, &x, &dy));
                let images = x.chunks(alone.x_len()).zip(dy.chunks(alone.y_len())).zip(y.chunks(alone.y_len()));
                for (((x, dy), y), dx) in images.zip(dx.chunks(alone.x_len())) {
                    assert_eq!(bits(&run_forward(&alone, x, &kernel)), bits(y));
                    assert_eq!(bits(&run_input_gradient(&alone, dy, &kernel)), bits(dx));
                }
            });
        }
    }
}
