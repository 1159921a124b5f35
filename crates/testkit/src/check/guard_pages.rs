//! Operands, results and scratch memory against pages that may not be touched.

use super::epilogue::with_loop;
use super::sameness::other;
use super::{Case, forward};
use crate::to_tensor;
use ferrograph_graph::{Plan, RunContext, Step};
use ferrograph_simd::{Level, with_level};
use ferrograph_tensor::guard::{Side, with_guard_pages};
use ferrograph_tensor::{Arena, Buffer, DType, Place, Region, Shared, Tensor, byte_size};
use std::sync::Arc;

/// What results and scratch memory hold before a step runs: NaN in float32, and no value of bool.
const ARBITRARY: u8 = 0xFF;

pub(crate) fn check(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    for level in Level::available() {
        with_level(level, || {
            // Guarded runs come first: a kernel that leaves its operands is not let near other memory.
            let mut guarded = Vec::new();
            for side in [Side::Before, Side::After] {
                let place = format!("on {} against a page {side:?}", level.name()).to_lowercase();
                let (name, attributes) = (case.sample.op.name(), case.sample.op.attributes());
                let shapes: Vec<_> = case.operands.iter().map(|operand| &operand.shape).collect();
                let label: &'static str = format!("{name} {attributes} {shapes:?} {place}").leak();
                guarded.push(with_guard_pages(side, label, || {
                    (place, forward::run(case), run_step(case), run_loop(case))
                }));
            }
            let (usual, usual_loop) = (forward::run(case), run_loop(case));
            for (place, program, step, with_loop) in &guarded {
                wrong.extend(other(&format!("{place}, as a program"), program, &usual));
                wrong.extend(step.iter().flat_map(|step| other(&format!("{place}, alone"), step, &usual)));
                wrong.extend(other(&format!("{place}, with a loop"), with_loop, &usual_loop));
            }
        });
    }
    wrong
}

/// The op with a loop in its store, or after it.
fn run_loop(case: &Case) -> Vec<Tensor> {
    let operands: Vec<Tensor> = case.operands.iter().map(to_tensor).collect();
    with_loop(&case.sample.op, &operands, false).0
}

/// The op's results if it is a step; everything that the step works on lies in a buffer of its own.
fn run_step(case: &Case) -> Option<Vec<Tensor>> {
    let Plan::Step(step) = case.sample.op.plan(&case.types, &case.results).unwrap() else { return None };
    // Kernels need not know what to do without elements.
    if case.expected.iter().all(|result| result.data.is_empty()) {
        return None;
    }
    let operands: Vec<Tensor> = case.operands.iter().map(to_tensor).collect();
    let mut shared: Vec<Shared<'_>> = operands.iter().map(|operand| Shared::Kept(operand.buffer().clone())).collect();
    for (index, preparation) in step.preparations().iter().enumerate() {
        let mut form = arbitrary(preparation.len * size_of::<f32>());
        let operand = operands[preparation.operand].view();
        step.prepare(index, operand, form.view_mut(DType::Float32).f32());
        shared.push(Shared::Kept(Arc::new(form)));
    }
    let types =
        case.operands.iter().map(|operand| operand.dtype).chain(step.preparations().iter().map(|_| DType::Float32));
    let mut read: Vec<Place> = shared
        .iter()
        .zip(types)
        .enumerate()
        .map(|(n, (buffer, dtype))| Place { region: Region::Shared(n), bytes: buffer.bytes().len(), dtype })
        .collect();
    for (n, place) in read[..operands.len()].iter_mut().enumerate() {
        if !case.sample.op.reads(n) {
            *place = Place { region: Region::Block { offset: 0 }, bytes: 0, ..*place };
        }
    }
    let mut own: Vec<Buffer> =
        case.expected.iter().map(|result| arbitrary(byte_size(result.dtype, &result.shape).unwrap())).collect();
    own.push(arbitrary(step.scratch_len() * size_of::<f32>()));
    let types = case.expected.iter().map(|result| result.dtype).chain([DType::Float32]);
    let write: Vec<Place> = own
        .iter()
        .zip(types)
        .enumerate()
        .map(|(n, (buffer, dtype))| Place { region: Region::Own(n), bytes: buffer.bytes().len(), dtype })
        .collect();
    let mut block = Buffer::new(0).unwrap();
    let mut arena = Arena { block: &mut block, shared: &shared, own: &mut own };
    run(&*step, &mut arena, read.split_at(operands.len()), write.split_at(case.expected.len()));
    let results = own.into_iter().zip(&case.expected);
    Some(
        results.map(|(buffer, want)| Tensor::from_buffer(want.dtype, &want.shape, Arc::new(buffer)).unwrap()).collect(),
    )
}

fn run(step: &dyn Step, arena: &mut Arena<'_>, read: (&[Place], &[Place]), write: (&[Place], &[Place])) {
    let mut parts = Vec::new();
    let ([inputs, prepared], [outputs, mut scratch]) = arena.operands([read.0, read.1], [write.0, write.1], &mut parts);
    step.run(RunContext { inputs, prepared, outputs, scratch: scratch.f32(0) }).unwrap();
}

fn arbitrary(bytes: usize) -> Buffer {
    let mut buffer = Buffer::new(bytes).unwrap();
    buffer.bytes_mut().fill(ARBITRARY);
    buffer
}
