//! Which steps hand each other rows of images instead of whole images.

use crate::bands::MAX_STAGES;
use crate::flow::Flow;
use crate::units::{Unit, reader_counts, unit_of};
use ferrograph_graph::{ByRows, Plan as OpPlan, ValueId};

/// Bytes of an image from which on it is handed over by rows: what is smaller stays in the second-level cache anyway.
const LEAST: usize = 1 << 20;

/// Rows from which on a smaller image is handed over, too, to and by one step that reads more rows than it makes: each thread
/// then finds what it reads in its own cache, for which it computes two of so many rows again. Two threads predict one image
/// with `MobileNetV2` in 88 % of the time.
const FEW_ROWS: usize = 14;

/// Rows of an image up to which it is: the planner looks at each of them.
const MOST_ROWS: usize = 1 << 14;

/// Joins each step that computes by rows with the one that alone reads its result, by rows too, if that is large, or has many
/// rows for threads to share and only one of the two reads more rows than it makes. Such a
/// unit consists of the units of its steps, and stands where the last of them stood. `stays` says of a value that it is
/// mostly the same from run to run, so that its prepared forms are kept.
pub(crate) fn join_by_rows(
    flow: &Flow<'_>,
    units: &[Unit],
    leaves: &[bool],
    stays: impl Fn(ValueId) -> bool,
) -> Vec<Unit> {
    let nodes = flow.graph.nodes();
    // By unit: the step that computes by rows, if it begins with such a one whose preparations are kept.
    let steps: Vec<Option<&dyn ByRows>> = units
        .iter()
        .map(|unit| {
            let Some(OpPlan::Step(step)) = &flow.plans[unit[0]] else { return None };
            let operands = &nodes[unit[0]].operands;
            let kept = step.preparations().iter().all(|wanted| stays(operands[wanted.operand]));
            if kept && nodes[unit[0]].results.len() == 1 { step.by_rows() } else { None }
        })
        .collect();
    let unit_of = unit_of(flow, units);
    let readers = reader_counts(flow, units, &unit_of, leaves);
    // By unit: the one before it, and how many steps end there.
    let (mut before, mut stages) = (vec![None; units.len()], vec![1; units.len()]);
    // By unit: whether a step reads more rows than it makes, and whether one that ends there does.
    let own: Vec<bool> = steps.iter().map(|step| step.is_some_and(overlaps)).collect();
    let mut overlapping = own.clone();
    let mut joined = vec![false; units.len()];
    for (at, unit) in units.iter().enumerate() {
        let Some(step) = steps[at] else { continue };
        let operand = nodes[unit[0]].operands[0];
        let Some(from) = flow.producer(operand).map(|node| unit_of[node]) else { continue };
        let Some(maker) = steps[from] else { continue };
        let (made, read) = (maker.extents(), step.extents());
        let image = made.output[0].saturating_mul(made.output[1]).saturating_mul(size_of::<f32>());
        if from < at
            && readers[from] == 1
            && made.images == read.images
            && made.output == read.input
            && (image >= LEAST || made.output[0] >= FEW_ROWS && own[at] != own[from] && own[from] == overlapping[from])
            && step.extents().output[0] <= MOST_ROWS
            && stages[from] < MAX_STAGES
        {
            (before[at], stages[at], joined[from]) = (Some(from), stages[from] + 1, true);
            overlapping[at] |= overlapping[from];
        }
    }
    let whole = |at: usize| {
        let mut parts: Vec<usize> = std::iter::successors(Some(at), |&at| before[at]).collect();
        parts.reverse();
        parts.iter().flat_map(|&part| units[part].iter().copied()).collect()
    };
    (0..units.len()).filter(|&at| !joined[at]).map(whole).collect()
}

/// Whether neighbouring rows of the result read the same rows.
fn overlaps(step: &dyn ByRows) -> bool {
    let rows = step.extents().output[0];
    rows > 1 && step.reads(0..rows / 2).end > step.reads(rows / 2..rows).start
}
