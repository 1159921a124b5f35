//! A plan as text, for people.

use crate::plan::{Action, Plan, Work};
use ferrograph_tensor::{Place, Region};
use std::fmt::Write;

/// One line for each step, then the memory:
///
/// ```text
/// matmul(shared 0, shared 1) -> block 0: float32[32, 64]
/// loop of 3: add, relu, multiply(block 0, shared 2) -> own 0: float32[32, 64]
/// block 8192 B, own 8192 B, prepared 4096 B
/// ```
pub(crate) fn describe(plan: &Plan) -> String {
    let mut text = String::new();
    for action in &plan.actions {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}", line(action));
    }
    let own: usize = plan.own.iter().sum();
    let prepared: usize = plan.kept.iter().map(|kept| kept.len * size_of::<f32>()).sum();
    let _ = writeln!(text, "block {} B, own {own} B, prepared {prepared} B", plan.block);
    text
}

fn line(action: &Action) -> String {
    let names = action.names.join(", ");
    let names = match &action.work {
        Work::Fused(fused) => format!("loop of {}: {names}", fused.len()),
        Work::Chained(_, fused) => {
            let (step, of_loop) = names.split_once(", ").unwrap_or((&names, ""));
            format!("{step} in loop of {}: {of_loop}", fused.len())
        }
        Work::Kernel(_) | Work::Copy => names,
    };
    let places = |places: &[Place]| places.iter().map(place).collect::<Vec<_>>().join(", ");
    let results = action.outputs.iter().zip(&action.types).map(|(at, ty)| format!("{}: {ty}", place(at)));
    let results: Vec<String> = results.collect();
    let mut line = format!("{names}({}) -> {}", places(&action.inputs), results.join(", "));
    let scratch: usize = action.scratch.iter().map(|place| place.bytes).sum();
    if scratch > 0 {
        let _ = write!(line, " scratch {scratch} B");
    }
    line
}

fn place(place: &Place) -> String {
    match place.region {
        _ if place.bytes == 0 => "-".into(),
        Region::Block { offset } => format!("block {offset}"),
        Region::Shared(index) => format!("shared {index}"),
        Region::Own(index) => format!("own {index}"),
    }
}
