//! How far convolutions by Winograd's method are from exact sums.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Operand, Reference, TensorType};
use ferrograph_ops::create_op;
use ferrograph_simd::{Level, with_level};
use ferrograph_tensor::DType;
use ferrograph_testkit::{evaluate, fill, from_tensor, to_tensor};

/// Channels, and the largest errors over the root mean square of the results that were measured on random data: with
/// F(4x4, 3x3) on points 0, ±3/4, ±3/2 and infinity, and with F(2x2, 3x3) on 0, ±1 and infinity, which is `strict`. Plain
/// sums in float32 have 3.2e-6, 6.7e-6, 6.6e-6 and 9.0e-6.
const MEASURED: [(usize, f64, f64); 4] =
    [(64, 4.5e-6, 1.1e-6), (128, 7.8e-6, 2.0e-6), (256, 1.2e-5, 2.5e-6), (512, 1.8e-5, 3.8e-6)];
/// The same of the gradient of the kernel, for up to some thousand positions.
const MEASURED_GRADIENT: f64 = 1.2e-5;
/// What the luck of other data, and of more results, may add to a largest error.
const FACTOR: f64 = 2.0;

/// The op's results on every instruction set: the largest error over the root mean square, and the elements.
fn errors(name: &str, attributes: &str, operands: &[&Reference]) -> Vec<(&'static str, f64, Vec<f64>)> {
    let mut graph = Graph::new();
    let ids: Vec<_> = operands.iter().map(|o| graph.input(TensorType::known(o.dtype, &o.shape))).collect();
    let results = graph.emit(create_op(name, attributes).unwrap(), &ids).unwrap();
    let operands: Vec<Reference> = operands.iter().map(|&operand| operand.clone()).collect();
    let exact = evaluate(&graph, &operands, &results).remove(0).data;
    let deviation = (exact.iter().map(|x| x * x).sum::<f64>() / exact.len() as f64).sqrt();
    let inputs: Vec<_> = operands.iter().map(to_tensor).collect();
    let levels = Level::available().into_iter().map(|level| {
        let run = || Program::new(&graph, &results, &[]).unwrap().run(&inputs, None).unwrap().remove(0);
        let received = from_tensor(&with_level(level, run)).data;
        let largest = received.iter().zip(&exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        (level.name(), largest / deviation, received)
    });
    levels.collect()
}

/// Holds an op against its bounds, fast and strict, and asserts that these are not the same way.
fn check(name: &str, operands: &[&Reference], fast: f64, strict: f64) {
    let [by_winograd, plain] = [(false, fast), (true, strict)].map(|(strict, bound)| {
        let results = errors(name, &format!(r#"{{"padding":"same","strict":{strict}}}"#), operands);
        for (level, error, _) in &results {
            let shapes: Vec<_> = operands.iter().map(|operand| &operand.shape).collect();
            println!("{name} {shapes:?} strict {strict} on {level}: {error:.1e} of {bound:.1e}");
            assert!(*error < bound, "{name} {shapes:?} strict {strict} on {level}: {error:e}");
        }
        results
    });
    for ((level, _, fast), (_, _, strict)) in by_winograd.iter().zip(&plain) {
        assert_ne!(fast, strict, "{name} on {level}");
    }
}

#[test]
fn errors_are_those_measured() {
    for (channels, fast, strict) in MEASURED {
        let filters = 40;
        let of = |shape: &[usize], what: &str| fill(&Operand::normal(shape), &format!("{what} {channels}"));
        let kernel = of(&[3, 3, channels, filters], "kernel");
        let (x, y) = ([1, 14, 14, channels], [1, 14, 14, filters]);
        check("conv2d", &[&of(&x, "x"), &kernel], FACTOR * fast, FACTOR * strict);
        // The gradient of the input is a convolution with as many sums as there are filters.
        let (swapped, dy) = (of(&[3, 3, filters, channels], "swapped"), of(&x, "dy"));
        let like = Reference::new(DType::Float32, &y, vec![0.0; y.iter().product()]);
        check("conv2d_input_gradient", &[&dy, &swapped, &like], FACTOR * fast, FACTOR * strict);
    }
}

#[test]
fn errors_of_the_gradient_of_the_kernel_are_those_measured() {
    for (channels, batch, extent) in [(64, 8, 16), (128, 4, 16), (256, 4, 16)] {
        let filters = 40;
        let of = |shape: &[usize], what: &str| fill(&Operand::normal(shape), &format!("{what} {channels}"));
        let (x, dy) = (of(&[batch, extent, extent, channels], "x"), of(&[batch, extent, extent, filters], "dy"));
        let kernel = [3, 3, channels, filters];
        let like = Reference::new(DType::Float32, &kernel, vec![0.0; kernel.iter().product()]);
        let bound = FACTOR * MEASURED_GRADIENT;
        check("conv2d_kernel_gradient", &[&x, &dy, &like], bound, bound);
    }
}
