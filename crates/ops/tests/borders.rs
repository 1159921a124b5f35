//! Zeros around an image go into the window that alone reads them.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Reference, TensorType, ValueId};
use ferrograph_ops::create_op;
use ferrograph_tensor::DType;
use ferrograph_testkit::{evaluate, to_tensor};

/// Small whole numbers, so that sums are exact however they are ordered.
fn data(shape: &[usize], seed: usize) -> Reference {
    let count = shape.iter().product::<usize>();
    let elements = (seed..seed + count).map(|at| (at * 7919 % 11) as f64 - 5.0).collect();
    Reference::new(DType::Float32, shape, elements)
}

fn apply(graph: &mut Graph, op: &str, attributes: &str, operands: &[ValueId]) -> ValueId {
    graph.emit(create_op(op, attributes).unwrap(), operands).unwrap()[0]
}

/// A graph of an input with a border around it that goes through `op`, and these two values.
fn bordered(op: &str, attributes: &str, border: &str, x: &[usize], kernel: &[usize]) -> (Graph, [ValueId; 2]) {
    let mut graph = Graph::new();
    let image = graph.input(TensorType::known(DType::Float32, x));
    let padded = apply(&mut graph, "pad", border, &[image]);
    let kernel = graph.constant(to_tensor(&data(kernel, 3)));
    let y = apply(&mut graph, op, attributes, &[padded, kernel]);
    (graph, [padded, y])
}

/// Holds a run against the f64 interpreter of the graph as it was written, and returns the plan.
fn check(graph: &Graph, x: &[usize], outputs: &[ValueId]) -> String {
    let program = Program::new(graph, outputs, &[]).unwrap();
    let input = data(x, 1);
    let expected = evaluate(graph, std::slice::from_ref(&input), outputs);
    let received = program.run(&[to_tensor(&input)], None).unwrap();
    for (received, expected) in received.iter().zip(&expected) {
        let have: Vec<f64> = received.view().f32().iter().map(|&have| f64::from(have)).collect();
        assert_eq!(have, expected.data);
    }
    program.describe(&[x.to_vec()]).unwrap()
}

const DEPTHWISE: [&[usize]; 2] = [&[2, 6, 5, 7], &[3, 3, 7, 1]];
const DENSE: [&[usize]; 2] = [&[2, 6, 5, 3], &[3, 3, 3, 4]];

#[test]
fn goes_into_the_convolution() {
    for (op, attributes, border, [x, kernel]) in [
        ("depthwise_conv2d", r#"{"strides":[2,2]}"#, "[[0,0],[0,1],[0,1],[0,0]]", DEPTHWISE),
        ("depthwise_conv2d", r#"{"padding":[[1,0],[2,1]]}"#, "[[0,0],[1,2],[3,0],[0,0]]", DEPTHWISE),
        ("conv2d", r#"{"strides":[2,2],"strict":true}"#, "[[0,0],[3,3],[3,3],[0,0]]", DENSE),
        ("conv2d", r#"{"padding":[[0,2],[0,0]],"strict":true}"#, "[[0,0],[1,1],[1,1],[0,0]]", DENSE),
    ] {
        let (graph, [_, y]) = bordered(op, attributes, &format!("{{\"padding\":{border}}}"), x, kernel);
        let text = check(&graph, x, &[y]);
        assert!(!text.contains("pad("), "{op} {attributes} {border}: {text}");
    }
}

#[test]
fn goes_into_the_maximum() {
    let x = [2, 6, 5, 7];
    for (attributes, border, goes) in [
        (r#"{"poolSize":[3,3],"strides":[2,2]}"#, "[[0,0],[1,1],[1,1],[0,0]]", true),
        (r#"{"poolSize":[3,2],"strides":[1,1]}"#, "[[0,0],[2,0],[0,1],[0,0]]", true),
        // Not as much as a window, and nothing that the pool's own padding would hide.
        (r#"{"poolSize":[2,2],"strides":[2,2]}"#, "[[0,0],[2,0],[0,0],[0,0]]", false),
        (r#"{"poolSize":[2,2],"strides":[2,2],"padding":"same"}"#, "[[0,0],[1,0],[0,0],[0,0]]", false),
    ] {
        let mut graph = Graph::new();
        let image = graph.input(TensorType::known(DType::Float32, &x));
        let padded = apply(&mut graph, "pad", &format!("{{\"padding\":{border}}}"), &[image]);
        let y = apply(&mut graph, "max_pool2d", attributes, &[padded]);
        let text = check(&graph, &x, &[y]);
        assert_eq!(!text.contains("pad("), goes, "{attributes} {border}: {text}");
    }
}

#[test]
fn stays_where_it_is_more_than_zeros_around_images() {
    for (attributes, border) in [
        ("{}", r#"{"padding":[[0,0],[1,1],[1,1],[0,0]],"value":1}"#),
        ("{}", r#"{"padding":[[0,1],[1,1],[1,1],[0,0]]}"#),
        (r#"{"padding":"same"}"#, r#"{"padding":[[0,0],[1,1],[1,1],[0,0]]}"#),
    ] {
        let [x, kernel] = DEPTHWISE;
        let (graph, [_, y]) = bordered("depthwise_conv2d", attributes, border, x, kernel);
        let text = check(&graph, x, &[y]);
        assert!(text.contains("pad("), "{attributes} {border}: {text}");
    }
}

#[test]
fn stays_where_others_read_it() {
    let [x, kernel] = DEPTHWISE;
    let border = r#"{"padding":[[0,0],[1,1],[1,1],[0,0]]}"#;
    let (mut graph, [padded, y]) = bordered("depthwise_conv2d", "{}", border, x, kernel);
    let text = check(&graph, x, &[padded, y]);
    assert!(text.contains("pad("), "{text}");
    let total = apply(&mut graph, "sum", "{}", &[padded]);
    let text = check(&graph, x, &[y, total]);
    assert!(text.contains("pad("), "{text}");
}
