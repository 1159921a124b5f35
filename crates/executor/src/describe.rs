//! A plan as text, for people.

use crate::layout::Source;
use crate::plan::{Action, Plan, Work};
use ferrograph_tensor::{Place, Region};
use std::fmt::Write;
use std::time::Duration;

/// One line for each step: the op with its kernel and what is joined to it, or the functions of a loop; what it reads; where
/// it writes what. Then the memory. With `times`, one for each step, every line begins with its time and its share of all.
///
/// ```text
/// conv2d[winograd 4x4] + add + relu(input 0, conv/kernel, conv/bias) -> block 0: float32[1, 32, 32, 64]
/// 16 rows at a time of conv2d[direct] + relu, then depthwise_conv2d + relu(block 0, w, -, v) -> block 524288: float32[1, 56, 56, 96]
/// loop of add + relu(block 0, block 8192) -> output 0: float32[1, 32, 32, 64]
/// block 524288 B, outputs 262144 B, prepared weights 147456 B, derived weights 0 B
/// ```
/// A batch that is computed in parts is shown as one of them, after their number:
///
/// ```text
/// 16 parts of 4 entries, each:
/// ```
pub(crate) fn describe(plan: &Plan, updates: usize, times: Option<&[Duration]>) -> String {
    let mut text = String::new();
    if let Some(parts) = &plan.parts {
        let _ = writeln!(
            text,
            "{} parts of {} {}, each:",
            parts.count,
            parts.entries,
            if parts.entries == 1 { "entry" } else { "entries" }
        );
        return text + &describe(&parts.plan, updates, times);
    }
    let total = times.map_or(0.0, |times| times.iter().map(Duration::as_secs_f64).sum());
    for (index, action) in plan.actions.iter().enumerate() {
        // Writing to a string does not fail.
        if let Some(time) = times.and_then(|times| times.get(index)) {
            let seconds = time.as_secs_f64();
            let _ = write!(text, "{:9.1} us {:5.1} %  ", seconds * 1e6, seconds / total.max(f64::MIN_POSITIVE) * 100.0);
        }
        let _ = writeln!(text, "{}", Line { plan, updates, action }.text());
    }
    let own: usize = plan.own.iter().sum();
    let prepared: usize = plan.kept.iter().map(|kept| kept.len * size_of::<f32>()).sum();
    let derived = plan.derived.as_ref().map_or(0, |(derived, _)| derived.bytes());
    let _ = writeln!(
        text,
        "block {} B, outputs {own} B, prepared weights {prepared} B, derived weights {derived} B",
        plan.block
    );
    text
}

struct Line<'p> {
    plan: &'p Plan,
    /// How many variables the program changes.
    updates: usize,
    action: &'p Action,
}

impl Line<'_> {
    fn text(&self) -> String {
        let Action { names, work, inputs, outputs, types, scratch, .. } = self.action;
        let (mut ops, mut stage) = (String::new(), 0);
        for (index, name) in names.iter().enumerate() {
            let step = work.step(stage).filter(|_| index == work.first_name(stage));
            if index > 0 {
                ops.push_str(if step.is_some() { ", then " } else { " + " });
            }
            ops.push_str(name);
            if let Some(kernel) = step.and_then(ferrograph_graph::Step::kernel) {
                let _ = write!(ops, "[{kernel}]");
            }
            stage += usize::from(step.is_some());
        }
        let kind = match work {
            Work::Fused(_) => "loop of ".to_owned(),
            Work::Bands(bands) => format!("{} rows at a time of ", bands.rows()),
            Work::Kernel(_) | Work::Chained(..) | Work::InParts(..) | Work::Pooled(..) | Work::Copy => String::new(),
        };
        let inputs: Vec<String> = inputs.iter().map(|place| self.place(place)).collect();
        let outputs = outputs.iter().zip(types).map(|(at, ty)| format!("{}: {ty}", self.place(at)));
        let outputs: Vec<String> = outputs.collect();
        let mut line = format!("{kind}{ops}({}) -> {}", inputs.join(", "), outputs.join(", "));
        let scratch: usize = scratch.iter().map(|place| place.bytes).sum();
        if scratch > 0 {
            let _ = write!(line, ", scratch {scratch} B");
        }
        line
    }

    fn place(&self, place: &Place) -> String {
        match place.region {
            _ if place.bytes == 0 => "-".into(),
            Region::Block { offset } => format!("block {offset}"),
            Region::Own(index) if index < self.updates => format!("update {index}"),
            Region::Own(index) => format!("output {}", index - self.updates),
            Region::Shared(index) => match &self.plan.shared[index] {
                Source::Input(n) => format!("input {n}"),
                Source::Variable(variable) => variable.name().to_owned(),
                Source::Derived(n) => format!("derived {n}"),
                Source::Constant(_) => "constant".into(),
                Source::Kept(n) => format!("prepared {n}"),
            },
        }
    }
}
