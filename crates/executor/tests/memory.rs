//! What runs allocate.

mod common;

use common::{data, float, map, to_tensor, variable};
use ferrograph_executor::{Program, ProgramError};
use ferrograph_graph::{Graph, GraphError, TensorType};
use ferrograph_tensor::{DType, ShapeError, Tensor, allocated_bytes, memory_limit, set_memory_limit};
use ferrograph_testkit::toy::{Function, MatMul, Refuse, Total};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The count of memory belongs to the process, so every test of this file waits for the others.
static MEMORY: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_warm_run_allocates_only_its_outputs() {
    let _alone = alone();
    let mut graph = Graph::new();
    let (x, w) = (graph.input(TensorType::new(DType::Float32, [None, Some(64)])), graph.input(float(&[64, 64])));
    let y = graph.apply(MatMul::default(), &[x, w]).unwrap();
    let y = map(&mut graph, Function::Negative, &[y]);
    let y = graph.apply(MatMul::default(), &[y, w]).unwrap();
    let program = Program::new(&graph, &[y], &[]).unwrap();
    let inputs = [to_tensor(&data(&[128, 64], 1)), to_tensor(&data(&[64, 64], 2))];
    let cold = allocated_bytes();
    drop(program.run(&inputs, None).unwrap());
    let warm = allocated_bytes();
    assert!(warm > cold, "the block stays");
    for _ in 0..3 {
        drop(program.run(&inputs, None).unwrap());
        assert_eq!(allocated_bytes(), warm);
    }
    // A smaller batch uses the same block.
    drop(program.run(&[to_tensor(&data(&[5, 64], 1)), inputs[1].clone()], None).unwrap());
    assert_eq!(allocated_bytes(), warm);
    drop(program);
    assert_eq!(allocated_bytes(), cold);
}

#[test]
fn a_plan_beyond_the_limit_is_an_error_before_it_allocates() {
    let _alone = alone();
    let mut graph = Graph::new();
    let x = graph.input(TensorType::new(DType::Float32, [None]));
    let negative = map(&mut graph, Function::Negative, &[x]);
    let total = graph.apply(Total { like: false }, &[negative]).unwrap();
    let program = Program::new(&graph, &[total], &[]).unwrap();
    let input = Tensor::zeros(DType::Float32, &[100_000]).unwrap();
    let (before, limit) = (allocated_bytes(), memory_limit());
    set_memory_limit(before + 100_000);
    let error = program.run(std::slice::from_ref(&input), None).unwrap_err();
    set_memory_limit(limit);
    let ProgramError::Graph(GraphError::Shape(ShapeError::Memory { wanted, .. })) = error else { panic!("{error}") };
    assert!(wanted >= 400_000);
    assert_eq!(allocated_bytes(), before);
    assert!(program.run(&[input], None).is_ok());
}

#[test]
fn updates_run_as_soon_as_they_can() {
    // A chain of values, each of which also updates a variable at the end of the list: the chain needs two places, not
    // one for each value.
    let _alone = alone();
    let mut graph = Graph::new();
    let x = graph.input(TensorType::known(DType::Float32, &[16]));
    let (mut y, mut values) = (x, Vec::new());
    for _ in 0..10 {
        y = graph.apply(Refuse::default(), &[y]).unwrap();
        values.push(y);
    }
    let updates: Vec<_> = values
        .into_iter()
        .map(|value| (variable("w", &[16], &[0.0; 16]), map(&mut graph, Function::Negative, &[value])))
        .collect();
    let program = Program::new(&graph, &[], &updates).unwrap();
    let text = program.describe(&[vec![16]]).unwrap();
    // Two values of 64 bytes and the scratch memory of a loop.
    assert!(text.contains("block 128 B"), "{text}");
}
