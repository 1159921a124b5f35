//! Which loops run inside the step before them, on parts of its result that are still in the cache.

use crate::consumer::{MAX_PARTS, MAX_RESULTS};
use crate::flow::Flow;
use crate::units::Unit;
use ferrograph_graph::{Plan as OpPlan, ValueId};
use ferrograph_tensor::DType;

/// Joins each step that applies an epilogue with the loop that alone reads the step's result, if the loop has one result
/// of the same size, which then takes its place in memory; and each step that makes its result in parts with the loop that
/// alone reads it, whatever the loop's results. The step comes first in such a unit, which stands where the
/// loop stood; where the step did, if others read other results of it.
pub(crate) fn join_epilogues(flow: &Flow<'_>, units: &[Unit], leaves: &[bool]) -> Vec<Unit> {
    let mut unit_of = vec![usize::MAX; flow.graph.nodes().len()];
    for (at, unit) in units.iter().enumerate() {
        for &node in unit {
            unit_of[node] = at;
        }
    }
    // By unit: one that reads from it, and whether all that read from it are that one; by node: whether it leaves.
    let mut last_reader = vec![None; units.len()];
    let mut one_reader = vec![true; units.len()];
    let mut leaving: Vec<bool> =
        flow.graph.nodes().iter().map(|node| node.results.iter().any(|id| leaves[id.index()])).collect();
    for (at, unit) in units.iter().enumerate() {
        for &(_, id) in unit.iter().flat_map(|&node| flow.reads(node)) {
            let Some(producer) = flow.producer(id) else { continue };
            let from = unit_of[producer];
            if from != at {
                one_reader[from] &= last_reader[from].is_none_or(|reader| reader == at);
                last_reader[from] = Some(at);
                leaving[producer] = true;
            }
        }
    }
    // By unit: the step whose epilogue it is.
    let mut step_of = vec![None; units.len()];
    for (at, unit) in units.iter().enumerate() {
        let producers = unit.iter().flat_map(|&node| flow.reads(node)).filter_map(|&(_, id)| flow.producer(id));
        let fitting = producers.map(|producer| unit_of[producer]).filter(|&from| {
            let [step] = units[from][..] else { return false };
            let Some(OpPlan::Step(kernel)) = &flow.plans[step] else { return false };
            let fits = || match kernel.in_parts() {
                Some(parts) => uses_up(flow, (step, parts.part_len()), unit, leaves, &leaving),
                None => kernel.with_epilogue().is_some() && takes(flow, step, unit, leaves, &leaving),
            };
            let is_alone =
                || if is_single(flow, step) { one_reader[from] } else { comes_early(flow, units, &unit_of, from, at) };
            from < at && fits() && is_alone()
        });
        // Of several the last, whose result is made nearest to the loop.
        step_of[at] = fitting.max();
    }
    let mut joined = units.to_vec();
    let mut gone = vec![false; units.len()];
    for (at, step) in step_of.into_iter().enumerate() {
        let Some(from) = step else { continue };
        let early = !is_single(flow, units[from][0]);
        let (stands, goes) = if early { (from, at) } else { (at, from) };
        joined[stands] = [&units[from][..], &units[at]].concat();
        gone[goes] = true;
    }
    joined.into_iter().zip(gone).filter(|(_, gone)| !gone).map(|(unit, _)| unit).collect()
}

/// Whether a node has one result.
fn is_single(flow: &Flow<'_>, node: usize) -> bool {
    flow.graph.nodes()[node].results.len() == 1
}

/// Whether nobody but the unit `at` reads the first result of the step `from`, and what the unit reads besides is there when
/// the step runs: then it can run with the step, before others that read the step's other results.
fn comes_early(flow: &Flow<'_>, units: &[Unit], unit_of: &[usize], from: usize, at: usize) -> bool {
    let head = flow.graph.nodes()[units[from][0]].results[0];
    let reads = |unit: usize| units[unit].iter().flat_map(|&node| flow.reads(node)).map(|&(_, id)| id);
    let is_there = |id: ValueId| flow.producer(id).is_none_or(|maker| unit_of[maker] == at || unit_of[maker] < from);
    (0..units.len()).all(|unit| unit == at || reads(unit).all(|id| flow.root(id) != head))
        && reads(at).all(|id| flow.root(id) == head || is_there(id))
}

/// Whether the loop `unit` can be the epilogue of `step`, whose only reader it is.
fn takes(flow: &Flow<'_>, step: usize, unit: &Unit, leaves: &[bool], leaving: &[bool]) -> bool {
    let nodes = flow.graph.nodes();
    let head = nodes[step].results[0];
    let mut results = unit.iter().filter(|&&node| leaving[node]).map(|&node| nodes[node].results[0]);
    let (Some(result), None) = (results.next(), results.next()) else { return false };
    let is_float = |id: ValueId| flow.ty(id).dtype == DType::Float32;
    // As many elements in all its forms: they are read one for one.
    let whole = |id: ValueId| flow.root(id) != head || flow.bytes(id) == flow.bytes(result);
    flow.is_elementwise(unit[0])
        && is_float(head)
        && is_float(result)
        && !leaves[head.index()]
        && flow.bytes(head) == flow.bytes(result)
        && unit.iter().flat_map(|&node| flow.reads(node)).all(|&(_, id)| whole(id))
}

/// Whether the loop `unit` can use up the parts of that length that `step` makes, whose only reader it is.
fn uses_up(flow: &Flow<'_>, (step, part_len): (usize, usize), unit: &Unit, leaves: &[bool], leaving: &[bool]) -> bool {
    let nodes = flow.graph.nodes();
    let [head] = nodes[step].results[..] else { return false };
    let elements = |id: ValueId| flow.ty(id).extents().iter().product::<usize>();
    let count = elements(head);
    // As many elements in all its forms: they are read one for one.
    let whole = |id: ValueId| flow.root(id) != head || elements(id) == count;
    flow.is_elementwise(unit[0])
        && flow.ty(head).dtype == DType::Float32
        && !leaves[head.index()]
        && elements(nodes[unit[0]].results[0]) == count
        && count.div_ceil(part_len.max(1)) <= MAX_PARTS
        && unit.iter().filter(|&&node| leaving[node]).count() <= MAX_RESULTS
        && unit.iter().flat_map(|&node| flow.reads(node)).all(|&(_, id)| whole(id))
}
