//! Which poolings run inside the step before them.

use crate::flow::Flow;
use crate::units::{Unit, reader_counts, unit_of};
use ferrograph_graph::{Plan as OpPlan, Simple, Step};

/// Joins each step that pools its result, the bias and the rectifier behind it, and the pooling that alone reads these: the
/// image between is then never in memory. Such a unit stands where the pooling stood.
pub(crate) fn join_poolings(flow: &Flow<'_>, units: &[Unit], leaves: &[bool]) -> Vec<Unit> {
    let unit_of = unit_of(flow, units);
    let readers = reader_counts(flow, units, &unit_of, leaves);
    let mut maker_of = vec![None; units.len()];
    let mut joined = vec![false; units.len()];
    for (at, unit) in units.iter().enumerate() {
        let [pooling] = unit[..] else { continue };
        if !step(flow, pooling).is_some_and(Step::pools_by_two) {
            continue;
        }
        let image = flow.graph.nodes()[pooling].operands[0];
        let Some(from) = flow.producer(image).map(|node| unit_of[node]) else { continue };
        let same_shape = flow.ty(image).shape == flow.ty(flow.root(image)).shape;
        if from < at && same_shape && readers[from] == 1 && pools(flow, &units[from]) {
            maker_of[at] = Some(from);
            joined[from] = true;
        }
    }
    let whole = |at: usize| {
        let maker = maker_of[at].map_or(&[][..], |maker: usize| &units[maker][..]);
        [maker, &units[at]].concat()
    };
    (0..units.len()).filter(|&at| !joined[at]).map(whole).collect()
}

fn step<'f>(flow: &'f Flow<'_>, node: usize) -> Option<&'f dyn Step> {
    if let Some(OpPlan::Step(step)) = &flow.plans[node] { Some(step.as_ref()) } else { None }
}

/// Whether the unit is a step that pools its result and then the sum with a row, or that and its rectifier: what
/// [`Fused::clamp`](crate::fused::Fused::clamp) knows.
fn pools(flow: &Flow<'_>, unit: &Unit) -> bool {
    let (maker, sum, rectifier) = match unit[..] {
        [maker, sum] => (maker, sum, None),
        [maker, sum, rectifier] => (maker, sum, Some(rectifier)),
        _ => return false,
    };
    let nodes = flow.graph.nodes();
    let simple = |node: usize| match &flow.plans[node] {
        Some(OpPlan::Elementwise(function)) => function.simple(),
        _ => None,
    };
    let image = nodes[maker].results[0];
    let reads_image = |node: usize, from: usize| {
        let from = nodes[from].results[0];
        flow.ty(nodes[node].results[0]).shape == flow.ty(image).shape && nodes[node].operands.contains(&from)
    };
    let channels = &flow.ty(image).shape[flow.ty(image).rank().saturating_sub(1)..];
    let adds_row = nodes[sum].operands.iter().filter(|&&id| flow.ty(id).shape == *channels).count() == 1;
    step(flow, maker).is_some_and(|step| step.with_pooling().is_some())
        && simple(sum) == Some(Simple::Add)
        && reads_image(sum, maker)
        && adds_row
        && rectifier.is_none_or(|rectifier| {
            matches!(simple(rectifier), Some(Simple::Rectify { .. })) && reads_image(rectifier, sum)
        })
}
