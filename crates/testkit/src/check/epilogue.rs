//! A loop inside the step before it against the same loop after it.

use crate::to_tensor;
use crate::toy::{Function, Map};
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Op, Reference, TensorType, ValueId};
use ferrograph_tensor::{DType, Tensor};
use std::sync::Arc;

/// What is wrong with an op that shall apply an epilogue to these operands: nothing, if it does and the bits are those of a
/// loop of its own. [`crate::check_op`] compares the bits for every sample, but small samples may not be worth an epilogue.
pub fn check_epilogue(op: &Arc<dyn Op>, operands: &[Tensor]) -> Result<(), String> {
    let (inside, plan) = with_loop(op, operands, false);
    let (after, plan_apart) = with_loop(op, operands, true);
    if !plan.contains(" + add(") || plan_apart.contains(" + add(") {
        return Err(format!("expected a loop inside the step, received\n{plan}\nand apart\n{plan_apart}"));
    }
    let same = inside.iter().zip(&after).all(|(inside, after)| inside.buffer().bytes() == after.buffer().bytes());
    if same { Ok(()) } else { Err("expected the bits of a loop of its own, received others".into()) }
}

/// The op's float32 results plus numbers that differ from place to place, and the plan. With `apart` the results themselves
/// are wanted too, so that no step may add the numbers to them before it ends.
pub(crate) fn with_loop(op: &Arc<dyn Op>, operands: &[Tensor], apart: bool) -> (Vec<Tensor>, String) {
    let mut graph = Graph::new();
    let known = |tensor: &Tensor| TensorType::known(tensor.dtype(), tensor.shape());
    let mut inputs = operands.to_vec();
    let ids: Vec<ValueId> = inputs.iter().map(|tensor| graph.input(known(tensor))).collect();
    let results = graph.emit(op.clone(), &ids).unwrap();
    let mut outputs = Vec::new();
    for &id in &results {
        let ty = graph.ty(id).clone();
        if ty.dtype == DType::Float32 {
            let count = ty.extents().iter().product();
            let places = (0..count).map(|place| place as f64).collect();
            inputs.push(to_tensor(&Reference::new(DType::Float32, &ty.extents(), places)));
            let places = graph.input(ty);
            outputs.push(graph.apply(Map(Function::Add), &[id, places]).unwrap());
        }
    }
    let count = outputs.len();
    if apart {
        outputs.extend(results);
    }
    let program = Program::new(&graph, &outputs, &[]).unwrap();
    let mut sums = program.run(&inputs, None).unwrap();
    sums.truncate(count);
    let shapes: Vec<Vec<usize>> = inputs.iter().map(|tensor| tensor.shape().to_vec()).collect();
    (sums, program.describe(&shapes).unwrap())
}
