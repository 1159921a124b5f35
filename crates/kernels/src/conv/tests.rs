use super::*;
use crate::gemm::{Bias, BiasRelu};
use crate::testing::{Random, at_thread_counts, bits};
use ferrograph_simd::{Level, with_level};

/// Calls `f(input, kernel, output)` with the offsets of every product of the convolution, by its definition.
pub(crate) fn visit(shape: &ConvShape, mut f: impl FnMut(usize, usize, usize)) {
    let (group_in, group_out) = (shape.group_in(), shape.group_out());
    let source = |axis: usize, o: usize, k: usize, extent: usize| {
        let padded = o * shape.stride[axis] + k * shape.dilation[axis];
        padded.checked_sub(shape.padding[axis][0]).filter(|i| *i < extent)
    };
    let (out_height, out_width) = (shape.out_height(), shape.out_width());
    for n in 0..shape.batch {
        for (oy, ky) in (0..out_height).flat_map(|oy| (0..shape.kernel[0]).map(move |ky| (oy, ky))) {
            let Some(iy) = source(0, oy, ky, shape.height) else { continue };
            for (ox, kx) in (0..out_width).flat_map(|ox| (0..shape.kernel[1]).map(move |kx| (ox, kx))) {
                let Some(ix) = source(1, ox, kx, shape.width) else { continue };
                for (o, c) in (0..shape.out_channels).flat_map(|o| (0..group_in).map(move |c| (o, c))) {
                    f(
                        ((n * shape.height + iy) * shape.width + ix) * shape.in_channels + o / group_out * group_in + c,
                        ((ky * shape.kernel[1] + kx) * group_in + c) * shape.out_channels + o,
                        ((n * out_height + oy) * out_width + ox) * shape.out_channels + o,
                    );
                }
            }
        }
    }
}

pub(super) fn run_forward(shape: &ConvShape, x: &[f32], kernel: &[f32]) -> Vec<f32> {
    let mut packed = vec![f32::NAN; packed_kernel_len(shape)];
    pack_kernel(shape, kernel, &mut packed);
    let (mut y, mut scratch) = (vec![f32::NAN; shape.y_len()], vec![f32::NAN; scratch_len(shape)]);
    forward(shape, x, &packed, &mut y, &mut scratch);
    y
}

pub(super) fn run_input_gradient(shape: &ConvShape, dy: &[f32], kernel: &[f32]) -> Vec<f32> {
    let mut packed = vec![f32::NAN; packed_kernel_for_gradient_len(shape)];
    pack_kernel_for_gradient(shape, kernel, &mut packed);
    let (mut dx, mut scratch) = (vec![f32::NAN; shape.x_len()], vec![f32::NAN; input_gradient_scratch_len(shape)]);
    input_gradient(shape, dy, &packed, &mut dx, &mut scratch);
    dx
}

pub(super) fn run_kernel_gradient(shape: &ConvShape, x: &[f32], dy: &[f32]) -> Vec<f32> {
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
            assert_eq!(at_thread_counts(|| run_forward(shape, &x, &kernel)), y, "{name} forward {shape:?}");
            let result = at_thread_counts(|| run_input_gradient(shape, &dy, &kernel));
            assert_eq!(result, dx, "{name} input gradient {shape:?}");
            let result = at_thread_counts(|| run_kernel_gradient(shape, &x, &dy));
            assert_eq!(result, dw, "{name} kernel gradient {shape:?}");
        });
    }
}

/// Strict, so that only the direct method is tried here.
pub(crate) const PLAIN: ConvShape = ConvShape {
    batch: 2,
    height: 9,
    width: 8,
    in_channels: 3,
    out_channels: 5,
    kernel: [3, 3],
    stride: [1, 1],
    dilation: [1, 1],
    padding: [[1, 1], [1, 1]],
    groups: 1,
    strict: true,
    in_batches: false,
};

#[test]
fn random_shapes_are_exact() {
    let mut random = Random::new(11);
    for _ in 0..250 {
        let mut pick = |choices: &[usize]| choices[random.below(choices.len())];
        let groups = pick(&[1, 1, 1, 2, 3, 4]);
        let mut pair = |choices: &[usize]| [pick(choices), pick(choices)];
        let shape = ConvShape {
            kernel: pair(&[1, 2, 3, 3, 4, 5]),
            stride: pair(&[1, 1, 2, 3]),
            dilation: pair(&[1, 1, 2, 3]),
            padding: [pair(&[0, 1, 1, 2, 7]), pair(&[0, 1, 1, 2, 7])],
            height: pair(&[1, 2, 5, 8, 12])[0],
            width: pair(&[1, 3, 6, 9, 17])[0],
            batch: pair(&[1, 2, 3])[0],
            in_channels: groups * pair(&[1, 2, 3, 7])[0],
            out_channels: groups * pair(&[1, 2, 5, 9, 17, 33])[0],
            groups,
            strict: true,
            in_batches: false,
        };
        check(&shape, &mut random);
    }
}

#[test]
fn shapes_of_real_networks_are_exact() {
    let mut random = Random::new(12);
    let one = [[0, 0], [0, 0]];
    let shapes = [
        // First layers: one and three channels, stride 2.
        ConvShape { batch: 3, height: 28, width: 28, in_channels: 1, out_channels: 32, padding: one, ..PLAIN },
        ConvShape { height: 32, width: 30, out_channels: 16, stride: [2, 2], padding: [[0, 1], [0, 1]], ..PLAIN },
        ConvShape { batch: 1, height: 33, width: 33, out_channels: 8, kernel: [7, 7], stride: [2, 2], ..PLAIN },
        // Enough work for several chunks of images, bands or panels.
        ConvShape { batch: 9, height: 14, width: 14, in_channels: 24, out_channels: 40, ..PLAIN },
        ConvShape { batch: 1, height: 40, width: 40, in_channels: 32, out_channels: 32, ..PLAIN },
        ConvShape { batch: 1, height: 4, width: 4, in_channels: 160, out_channels: 200, ..PLAIN },
        // So much that images are laid out with their padding once for all chunks.
        ConvShape {
            height: 23,
            width: 25,
            in_channels: 64,
            out_channels: 66,
            dilation: [2, 2],
            padding: [[2, 1], [2, 3]],
            ..PLAIN
        },
        // Pointwise, with and without stride; rows and columns only; depthwise; a kernel as large as the image.
        ConvShape { batch: 3, in_channels: 70, out_channels: 65, kernel: [1, 1], padding: one, ..PLAIN },
        ConvShape { in_channels: 20, kernel: [1, 1], stride: [2, 2], padding: one, ..PLAIN },
        ConvShape { height: 1, width: 100, in_channels: 6, kernel: [1, 5], padding: [[0, 0], [4, 0]], ..PLAIN },
        ConvShape { in_channels: 12, out_channels: 12, groups: 12, ..PLAIN },
        ConvShape { kernel: [9, 8], padding: one, ..PLAIN },
    ];
    for shape in &shapes {
        check(shape, &mut random);
    }
}

#[test]
fn empty_shapes() {
    let mut random = Random::new(13);
    let shapes = [
        ConvShape { batch: 0, ..PLAIN },
        ConvShape { height: 0, padding: [[0, 0], [0, 0]], ..PLAIN },
        ConvShape { height: 0, ..PLAIN },
        ConvShape { in_channels: 0, ..PLAIN },
        ConvShape { out_channels: 0, ..PLAIN },
        ConvShape { kernel: [0, 3], ..PLAIN },
        ConvShape { kernel: [20, 3], ..PLAIN },
    ];
    for shape in &shapes {
        check(shape, &mut random);
    }
    let huge = ConvShape { padding: [[usize::MAX, 1], [0, 0]], ..PLAIN };
    assert_eq!(huge.out_height(), 0);
    assert_eq!(ConvShape { stride: [0, 1], ..PLAIN }.out_height(), 0);
}

#[test]
fn images_do_not_depend_on_their_neighbours() {
    let mut random = Random::new(14);
    for (in_channels, out_channels, extent, stride) in [(24, 40, 14, 1), (3, 16, 20, 2), (64, 70, 6, 1)] {
        let shape = ConvShape {
            batch: 5,
            height: extent,
            width: extent,
            in_channels,
            out_channels,
            stride: [stride, stride],
            ..PLAIN
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

#[test]
fn close_to_f64() {
    let mut random = Random::new(15);
    let shape = ConvShape { batch: 3, in_channels: 40, out_channels: 36, ..PLAIN };
    let (x, kernel, dy) =
        (random.normal(shape.x_len()), random.normal(shape.kernel_len()), random.normal(shape.y_len()));
    let (mut y, mut dx, mut dw) = (vec![0f64; dy.len()], vec![0f64; x.len()], vec![0f64; kernel.len()]);
    let wide = |a: f32, b: f32| f64::from(a) * f64::from(b);
    visit(&shape, |i, k, o| {
        y[o] += wide(x[i], kernel[k]);
        dx[i] += wide(dy[o], kernel[k]);
        dw[k] += wide(x[i], dy[o]);
    });
    let close = |result: &[f32], expected: &[f64]| {
        // Sums of up to 360 terms of variance 1; their rounding errors add up like a random walk.
        let worst = result.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-4, "{worst}");
    };
    for level in Level::available() {
        with_level(level, || {
            close(&run_forward(&shape, &x, &kernel), &y);
            close(&run_input_gradient(&shape, &dy, &kernel), &dx);
            close(&run_kernel_gradient(&shape, &x, &dy), &dw);
        });
    }
}

#[test]
fn epilogues_follow_the_channel() {
    let mut random = Random::new(16);
    for groups in [1, 3] {
        let shape = ConvShape { in_channels: 6, out_channels: 39, groups, ..PLAIN };
        let (x, kernel, bias) =
            (random.integers(shape.x_len()), random.integers(shape.kernel_len()), random.integers(39));
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
}

#[test]
fn scratch_for_one_thread_serves_many() {
    let mut random = Random::new(17);
    let shape = ConvShape { batch: 9, height: 14, width: 14, in_channels: 24, out_channels: 40, ..PLAIN };
    let (x, kernel) = (random.integers(shape.x_len()), random.integers(shape.kernel_len()));
    let expected = run_forward(&shape, &x, &kernel);
    let mut packed = vec![0.0; packed_kernel_len(&shape)];
    pack_kernel(&shape, &kernel, &mut packed);
    let full = std::cell::RefCell::new(Vec::new());
    // Called with one thread first.
    let y = at_thread_counts(|| {
        let mut scratch = full.borrow_mut();
        if scratch.is_empty() {
            scratch.resize(scratch_len(&shape), 0.0);
        }
        let mut y = vec![0.0; shape.y_len()];
        forward(&shape, &x, &packed, &mut y, &mut scratch);
        y
    });
    assert_eq!(y, expected);
}

#[test]
fn pooling_while_convolving_keeps_the_bits() {
    let mut random = Random::new(17);
    let thin = ConvShape { in_channels: 1, out_channels: 37, ..PLAIN };
    let deep = ConvShape { in_channels: 35, out_channels: 40, height: 11, width: 13, ..PLAIN };
    let shapes = [
        thin,
        ConvShape { padding: [[0; 2]; 2], height: 28, width: 28, out_channels: 32, batch: 9, ..thin },
        ConvShape { padding: [[1, 0], [2, 1]], height: 130, width: 75, ..thin },
        ConvShape { stride: [2, 3], dilation: [1, 2], height: 17, width: 31, ..thin },
        ConvShape { height: 2, width: 3, batch: 1, ..thin },
        deep,
        ConvShape { strict: false, ..deep },
        ConvShape { strict: false, height: 10, width: 12, batch: 7, ..deep },
    ];
    for shape in shapes {
        let mut x = random.normal(shape.x_len());
        let at = x.len() / 3;
        x[at] = f32::NAN;
        let (kernel, bias) = (random.normal(shape.kernel_len()), random.normal(shape.out_channels));
        let clamped = crate::elementwise::Clamped { bias: &bias, low: 0.0, high: 2.0 };
        let input = [shape.out_height(), shape.out_width()];
        let windows = crate::pooling::PoolShape {
            batch: shape.batch,
            input,
            output: input.map(|extent| extent / 2),
            channels: shape.out_channels,
            size: [2; 2],
            strides: [2; 2],
            before: [0; 2],
        };
        for level in Level::available() {
            with_level(level, || {
                let mut packed = vec![f32::NAN; packed_kernel_len(&shape)];
                pack_kernel(&shape, &kernel, &mut packed);
                let (mut whole, mut expected) = (vec![f32::NAN; shape.y_len()], vec![f32::NAN; windows.output_len()]);
                forward_with(&shape, &x, &packed, &mut whole, &mut vec![f32::NAN; scratch_len(&shape)], clamped);
                crate::pooling::max_forward(&windows, &whole, &mut expected);
                let received = at_thread_counts(|| {
                    let mut y = vec![f32::INFINITY; expected.len()];
                    let mut scratch = vec![f32::NAN; pooled_scratch_len(&shape).unwrap()];
                    forward_pooled(&shape, &x, &packed, &mut y, &mut scratch, clamped);
                    y
                });
                assert_eq!(bits(&received), bits(&expected), "{} {shape:?}", level.name());
            });
        }
    }
    assert_eq!(pooled_scratch_len(&PLAIN), None);
}
