//! Whether a program treats every entry of a batch alike and alone, so that a batch may be computed in parts.

use crate::flow::Flow;
use ferrograph_graph::{Plan as OpPlan, TensorType, ValueId};

/// The entries of the batch: the extent of the first axis of all inputs where that axis is open, if entry `i` of every
/// wanted value follows from entry `i` of these inputs and from nothing else of them.
pub(crate) fn batch(flow: &Flow<'_>, wanted: &[ValueId]) -> Option<usize> {
    let batch = flow.graph.inputs().iter().find_map(|&id| entries(flow, id))?;
    let mut batched = vec![false; flow.types.len()];
    for &id in flow.graph.inputs() {
        match entries(flow, id) {
            Some(extent) if extent != batch => return None,
            extent => batched[id.index()] = extent.is_some(),
        }
    }
    let mut used = vec![false; flow.types.len()];
    let operands = (0..flow.graph.nodes().len()).flat_map(|node| flow.reads(node)).map(|(_, id)| id);
    for id in operands.chain(wanted) {
        used[id.index()] = true;
    }
    for (index, node) in flow.graph.nodes().iter().enumerate() {
        let of: Vec<bool> = node.operands.iter().map(|id| batched[id.index()]).collect();
        for (result, id) in node.results.iter().enumerate().filter(|_| of.contains(&true)) {
            let keeps = || entries(flow, *id) == Some(batch) && keeps_entries_apart(flow, index, result, &of);
            if used[id.index()] && !keeps() {
                return None;
            }
            // What is not used may still give its shape.
            batched[id.index()] = true;
        }
    }
    wanted.iter().all(|id| batched[id.index()]).then_some(batch)
}

/// The extent of the first axis of a value, if it is open in the graph.
fn entries(flow: &Flow<'_>, id: ValueId) -> Option<usize> {
    let is_open = flow.graph.ty(id).shape.first() == Some(&None);
    flow.ty(id).shape.first().copied().flatten().filter(|_| is_open)
}

fn keeps_entries_apart(flow: &Flow<'_>, index: usize, result: usize, batched: &[bool]) -> bool {
    let node = &flow.graph.nodes()[index];
    match &flow.plans[index] {
        // Both have their entries one after the other in the same bytes.
        Some(OpPlan::Alias) => batched[0],
        Some(OpPlan::Elementwise(_)) => {
            let rank = flow.ty(node.results[0]).rank();
            node.operands.iter().zip(batched).all(|(&id, &batched)| flow.ty(id).meets_entries(batched, rank))
        }
        Some(OpPlan::Step(_)) => {
            let operands: Vec<TensorType> = node.operands.iter().map(|&id| flow.ty(id).clone()).collect();
            node.op.keeps_entries_apart(result, batched, &operands)
        }
        None => true,
    }
}
