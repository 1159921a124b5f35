//! Batch normalization after a linear op goes into its weights, where they can be kept.

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Reference, TensorType, ValueId, Variable};
use ferrograph_ops::create_op;
use ferrograph_tensor::{DType, Tensor};
use ferrograph_testkit::{evaluate, to_tensor};
use std::sync::Arc;

/// Numbers between 0.2 and 1.2 that repeat after a while.
fn data(shape: &[usize], seed: usize) -> Reference {
    let count = shape.iter().product::<usize>();
    let elements = (seed..seed + count).map(|at| ((at * 7919) % 2003) as f64 / 2003.0 + 0.2).collect();
    Reference::new(DType::Float32, shape, elements)
}

fn variable(shape: &[usize], seed: usize) -> Arc<Variable> {
    Arc::new(Variable::new(format!("variable {seed}"), to_tensor(&data(shape, seed))))
}

fn apply(graph: &mut Graph, op: &str, attributes: &str, operands: &[ValueId]) -> ValueId {
    graph.emit(create_op(op, attributes).unwrap(), operands).unwrap()[0]
}

/// `gamma`, `beta`, `mean` and `variance` of batch normalization.
fn statistics(graph: &mut Graph, channels: usize) -> [ValueId; 4] {
    [11, 12, 13, 14].map(|seed| graph.variable(&variable(&[channels], seed)))
}

fn normalized(graph: &mut Graph, x: ValueId, axis: i64) -> ValueId {
    let channels = graph.ty(x).shape[axis.rem_euclid(graph.ty(x).rank() as i64) as usize].unwrap();
    let [gamma, beta, mean, variance] = statistics(graph, channels);
    let attributes = format!("{{\"axis\":{axis},\"epsilon\":0.001}}");
    apply(graph, "batch_norm_inference", &attributes, &[x, gamma, beta, mean, variance])
}

/// The plan of a graph of one input of this shape.
fn plan(graph: &Graph, x: &[usize], outputs: &[ValueId], updates: &[(Arc<Variable>, ValueId)]) -> String {
    Program::new(graph, outputs, updates).unwrap().describe(&[x.to_vec()]).unwrap()
}

/// Holds a run against the f64 interpreter of the graph as it was written.
fn check(program: &Program, graph: &Graph, x: &Reference, y: ValueId) {
    let expected = &evaluate(graph, std::slice::from_ref(x), &[y])[0];
    let received = &program.run(&[to_tensor(x)], None).unwrap()[0];
    for (i, (have, want)) in received.view().f32().iter().zip(&expected.data).enumerate() {
        let error = (f64::from(*have) - want).abs();
        assert!(error <= 1e-4 * want.abs().max(1.0), "{i}: {have} for {want}");
    }
}

const CASES: [(&str, &str, &[usize], &[usize]); 8] = [
    ("conv2d", r#"{"padding":"same"}"#, &[2, 6, 5, 3], &[3, 3, 3, 4]),
    ("conv2d", r#"{"groups":2}"#, &[2, 6, 5, 4], &[2, 3, 2, 6]),
    ("conv2d", r#"{"strides":[2,2],"padding":"same"}"#, &[1, 7, 9, 20], &[1, 1, 20, 33]),
    ("depthwise_conv2d", r#"{"padding":"same"}"#, &[2, 5, 6, 7], &[3, 3, 7, 1]),
    ("depthwise_conv2d", "{}", &[2, 5, 6, 3], &[3, 2, 3, 2]),
    ("matmul", "{}", &[5, 6], &[6, 7]),
    ("matmul", "{}", &[2, 5, 6], &[6, 7]),
    ("matmul", r#"{"transposeB":true}"#, &[5, 6], &[7, 6]),
];

#[test]
fn goes_into_the_weights_of_every_linear_op() {
    for (op, attributes, x_shape, kernel) in CASES {
        for bias in [false, true] {
            let mut graph = Graph::new();
            let x = graph.input(TensorType::known(DType::Float32, x_shape));
            let weights = variable(kernel, 3);
            let kernel = graph.variable(&weights);
            let mut y = apply(&mut graph, op, attributes, &[x, kernel]);
            if bias {
                let channels = graph.ty(y).shape.last().unwrap().unwrap();
                let bias = graph.variable(&variable(&[channels], 4));
                y = apply(&mut graph, "add", "{}", &[y, bias]);
            }
            let y = normalized(&mut graph, y, -1);
            let y = apply(&mut graph, "relu", "{}", &[y]);
            let program = Program::new(&graph, &[y], &[]).unwrap();
            let text = program.describe(&[x_shape.to_vec()]).unwrap();
            assert!(!text.contains("batch_norm") && !text.contains("multiply"), "{op} {attributes}: {text}");
            assert_eq!(text.matches("add").count(), 1, "{op} {attributes}: {text}");
            let x = data(x_shape, 1);
            check(&program, &graph, &x, y);
            // Again with what was kept, and with other weights.
            check(&program, &graph, &x, y);
            weights.assign(to_tensor(&data(weights.shape(), 77))).unwrap();
            check(&program, &graph, &x, y);
        }
    }
}

#[test]
fn goes_into_the_weights_of_the_transposed_convolution() {
    let (x_shape, like) = (&[2, 4, 5, 3], &[2, 8, 10, 6]);
    let mut graph = Graph::new();
    let x = graph.input(TensorType::known(DType::Float32, x_shape));
    let kernel = graph.variable(&variable(&[3, 3, 6, 3], 3));
    let like = graph.constant(Tensor::zeros(DType::Float32, like).unwrap());
    let attributes = r#"{"strides":[2,2],"padding":"same"}"#;
    let y = apply(&mut graph, "conv2d_input_gradient", attributes, &[x, kernel, like]);
    let y = normalized(&mut graph, y, 3);
    let program = Program::new(&graph, &[y], &[]).unwrap();
    let text = program.describe(&[x_shape.to_vec()]).unwrap();
    assert!(!text.contains("batch_norm"), "{text}");
    check(&program, &graph, &data(x_shape, 1), y);
}

#[test]
fn one_after_another_all_go_into_the_weights() {
    let mut graph = Graph::new();
    let x = graph.input(TensorType::known(DType::Float32, &[4, 3]));
    let [kernel, bias] = [(&[3, 5][..], 3), (&[5], 4)].map(|(shape, seed)| graph.variable(&variable(shape, seed)));
    let y = apply(&mut graph, "matmul", "{}", &[x, kernel]);
    let y = normalized(&mut graph, y, -1);
    let y = apply(&mut graph, "multiply", "{}", &[y, bias]);
    let y = apply(&mut graph, "add", "{}", &[y, bias]);
    let y = normalized(&mut graph, y, 1);
    let program = Program::new(&graph, &[y], &[]).unwrap();
    let text = program.describe(&[vec![4, 3]]).unwrap();
    assert_eq!((text.matches("add").count(), text.matches("multiply").count()), (1, 0), "{text}");
    check(&program, &graph, &data(&[4, 3], 1), y);
}

#[test]
fn stays_where_it_cannot_move() {
    let shape = [2, 4, 4, 3];
    let start = |graph: &mut Graph| {
        let x = graph.input(TensorType::known(DType::Float32, &shape));
        let weights = variable(&[3, 3, 3, 4], 3);
        let kernel = graph.variable(&weights);
        (x, weights, apply(graph, "conv2d", r#"{"padding":"same"}"#, &[x, kernel]))
    };
    let stays = |text: String| assert!(text.contains("batch_norm_inference"), "{text}");

    let mut graph = Graph::new();
    let (_, _, y) = start(&mut graph);
    let z = normalized(&mut graph, y, -1);
    stays(plan(&graph, &shape, &[z, y], &[]));

    let mut graph = Graph::new();
    let (_, _, y) = start(&mut graph);
    let z = normalized(&mut graph, y, 1);
    stays(plan(&graph, &shape, &[z], &[]));

    // Weights that every run changes are scaled in every run otherwise.
    let mut graph = Graph::new();
    let (_, weights, y) = start(&mut graph);
    let z = normalized(&mut graph, y, -1);
    let kernel = graph.variable(&weights);
    let next = apply(&mut graph, "add", "{}", &[kernel, kernel]);
    stays(plan(&graph, &shape, &[z], &[(weights, next)]));

    // Statistics of the data.
    let mut graph = Graph::new();
    let (x, _, y) = start(&mut graph);
    let [gamma, beta, mean, _] = statistics(&mut graph, 4);
    let variance = apply(&mut graph, "sum", r#"{"axes":[0,1,2],"keepdims":false}"#, &[y]);
    let kernel = graph.variable(&variable(&[1, 1, 3, 4], 9));
    let y = apply(&mut graph, "conv2d", r#"{"padding":"same"}"#, &[x, kernel]);
    let attributes = r#"{"axis":-1,"epsilon":0.001}"#;
    let z = apply(&mut graph, "batch_norm_inference", attributes, &[y, gamma, beta, mean, variance]);
    stays(plan(&graph, &shape, &[z], &[]));
}
