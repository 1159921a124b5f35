//! Operands that nobody would choose: errors are right answers, panics are not.

use super::{Case, guarded};
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, TensorType, ValueId};
use ferrograph_tensor::{DType, Tensor};

/// What extents are replaced by: empty, one, and more than fits any arithmetic.
const EXTENTS: [usize; 4] = [0, 1, 1 << 53, usize::MAX];

pub(crate) fn check(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    for operands in types(case) {
        if let Err(panic) = guarded(|| case.sample.op.infer(&operands)) {
            let operands: Vec<String> = operands.iter().map(TensorType::to_string).collect();
            wrong.push(format!("shape rule of {}: {panic}", operands.join(", ")));
        }
    }
    for shapes in empty(case) {
        if let Err(panic) = guarded(|| run_zeros(case, &shapes)) {
            wrong.push(format!("run of {shapes:?}: {panic}"));
        }
    }
    wrong
}

fn types(case: &Case) -> Vec<Vec<TensorType>> {
    let own = &case.types;
    let mut all = vec![Vec::new(), [own.as_slice(), own.as_slice()].concat()];
    for n in 0..own.len() {
        let mut with = |change: &dyn Fn(&mut TensorType)| {
            let mut types = own.clone();
            change(&mut types[n]);
            all.push(types);
        };
        for dtype in [DType::Float32, DType::Int32, DType::Bool, DType::Uint8] {
            with(&|ty| ty.dtype = dtype);
        }
        for axis in 0..own[n].rank() {
            for extent in EXTENTS {
                with(&|ty| ty.shape[axis] = Some(extent));
            }
        }
        with(&|ty| ty.shape.clear());
        with(&|ty| ty.shape = vec![None; 9]);
        with(&|ty| ty.shape.push(Some(2)));
        with(&|ty| ty.shape.insert(0, None));
        with(&|ty| ty.shape.truncate(1));
        all.push([&own[..n], &own[n + 1..]].concat());
    }
    for extent in EXTENTS {
        let mut types = own.clone();
        types.iter_mut().flat_map(|ty| &mut ty.shape).for_each(|n| *n = Some(extent));
        all.push(types);
    }
    all
}

/// Shapes with no elements: one axis of one operand, and that axis wherever it has the same extent.
fn empty(case: &Case) -> Vec<Vec<Vec<usize>>> {
    let own: Vec<Vec<usize>> = case.operands.iter().map(|operand| operand.shape.clone()).collect();
    let mut all = Vec::new();
    for n in 0..own.len() {
        for axis in 0..own[n].len() {
            let mut one = own.clone();
            one[n][axis] = 0;
            all.push(one);
            let extent = own[n][axis];
            let everywhere = own.iter().map(|shape| {
                let mut shape = shape.clone();
                if shape.get(axis) == Some(&extent) {
                    shape[axis] = 0;
                }
                shape
            });
            all.push(everywhere.collect());
        }
    }
    all
}

/// Runs the op on zeros of these shapes, if its rule takes them.
fn run_zeros(case: &Case, shapes: &[Vec<usize>]) {
    let mut graph = Graph::new();
    let types = case.types.iter().zip(shapes).map(|(ty, shape)| TensorType::known(ty.dtype, shape));
    let operands: Vec<ValueId> = types.map(|ty| graph.input(ty)).collect();
    let Ok(results) = graph.emit(case.sample.op.clone(), &operands) else { return };
    let zeros = case.types.iter().zip(shapes).map(|(ty, shape)| Tensor::zeros(ty.dtype, shape).unwrap());
    let program = Program::new(&graph, &results, &[]).unwrap();
    // An error about the data is a right answer.
    drop(program.run(&zeros.collect::<Vec<_>>(), None));
}
