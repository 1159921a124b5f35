//! Convolutions that hand each other rows give the bits that they give one after another.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, TensorType, ValueId, Variable};
use ferrograph_kernels::pool;
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor, View};
use std::sync::Arc;

/// Numbers between -1 and 1 that repeat after a while.
fn tensor(shape: &[usize], seed: usize) -> Tensor {
    let count = shape.iter().product::<usize>();
    let elements: Vec<f32> = (seed..seed + count).map(|at| ((at * 7919) % 2003) as f32 / 1001.5 - 1.0).collect();
    Tensor::new(DType::Float32, shape, View::F32(&elements)).unwrap()
}

fn apply(graph: &mut Graph, op: &str, attributes: &str, operands: &[ValueId]) -> ValueId {
    graph.emit(create_op(op, attributes).unwrap(), operands).unwrap()[0]
}

/// One convolution of a chain: attributes, extents of the kernel, whether a bias and a rectifier follow.
type Link = (&'static str, &'static str, [usize; 4], bool);

/// A chain of convolutions of an image, and all their results.
fn chain(image: [usize; 4], links: &[Link]) -> (Graph, Vec<ValueId>) {
    let mut graph = Graph::new();
    let mut x = graph.input(TensorType::known(DType::Float32, &image));
    let variable = |graph: &mut Graph, shape: &[usize], seed: usize| {
        graph.variable(&Arc::new(Variable::new(format!("variable {seed}"), tensor(shape, seed))))
    };
    let mut results = Vec::new();
    for (seed, (op, attributes, kernel, activated)) in links.iter().enumerate() {
        let kernel = variable(&mut graph, kernel, seed + 1);
        x = apply(&mut graph, op, attributes, &[x, kernel]);
        if *activated {
            let channels = graph.ty(x).shape[3].unwrap();
            let bias = variable(&mut graph, &[channels], 100 + seed);
            x = apply(&mut graph, "add", "{}", &[x, bias]);
            // The logistic function needs scratch memory, the rectifier does not.
            let activation = if seed % 2 == 0 { "sigmoid" } else { "relu" };
            x = apply(&mut graph, activation, "{}", &[x]);
        }
        results.push(x);
    }
    (graph, results)
}

/// Holds the last result against that of a program in which every result is wanted, so that nothing is handed over.
fn check(image: [usize; 4], links: &[Link]) -> String {
    let (graph, results) = chain(image, links);
    let last = *results.last().unwrap();
    let x = tensor(&image, 7);
    let apart = Program::new(&graph, &results, &[]).unwrap();
    assert!(!apart.describe(&[image.to_vec()]).unwrap().contains("rows at a time"));
    let expected = apart.run(std::slice::from_ref(&x), None).unwrap().pop().unwrap();
    let mut text = String::new();
    for threads in [1, 2, 3] {
        pool::set_threads(threads);
        let program = Program::new(&graph, &[last], &[]).unwrap();
        text = program.describe(&[image.to_vec()]).unwrap();
        for threads in [threads, 4] {
            pool::set_threads(threads);
            for _ in 0..2 {
                let received = program.run(std::slice::from_ref(&x), None).unwrap().pop().unwrap();
                assert!(received.buffer().bytes() == expected.buffer().bytes(), "{threads} threads: {text}");
            }
        }
    }
    text
}

const SAME: &str = r#"{"padding":"same"}"#;
const HALVED: &str = r#"{"strides":[2,2],"padding":[[0,1],[0,1]]}"#;
const POINTWISE: &str = "{}";

#[test]
fn an_inverted_residual_block_keeps_its_bits() {
    for depthwise in [SAME, HALVED, r#"{"padding":[[3,0],[0,2]]}"#, r#"{"dilation":[3,3]}"#, r#"{"strides":[5,2]}"#] {
        let links: [Link; 3] = [
            ("conv2d", POINTWISE, [1, 1, 3, 48], true),
            ("depthwise_conv2d", depthwise, [3, 3, 48, 1], true),
            ("conv2d", POINTWISE, [1, 1, 48, 5], true),
        ];
        let text = check([2, 91, 83, 3], &links);
        assert!(text.contains(", then depthwise_conv2d + add + relu"), "{text}");
    }
}

#[test]
fn one_depthwise_convolution_after_another() {
    let links: [Link; 4] = [
        ("depthwise_conv2d", SAME, [3, 3, 40, 1], false),
        ("depthwise_conv2d", SAME, [5, 3, 40, 1], true),
        ("depthwise_conv2d", HALVED, [3, 3, 40, 2], false),
        ("depthwise_conv2d", SAME, [3, 3, 80, 1], false),
    ];
    let text = check([1, 140, 100, 40], &links);
    assert_eq!(text.matches(", then").count(), 3, "{text}");
}

#[test]
fn few_rows_and_narrow_images() {
    for image in [[1, 1, 6000, 3], [1, 2, 6000, 3], [1, 6000, 1, 3], [3, 5, 1200, 3]] {
        let links: [Link; 3] = [
            ("conv2d", POINTWISE, [1, 1, 3, 48], false),
            ("depthwise_conv2d", SAME, [3, 3, 48, 1], false),
            ("conv2d", POINTWISE, [1, 1, 48, 5], true),
        ];
        let text = check(image, &links);
        assert!(text.contains(", then"), "{text}");
    }
}

#[test]
fn small_images_are_handed_over_to_one_step_that_overlaps() {
    let links: [Link; 4] = [
        ("conv2d", POINTWISE, [1, 1, 3, 48], true),
        ("depthwise_conv2d", SAME, [3, 3, 48, 1], true),
        ("conv2d", POINTWISE, [1, 1, 48, 16], false),
        ("depthwise_conv2d", SAME, [3, 3, 16, 1], true),
    ];
    for images in [1, 2, 64] {
        for rows in [14, 15] {
            let text = check([images, rows, 14, 3], &links);
            assert_eq!(text.matches(", then").count(), 2, "{text}");
        }
        let text = check([images, 13, 14, 3], &links);
        assert!(!text.contains(", then"), "{text}");
    }
}
