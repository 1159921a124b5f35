//! Gradients where a function has a kink, and values where a convention decides, against Keras 3.15.1 with JAX 0.10.2.
//!
//! The expected numbers are those of `jax.grad(lambda *x: keras.ops.NAME(*x).sum())` with `KERAS_BACKEND=jax`.

use ferrograph_graph::{Graph, Reference, TensorType, ValueId};
use ferrograph_ops::create_op;
use ferrograph_tensor::DType;
use ferrograph_testkit::evaluate;

const NAN: f64 = f64::NAN;
const INF: f64 = f64::INFINITY;

/// The gradients of the sum of the op's result.
fn gradients(name: &str, attributes: &str, operands: &[&[f64]]) -> Vec<Vec<f64>> {
    let mut graph = Graph::new();
    let types = operands.iter().map(|x| TensorType::known(DType::Float32, &[x.len()]));
    let ids: Vec<ValueId> = types.map(|ty| graph.input(ty)).collect();
    let results = graph.emit(create_op(name, attributes).unwrap(), &ids).unwrap();
    let ty = graph.ty(results[0]).clone();
    let dy = graph.input(ty.clone());
    let op = create_op(name, attributes).unwrap();
    let found = op.vjp(&mut graph, &ids, &results, &[Some(dy)]).unwrap();
    let mut inputs: Vec<Reference> =
        operands.iter().map(|x| Reference::new(DType::Float32, &[x.len()], x.to_vec())).collect();
    inputs.push(Reference::from_fn(DType::Float32, &ty.extents(), |_| 1.0));
    let wanted: Vec<ValueId> = found.into_iter().flatten().collect();
    evaluate(&graph, &inputs, &wanted).into_iter().map(|gradient| gradient.data).collect()
}

#[track_caller]
fn check(name: &str, attributes: &str, operands: &[&[f64]], expected: &[&[f64]]) {
    let received = gradients(name, attributes, operands);
    let same = |a: &f64, b: &f64| (a - b).abs() < 1e-6 || a == b || (a.is_nan() && b.is_nan());
    assert!(
        received.len() == expected.len()
            && received
                .iter()
                .zip(expected)
                .all(|(a, b)| a.len() == b.len() && a.iter().zip(*b).all(|(a, b)| same(a, b))),
        "{name}: received {received:?}, expected {expected:?}"
    );
}

#[test]
fn of_one_operand() {
    check("relu", "{}", &[&[0.0, -1.0, 1.0, NAN]], &[&[0.0, 0.0, 1.0, 0.0]]);
    check("relu", r#"{"maxValue":6}"#, &[&[0.0, 6.0, 7.0, -1.0]], &[&[0.0, 0.0, 0.0, 0.0]]);
    check("relu", r#"{"negativeSlope":0.3}"#, &[&[0.0, -1.0, 1.0]], &[&[1.0, 0.3, 1.0]]);
    check("elu", r#"{"alpha":0.7}"#, &[&[0.0, -1.0, 1.0]], &[&[0.7, 0.257_515_609, 1.0]]);
    check("abs", "{}", &[&[0.0, -1.0, 1.0]], &[&[1.0, -1.0, 1.0]]);
    check("sqrt", "{}", &[&[0.0, 4.0]], &[&[INF, 0.25]]);
    check("clip", r#"{"low":-1,"high":1}"#, &[&[-2.0, -1.0, 0.0, 1.0, 2.0]], &[&[0.0, 0.5, 1.0, 0.5, 0.0]]);
    check("sigmoid", "{}", &[&[0.0, 100.0]], &[&[0.25, 0.0]]);
    check("log", "{}", &[&[0.0]], &[&[INF]]);
}

#[test]
fn of_two_operands() {
    let (x, one) = ([0.0, 1.0, 2.0], [1.0; 3]);
    check("maximum", "{}", &[&x, &one], &[&[0.0, 0.5, 1.0], &[1.0, 0.5, 0.0]]);
    check("minimum", "{}", &[&x, &one], &[&[1.0, 0.5, 0.0], &[0.0, 0.5, 1.0]]);
    let bases = [0.0, 0.0, 0.0, 0.0, -2.0, 2.0, 0.0];
    let exponents = [2.0, 1.0, 0.0, 0.5, 3.0, 0.0, -1.0];
    let of_base = [0.0, 1.0, NAN, INF, 12.0, 0.0, -INF];
    let of_exponent = [0.0, 0.0, 0.0, 0.0, NAN, std::f64::consts::LN_2, NAN];
    check("power", "{}", &[&bases, &exponents], &[&of_base, &of_exponent]);
}

#[test]
fn of_reductions() {
    check("max", "{}", &[&[1.0, 3.0, 3.0, 2.0]], &[&[0.0, 0.5, 0.5, 0.0]]);
    check("min", "{}", &[&[1.0, 1.0, 1.0, 2.0]], &[&[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]]);
    check("prod", "{}", &[&[2.0, 0.0, 3.0]], &[&[0.0, 6.0, 0.0]]);
    check("prod", "{}", &[&[0.0, 0.0, 3.0]], &[&[0.0, 0.0, 0.0]]);
}
