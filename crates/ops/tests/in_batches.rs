//! A program that trains takes the kernels that are worth it for many images; one that predicts those for a single image.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, TensorType, Variable};
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor, View};
use std::slice::from_ref;
use std::sync::Arc;

/// Numbers between -1 and 1 that repeat after a while.
fn data(shape: &[usize], seed: usize) -> Tensor {
    let count = shape.iter().product::<usize>();
    let elements: Vec<f32> = (seed..seed + count).map(|at| ((at * 7919) % 2003) as f32 / 1001.5 - 1.0).collect();
    Tensor::new(DType::Float32, shape, View::F32(&elements)).unwrap()
}

#[test]
fn large_kernels_over_few_tiles() {
    let x = data(&[2, 8, 8, 128], 1);
    let kernel = Arc::new(Variable::new("kernel", data(&[3, 3, 128, 256], 2)));
    let largest = Arc::new(Variable::new("largest", data(&[], 3)));
    let mut graph = Graph::new();
    let input = graph.input(TensorType::known(DType::Float32, x.shape()));
    let operands = [input, graph.variable(&kernel)];
    let y = graph.emit(create_op("conv2d", r#"{"padding":"same"}"#).unwrap(), &operands).unwrap()[0];
    let max = graph.emit(create_op("max", "{}").unwrap(), &[y]).unwrap()[0];

    let predicts = Program::new(&graph, &[y], &[]).unwrap();
    let trains = Program::new(&graph, &[y], &[(largest, max)]).unwrap();
    let shapes = [x.shape().to_vec()];
    assert!(predicts.describe(&shapes).unwrap().contains("Winograd 2x2"));
    assert!(trains.describe(&shapes).unwrap().contains("Winograd 4x4"));

    let [predicted, trained] = [&predicts, &trains].map(|program| program.run(from_ref(&x), None).unwrap().remove(0));
    let pairs = || predicted.view().f32().iter().zip(trained.view().f32()).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    let rms = (pairs().map(|(a, _)| a * a).sum::<f64>() / pairs().count() as f64).sqrt();
    let worst = pairs().map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / rms;
    assert!(worst > 0.0 && worst < 3e-5, "{worst:e}");
}
