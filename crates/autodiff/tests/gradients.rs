//! Gradients of small graphs against central differences of the f64 interpreter.

use Function::{Add, Multiply, Negative, Root};
use ferrograph_autodiff::{Vocabulary, gradients};
use ferrograph_graph::{Graph, GraphError, Reference, TensorType, ValueId};
use ferrograph_tensor::DType;
use ferrograph_testkit::evaluate;
use ferrograph_testkit::toy::{Function, Map, MatMul, Rename, Total, add};

const VOCABULARY: Vocabulary = Vocabulary { add };

fn map(graph: &mut Graph, function: Function, operands: &[ValueId]) -> ValueId {
    graph.apply(Map(function), operands).unwrap()
}

fn total(graph: &mut Graph, x: ValueId) -> ValueId {
    graph.apply(Total { like: false }, &[x]).unwrap()
}

fn input(graph: &mut Graph, shape: &[usize]) -> ValueId {
    graph.input(TensorType::known(DType::Float32, shape))
}

fn values(shape: &[usize], first: f64) -> Reference {
    let mut next = first;
    Reference::from_fn(DType::Float32, shape, |_| {
        next = (next * 1.7).rem_euclid(2.0) + 0.25;
        next
    })
}

/// Holds the gradients with respect to all inputs against central differences.
fn check(graph: &mut Graph, inputs: &[Reference], loss: ValueId) {
    let wrt = graph.inputs().to_vec();
    let found = gradients(graph, &VOCABULARY, loss, &wrt).unwrap();
    for (n, id) in found.iter().enumerate() {
        let analytic = id.map(|id| evaluate(graph, inputs, &[id]).remove(0).data);
        for at in 0..inputs[n].data.len() {
            let moved = |step: f64| {
                let mut inputs = inputs.to_vec();
                inputs[n].data[at] += step;
                evaluate(graph, &inputs, &[loss])[0].data[0]
            };
            let numeric = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            let analytic = analytic.as_ref().map_or(0.0, |data| data[at]);
            assert!((analytic - numeric).abs() <= 1e-5 + 1e-4 * numeric.abs(), "{n}[{at}]: {analytic} for {numeric}");
        }
    }
}

#[test]
fn values_used_often_and_broadcast() {
    let mut graph = Graph::new();
    let (x, w) = (input(&mut graph, &[3, 4]), input(&mut graph, &[4]));
    let product = map(&mut graph, Multiply, &[x, w]);
    let root = map(&mut graph, Root, &[product]);
    let again = map(&mut graph, Multiply, &[root, x]);
    let square = map(&mut graph, Multiply, &[again, again]);
    let sum = map(&mut graph, Add, &[square, product]);
    let loss = total(&mut graph, sum);
    check(&mut graph, &[values(&[3, 4], 0.3), values(&[4], 0.9)], loss);
}

#[test]
fn gradients_of_gradients() {
    let mut graph = Graph::new();
    let x = input(&mut graph, &[3]);
    let root = map(&mut graph, Multiply, &[x, x]);
    let cube = map(&mut graph, Multiply, &[root, x]);
    let loss = total(&mut graph, cube);
    let first = gradients(&mut graph, &VOCABULARY, loss, &[x]).unwrap()[0].unwrap();
    let second = total(&mut graph, first);
    let second = gradients(&mut graph, &VOCABULARY, second, &[x]).unwrap()[0].unwrap();
    let at = Reference::new(DType::Float32, &[3], vec![1.0, -2.0, 0.5]);
    // The derivatives of x^3 are 3 x^2 and 6 x.
    let found = evaluate(&graph, &[at], &[first, second]);
    assert_eq!((&found[0].data, &found[1].data), (&vec![3.0, 12.0, 0.75], &vec![6.0, -12.0, 3.0]));
}

#[test]
fn none_where_none_flows() {
    let mut graph = Graph::new();
    let (x, y, z) = (input(&mut graph, &[3]), input(&mut graph, &[3]), input(&mut graph, &[]));
    let indices = graph.input(TensorType::known(DType::Int32, &[3]));
    let negative = map(&mut graph, Negative, &[x]);
    let loss = total(&mut graph, negative);
    let after = map(&mut graph, Add, &[loss, z]);
    let found = gradients(&mut graph, &VOCABULARY, loss, &[x, y, z, indices, after, loss]).unwrap();
    assert_eq!(found.iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, false, false, false, true]);
    assert_eq!(
        evaluate(
            &graph,
            &[values(&[3], 0.1), values(&[3], 0.2), values(&[], 0.3), Reference::new(DType::Int32, &[3], vec![0.0; 3])],
            &[found[5].unwrap()]
        )[0]
        .data,
        [1.0]
    );
}

#[test]
fn an_op_without_derivative_matters_only_on_the_way() {
    let mut graph = Graph::new();
    let (x, w) = (input(&mut graph, &[2, 2]), input(&mut graph, &[2, 2]));
    // `matmul` of this kit has no derivative; it stands beside the way from w, and on the way from x.
    let fixed = graph.apply(MatMul::default(), &[x, x]).unwrap();
    let product = map(&mut graph, Multiply, &[fixed, w]);
    let loss = total(&mut graph, product);
    let beyond = graph.apply(Rename {}, &[loss]).unwrap();
    let nodes = graph.nodes().len();
    assert!(gradients(&mut graph, &VOCABULARY, loss, &[w]).unwrap()[0].is_some());
    assert!(graph.nodes()[nodes..].iter().all(|node| node.op.name() != "matmul"));
    let error = gradients(&mut graph, &VOCABULARY, loss, &[x]).unwrap_err();
    assert!(matches!(error, GraphError::NotDifferentiable { op: "matmul" }));
    assert!(matches!(gradients(&mut graph, &VOCABULARY, beyond, &[x]), Err(GraphError::NotScalar(_))));
}

#[test]
fn refuses_what_is_no_loss() {
    let mut graph = Graph::new();
    let (x, whole) = (input(&mut graph, &[3]), graph.input(TensorType::known(DType::Int32, &[])));
    for loss in [x, whole] {
        assert!(matches!(gradients(&mut graph, &VOCABULARY, loss, &[x]), Err(GraphError::NotScalar(_))));
    }
    let mut other = Graph::new();
    let loss = input(&mut other, &[]);
    assert!(gradients(&mut other, &VOCABULARY, loss, &[whole]).is_err(), "a value that this graph does not have");
}

#[test]
fn a_long_chain_is_no_deep_recursion() {
    let mut graph = Graph::new();
    let x = input(&mut graph, &[2]);
    let mut y = x;
    for _ in 0..20_000 {
        y = map(&mut graph, Negative, &[y]);
    }
    let loss = total(&mut graph, y);
    let found = gradients(&mut graph, &VOCABULARY, loss, &[x]).unwrap()[0].unwrap();
    assert_eq!(evaluate(&graph, &[values(&[2], 0.4)], &[found])[0].data, [1.0, 1.0]);
}
