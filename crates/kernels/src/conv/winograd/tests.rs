use super::*;
use crate::conv::tests::{PLAIN, run_forward, run_input_gradient, run_kernel_gradient, visit};
use crate::conv::{forward_with, pack_kernel, packed_kernel_len, scratch_len};
use crate::gemm::{Bias, BiasRelu};
use crate::testing::{Random, at_thread_counts, bits};
use ferrograph_simd::{Level, with_level};

const ALLOWED: ConvShape = ConvShape { strict: false, ..PLAIN };

/// Largest error over root mean square. Measured with these points on random data: up to 1.8e-5 forward at 512 channels
/// and 1.2e-5 for the gradient of the kernel, where a plain sum in f32 has 0.9e-5 and 1.8e-5.
const BOUND: f64 = 2.5e-5;
/// The same with small tiles: up to 3.8e-6 forward at 512 channels. The gradient of the kernel is then a plain sum.
const SMALL_BOUND: f64 = 5e-6;
const PLAIN_BOUND: f64 = 1.8e-5;

/// The method for the output of a shape.
fn method(shape: &ConvShape) -> Option<&'static str> {
    let axes = [0, 1].map(|axis| Axis::forward(shape, axis));
    let [depth, width] = [shape.in_channels, shape.out_channels];
    Winograd::of(shape, [&axes[0], &axes[1]], depth, width, !shape.in_batches).map(|winograd| winograd.name())
}

fn assert_close(what: &str, shape: &ConvShape, result: &[f32], expected: &[f64], bound: f64) {
    assert_eq!(result.len(), expected.len());
    let rms = (expected.iter().map(|x| x * x).sum::<f64>() / expected.len() as f64).sqrt();
    let worst = result.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max) / rms;
    // `>=` would let NaN pass.
    assert!(worst < bound, "{what}: {worst:e} {shape:?}");
}

fn check(shape: &ConvShape, random: &mut Random) {
    let name = method(shape).unwrap_or_else(|| panic!("{shape:?}"));
    let [bound, of_kernel] = if name == "Winograd 4x4" { [BOUND, BOUND] } else { [SMALL_BOUND, PLAIN_BOUND] };
    let (x, kernel, dy) =
        (random.normal(shape.x_len()), random.normal(shape.kernel_len()), random.normal(shape.y_len()));
    let (mut y, mut dx, mut dw) = (vec![0f64; dy.len()], vec![0f64; x.len()], vec![0f64; kernel.len()]);
    let wide = |a: f32, b: f32| f64::from(a) * f64::from(b);
    visit(shape, |i, k, o| {
        y[o] += wide(x[i], kernel[k]);
        dx[i] += wide(dy[o], kernel[k]);
        dw[k] += wide(x[i], dy[o]);
    });
    for level in Level::available() {
        with_level(level, || {
            let name = level.name();
            let result = at_thread_counts(|| run_forward(shape, &x, &kernel));
            assert_close(&format!("{name} forward"), shape, &result, &y, bound);
            let result = at_thread_counts(|| run_input_gradient(shape, &dy, &kernel));
            assert_close(&format!("{name} input gradient"), shape, &result, &dx, bound);
            let result = at_thread_counts(|| run_kernel_gradient(shape, &x, &dy));
            assert_close(&format!("{name} kernel gradient"), shape, &result, &dw, of_kernel);
        });
    }
}

#[test]
fn random_shapes_are_close_to_f64() {
    let mut random = Random::new(21);
    let mut tried = 0;
    while tried < 40 {
        let mut pick = |choices: &[usize]| choices[random.below(choices.len())];
        let mut pair = |choices: &[usize]| [pick(choices), pick(choices)];
        let shape = ConvShape {
            padding: [pair(&[0, 1, 1, 2, 5]), pair(&[0, 1, 1, 2, 5])],
            height: pair(&[3, 5, 6, 7, 8, 11, 13])[0],
            width: pair(&[4, 6, 7, 9, 10, 16])[0],
            batch: pair(&[1, 2, 3])[0],
            in_channels: pair(&[32, 33, 40, 47])[0],
            out_channels: pair(&[32, 35, 48, 50, 65])[0],
            strict: pair(&[0, 1])[0] == 1,
            ..ALLOWED
        };
        if method(&shape).is_some() {
            check(&shape, &mut random);
            tried += 1;
        }
    }
}

#[test]
fn deep_and_wide_shapes_are_close_to_f64() {
    let mut random = Random::new(22);
    let shapes = [
        ConvShape { batch: 1, height: 14, width: 14, in_channels: 256, out_channels: 256, ..ALLOWED },
        ConvShape { batch: 2, height: 8, width: 8, in_channels: 512, out_channels: 40, ..ALLOWED },
        ConvShape { batch: 2, height: 8, width: 7, in_channels: 36, out_channels: 520, ..ALLOWED },
        ConvShape { batch: 1, height: 9, width: 8, in_channels: 300, out_channels: 290, ..ALLOWED },
        ConvShape { batch: 2, height: 8, width: 8, in_channels: 512, out_channels: 40, strict: true, ..ALLOWED },
        // Several blocks of tiles in the gradient of the kernel.
        ConvShape { batch: 6, height: 30, width: 30, in_channels: 32, out_channels: 32, ..ALLOWED },
    ];
    for shape in &shapes {
        check(shape, &mut random);
    }
}

#[test]
fn images_do_not_depend_on_their_neighbours() {
    let mut random = Random::new(23);
    for (in_channels, out_channels, extent, strict) in
        [(32, 40, 9, false), (70, 33, 16, false), (128, 128, 7, false), (32, 40, 9, true), (128, 128, 7, true)]
    {
        let shape = ConvShape { batch: 7, height: extent, width: extent, in_channels, out_channels, strict, ..ALLOWED };
        let alone = ConvShape { batch: 1, ..shape };
        let (x, kernel, dy) =
            (random.normal(shape.x_len()), random.normal(shape.kernel_len()), random.normal(shape.y_len()));
        for level in Level::available() {
            with_level(level, || {
                let y = at_thread_counts(|| run_forward(&shape, &x, &kernel));
                let dx = at_thread_counts(|| run_input_gradient(&shape, &dy, &kernel));
                let images = x.chunks(alone.x_len()).zip(dy.chunks(alone.y_len())).zip(y.chunks(alone.y_len()));
                for (((x, dy), y), dx) in images.zip(dx.chunks(alone.x_len())) {
                    assert_eq!(bits(&run_forward(&alone, x, &kernel)), bits(y));
                    assert_eq!(bits(&run_input_gradient(&alone, dy, &kernel)), bits(dx));
                }
            });
        }
    }
}

#[test]
fn epilogues_follow_the_channel() {
    let mut random = Random::new(24);
    let shape = ConvShape { in_channels: 32, out_channels: 39, ..ALLOWED };
    let (x, kernel, bias) = (random.normal(shape.x_len()), random.normal(shape.kernel_len()), random.normal(39));
    let plain = run_forward(&shape, &x, &kernel);
    let mut packed = vec![0.0; packed_kernel_len(&shape)];
    pack_kernel(&shape, &kernel, &mut packed);
    let mut scratch = vec![0.0; scratch_len(&shape)];
    let (mut biased, mut rectified) = (plain.clone(), plain.clone());
    forward_with(&shape, &x, &packed, &mut biased, &mut scratch, Bias(&bias));
    forward_with(&shape, &x, &packed, &mut rectified, &mut scratch, BiasRelu(&bias));
    for (i, plain) in plain.into_iter().enumerate() {
        assert_eq!(biased[i], plain + bias[i % 39]);
        assert_eq!(rectified[i], biased[i].max(0.0));
    }
}

#[test]
fn shapes_choose_the_method() {
    let fits = ConvShape { in_channels: 64, out_channels: 64, ..ALLOWED };
    let large = [
        fits,
        ConvShape { height: 8, width: 8, in_channels: 128, out_channels: 128, ..fits },
        ConvShape { batch: 100, ..fits },
        ConvShape { batch: 0, ..fits },
        // A large kernel for few tiles of an image, but many images.
        ConvShape { height: 8, width: 8, in_channels: 128, out_channels: 256, in_batches: true, ..fits },
    ];
    let small = [
        ConvShape { strict: true, ..fits },
        // Their kernels are too large for large tiles.
        ConvShape { in_channels: 257, out_channels: 256, ..fits },
        ConvShape { in_channels: 512, out_channels: 512, ..fits },
        // The image has few tiles for so large a kernel.
        ConvShape { height: 8, width: 8, in_channels: 128, out_channels: 256, ..fits },
        // Of large tiles, there would be too few or less than half of them is wanted.
        ConvShape { height: 4, ..fits },
        ConvShape { height: 5, width: 5, ..fits },
    ];
    let direct = [
        ConvShape { kernel: [3, 5], ..fits },
        ConvShape { stride: [1, 2], ..fits },
        ConvShape { dilation: [2, 1], ..fits },
        ConvShape { groups: 2, ..fits },
        ConvShape { in_channels: 31, ..fits },
        ConvShape { out_channels: 3, ..fits },
        ConvShape { in_channels: 1024, out_channels: 512, ..fits },
        ConvShape { height: 2, width: 4, ..fits },
        ConvShape { height: 0, ..fits },
    ];
    let groups = [(Some("Winograd 4x4"), &large[..]), (Some("Winograd 2x2"), &small), (None, &direct)];
    for (expected, shape) in
        groups.iter().flat_map(|(expected, shapes)| shapes.iter().map(move |shape| (*expected, *shape)))
    {
        assert_eq!(method(&shape), expected, "{shape:?}");
        assert_eq!(method(&ConvShape { batch: 100, ..shape }), expected, "{shape:?}");
    }
}
