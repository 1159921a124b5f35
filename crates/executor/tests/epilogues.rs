//! A loop inside the step before it gives the bits that it gives after the step.

mod common;

use Function::{Add, Multiply, Negative, Root};
use common::{check, data, float, map, to_tensor};
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Reference, ValueId};
use ferrograph_tensor::Tensor;
use ferrograph_testkit::toy::{Function, MatMul, Rename, Total};

fn matmul(with_epilogue: bool) -> MatMul {
    MatMul { with_epilogue, ..MatMul::default() }
}

/// Builds a graph on the product of `[m, k]` and `[k, n]`, checks it, and says whether a loop went inside the product.
fn joins(
    [m, k, n]: [usize; 3],
    build: impl Fn(&mut Graph, ValueId, &mut dyn FnMut(&mut Graph, &[usize]) -> ValueId) -> Vec<ValueId>,
) -> bool {
    let run = |with_epilogue: bool| {
        let mut graph = Graph::new();
        let mut inputs: Vec<Reference> = vec![data(&[m, k], 1), data(&[k, n], 2)];
        let (x, w) = (graph.input(float(&[m, k])), graph.input(float(&[k, n])));
        let y = graph.apply(matmul(with_epilogue), &[x, w]).unwrap();
        let mut input = |graph: &mut Graph, shape: &[usize]| {
            inputs.push(data(shape, inputs.len() as u64 + 1));
            graph.input(float(shape))
        };
        let outputs = build(&mut graph, y, &mut input);
        let program = check(&graph, &inputs, &outputs);
        let shapes: Vec<Vec<usize>> = inputs.iter().map(|input| input.shape.clone()).collect();
        let tensors: Vec<Tensor> = inputs.iter().map(to_tensor).collect();
        let bits: Vec<Vec<u8>> =
            program.run(&tensors, None).unwrap().iter().map(|y| y.buffer().bytes().to_vec()).collect();
        (bits, program.describe(&shapes).unwrap())
    };
    let (apart, together) = (run(false), run(true));
    assert_eq!(apart.0, together.0, "{}", together.1);
    assert!(!apart.1.contains("matmul +"), "{}", apart.1);
    together.1.contains("matmul +")
}

#[test]
fn operands_of_every_shape() {
    for extents in [[5, 3, 7], [1, 1, 1], [64, 2, 300], [300, 2, 50]] {
        let [m, _, n] = extents;
        let shapes: [&[usize]; 6] = [&[n], &[m, 1], &[], &[1, n], &[m, n], &[1, 1]];
        for shape in shapes {
            assert!(joins(extents, |graph, y, input| {
                let b = input(graph, shape);
                let sum = map(graph, Add, &[y, b]);
                vec![map(graph, Root, &[sum])]
            }));
        }
    }
}

#[test]
fn chains_that_read_the_product_again_and_other_values() {
    assert!(joins([9, 4, 6], |graph, y, input| {
        let (bias, other) = (input(graph, &[6]), input(graph, &[9, 6]));
        // Does not depend on the product, but is in its loop.
        let apart = map(graph, Root, &[other]);
        let sum = map(graph, Add, &[y, bias]);
        let root = map(graph, Root, &[sum]);
        let product = map(graph, Multiply, &[root, y]);
        let negative = map(graph, Negative, &[apart]);
        vec![map(graph, Add, &[product, negative])]
    }));
}

#[test]
fn products_that_somebody_else_reads_stay_apart() {
    let extents = [6, 4, 5];
    assert!(!joins(extents, |graph, y, _| vec![map(graph, Root, &[y]), y]), "an output");
    assert!(
        !joins(extents, |graph, y, _| {
            let total = graph.apply(Total { like: false }, &[y]).unwrap();
            vec![map(graph, Root, &[y]), total]
        }),
        "another step"
    );
    assert!(
        !joins(extents, |graph, y, _| {
            let root = map(graph, Root, &[y]);
            vec![map(graph, Negative, &[root]), root]
        }),
        "two results"
    );
    assert!(
        !joins([1, 4, 5], |graph, y, input| {
            let more = input(graph, &[3, 5]);
            vec![map(graph, Add, &[y, more])]
        }),
        "a larger result"
    );
    assert!(!joins(extents, |graph, y, _| vec![graph.apply(Rename {}, &[y]).unwrap()]), "no loop at all");
}

#[test]
fn one_loop_goes_into_one_product() {
    let mut graph = Graph::new();
    let (x, w) = (graph.input(float(&[8, 4])), graph.input(float(&[4, 3])));
    let v = graph.input(float(&[4, 3]));
    let a = graph.apply(matmul(true), &[x, w]).unwrap();
    let b = graph.apply(matmul(true), &[x, v]).unwrap();
    let sum = map(&mut graph, Add, &[a, b]);
    let root = map(&mut graph, Root, &[sum]);
    let program = check(&graph, &[data(&[8, 4], 1), data(&[4, 3], 2), data(&[4, 3], 3)], &[root]);
    let text = program.describe(&[vec![8, 4], vec![4, 3], vec![4, 3]]).unwrap();
    assert_eq!((text.matches("matmul +").count(), text.matches("matmul(").count()), (1, 1), "{text}");
}

#[test]
fn weights_stay_prepared_and_nothing_is_too_small() {
    let w = common::variable("w", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let mut graph = Graph::new();
    let x = graph.input(ferrograph_graph::TensorType::new(ferrograph_tensor::DType::Float32, [None, Some(2)]));
    let vw = graph.variable(&w);
    let y = graph.apply(matmul(true), &[x, vw]).unwrap();
    let y = map(&mut graph, Negative, &[y]);
    let program = Program::new(&graph, &[y], &[]).unwrap();
    for rows in [0, 1, 3] {
        common::compare(&program, &graph, &[data(&[rows, 2], 4)], &[y]);
    }
}
