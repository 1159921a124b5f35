//! The derivative of `gru` with respect to the results that have one, against central differences.

use ferrograph_graph::{Graph, GraphError, Reference, Sample, ValueId};
use ferrograph_ops::ALL;
use ferrograph_tensor::DType;
use ferrograph_testkit::{Random, evaluate, fill, type_of};

const STEP: f64 = 1e-6;

fn samples() -> Vec<Sample> {
    let gru = ALL.iter().find(|entry| entry.name == "gru").unwrap();
    (gru.samples)()
}

/// What the derivative of the sum of the results `given`, weighted by random numbers, gets wrong.
fn check(sample: &Sample, given: &[usize]) {
    let fill = |(n, operand)| fill(operand, &format!("gru {n}"));
    let operands: Vec<Reference> = sample.operands.iter().enumerate().map(fill).collect();
    let mut graph = Graph::new();
    let ids: Vec<ValueId> = operands.iter().map(|operand| graph.input(type_of(operand))).collect();
    let results = graph.emit(sample.op.clone(), &ids).unwrap();
    let types: Vec<_> = results.iter().map(|&id| graph.ty(id).clone()).collect();

    let mut random = Random::new("weights");
    let mut weigh = |n: usize| Reference::from_fn(DType::Float32, &types[n].extents(), |_| random.normal());
    let weights: Vec<Option<Reference>> = (0..3).map(|n| given.contains(&n).then(|| weigh(n))).collect();
    let mut inputs = operands.clone();
    inputs.extend(weights.iter().flatten().cloned());
    let gradients: Vec<_> = weights.iter().map(|w| w.as_ref().map(|w| graph.input(type_of(w)))).collect();
    let found = sample.op.vjp(&mut graph, &ids, &results, &gradients).unwrap();
    assert_eq!(found.get(5).copied().flatten(), None, "none flows to the mask");
    let wanted: Vec<ValueId> = found.iter().copied().flatten().collect();
    assert_eq!(wanted.len(), 5);

    let loss = |operands: &[Reference]| {
        let results = sample.op.reference(operands, &types);
        let products = results.iter().zip(&weights).filter_map(|(result, weight)| Some((result, weight.as_ref()?)));
        products.flat_map(|(result, weight)| result.data.iter().zip(&weight.data)).map(|(y, w)| y * w).sum::<f64>()
    };
    for (n, gradient) in evaluate(&graph, &inputs, &wanted).iter().enumerate() {
        assert_eq!(gradient.shape, operands[n].shape);
        for at in (0..gradient.data.len()).step_by(gradient.data.len() / 10 + 1) {
            let moved = |step: f64| {
                let mut operands = operands.clone();
                operands[n].data[at] += step;
                loss(&operands)
            };
            let expected = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            let error = (gradient.data[at] - expected).abs();
            // The error of a difference in f64 is about 1e-10 / STEP of the loss's last digits.
            assert!(error <= 1e-5 + 1e-4 * expected.abs(), "operand {n} [{at}]: {} for {expected}", gradient.data[at]);
        }
    }
}

#[test]
fn derivative_is_the_central_difference() {
    for sample in samples() {
        for given in [&[0, 1][..], &[0], &[1]] {
            check(&sample, given);
        }
    }
}

#[test]
fn the_reserve_has_no_derivative() {
    let sample = &samples()[0];
    let mut graph = Graph::new();
    let fill = |(n, operand)| fill(operand, &format!("gru {n}"));
    let operands: Vec<Reference> = sample.operands.iter().enumerate().map(fill).collect();
    let ids: Vec<ValueId> = operands.iter().map(|operand| graph.input(type_of(operand))).collect();
    let results = graph.emit(sample.op.clone(), &ids).unwrap();
    let refused = sample.op.vjp(&mut graph, &ids, &results, &[None, None, Some(results[2])]);
    assert!(matches!(refused, Err(GraphError::NotDifferentiable { op: "gru" })));
}
