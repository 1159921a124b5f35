//! The vjp against central differences of the f64 reference.

use super::{Case, differences};
use crate::fill::Random;
use crate::{evaluate, from_tensor, to_tensor, type_of};
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Reference, TensorType, ValueId};
use ferrograph_tensor::{DType, Tensor};

/// Step of the differences: the error of a difference in f64 is then about 1e-10.
const STEP: f64 = 1e-6;
/// Differences against the vjp in f64.
const ABSOLUTE: f64 = 1e-5;
const RELATIVE: f64 = 1e-4;
/// The executor's vjp in f32 against the vjp in f64, relative to numbers above 1.
const EXECUTED: f64 = 1e-4;
/// Elements of an operand that are moved; of larger operands some are chosen, the fewer the more the reference has to do.
const MOVED: std::ops::RangeInclusive<usize> = 12..=64;
/// Products of operand and result elements that all moves of an operand may cost together.
const WORK: usize = 1_000_000;

pub(crate) fn check(case: &Case) -> Vec<String> {
    let flows = |n: &usize| case.results[*n].dtype == DType::Float32 && !case.sample.opaque.contains(n);
    let real: Vec<usize> = (0..case.results.len()).filter(flows).collect();
    let mut wrong = with_gradients(case, &real);
    if real.len() > 1 {
        // The loss may depend on one of several results.
        wrong.extend(real.iter().flat_map(|&n| {
            let details = with_gradients(case, &[n]);
            details.into_iter().map(move |detail| format!("with a gradient of result {n} alone: {detail}"))
        }));
    }
    wrong
}

/// Checks the gradients of the sum of the results `given`, weighted by random numbers.
fn with_gradients(case: &Case, given: &[usize]) -> Vec<String> {
    let weights: Vec<Option<Reference>> =
        case.results.iter().enumerate().map(|(n, ty)| given.contains(&n).then(|| weight(ty, n))).collect();
    let (mut graph, operands, results) = case.graph(|graph, n| graph.input(case.types[n].clone()));
    let mut inputs = case.operands.clone();
    let gradients: Vec<Option<ValueId>> = weights
        .iter()
        .map(|weight| {
            inputs.push(weight.clone()?);
            Some(graph.input(type_of(weight.as_ref()?)))
        })
        .collect();
    let found = match case.sample.op.vjp(&mut graph, &operands, &results, &gradients) {
        Ok(found) if found.len() == operands.len() => found,
        Ok(found) => return vec![format!("{} gradients for {} operands", found.len(), operands.len())],
        Err(error) => return vec![error.to_string()],
    };
    let present: Vec<ValueId> = found.iter().copied().flatten().collect();
    let mut exact = evaluate(&graph, &inputs, &present).into_iter();
    let mut wrong = compare_executed(&graph, &inputs, &present);
    for (n, id) in found.iter().enumerate() {
        let gradient = id.and_then(|_| exact.next());
        if case.types[n].dtype != DType::Float32 {
            if gradient.is_some() {
                wrong.push(format!("operand {n}: a gradient of {}", case.types[n]));
            }
            continue;
        }
        let zeros = || Reference::new(DType::Float32, &case.operands[n].shape, vec![0.0; case.operands[n].data.len()]);
        let gradient = gradient.unwrap_or_else(zeros);
        if type_of(&gradient) != case.types[n] {
            wrong.push(format!("operand {n}: a gradient {} of {}", type_of(&gradient), case.types[n]));
            continue;
        }
        wrong.extend(compare_differences(case, &weights, n, &gradient));
    }
    wrong
}

/// The executor's f32 gradients against the interpreter's.
fn compare_executed(graph: &Graph, inputs: &[Reference], wanted: &[ValueId]) -> Vec<String> {
    let exact = evaluate(graph, inputs, wanted);
    let tensors: Vec<Tensor> = inputs.iter().map(to_tensor).collect();
    let executed = Program::new(graph, wanted, &[]).unwrap().run(&tensors, None).unwrap();
    let pairs = executed.iter().map(from_tensor).zip(&exact).enumerate();
    let close = |(n, (have, want)): (usize, (Reference, &Reference))| {
        differences(&format!("executed gradient {n}"), &have.data, &want.data, |want| EXECUTED * want.abs().max(1.0))
    };
    pairs.flat_map(close).collect()
}

fn compare_differences(
    case: &Case,
    weights: &[Option<Reference>],
    operand: usize,
    gradient: &Reference,
) -> Vec<String> {
    let count = gradient.data.len();
    let elements = |values: &[Reference]| values.iter().map(|value| value.data.len()).sum::<usize>().max(1);
    let work = elements(&case.operands) * elements(&case.expected);
    // An odd stride visits every index of extents that are powers of two.
    let stride = count.div_ceil((WORK / work).clamp(*MOVED.start(), *MOVED.end())) | 1;
    let moved: Vec<usize> = (0..count).step_by(stride).collect();
    let numeric: Vec<f64> = moved.iter().map(|&at| difference(case, weights, operand, at)).collect();
    let analytic: Vec<f64> = moved.iter().map(|&at| gradient.data[at]).collect();
    let what = format!("gradient of operand {operand} (every {stride}. element)");
    differences(&what, &analytic, &numeric, |want| ABSOLUTE + RELATIVE * want.abs())
}

/// The change of the weighted sum when one element moves.
fn difference(case: &Case, weights: &[Option<Reference>], operand: usize, at: usize) -> f64 {
    let loss = |step: f64| {
        let mut operands = case.operands.clone();
        operands[operand].data[at] += step;
        let results = case.sample.op.reference(&operands, &case.results);
        let products = results.iter().zip(weights).filter_map(|(result, weight)| {
            let weight = weight.as_ref()?;
            Some(result.data.iter().zip(&weight.data).map(|(y, w)| y * w).sum::<f64>())
        });
        products.sum::<f64>()
    };
    (loss(STEP) - loss(-STEP)) / (2.0 * STEP)
}

fn weight(ty: &TensorType, n: usize) -> Reference {
    let mut random = Random::new(&format!("gradient {n}"));
    Reference::from_fn(DType::Float32, &ty.extents(), |_| f64::from(random.normal() as f32))
}
