//! Programs that change variables: all at once, in turn, and not at all when a run fails.

mod common;

use common::{float, map, variable};
use ferrograph_executor::{Program, ProgramError};
use ferrograph_graph::{Graph, TensorType, Variable};
use ferrograph_tensor::{DType, Tensor, View};
use ferrograph_testkit::toy::{Function, MatMul, Refuse, Rename, Total};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn values(variable: &Variable) -> Vec<f32> {
    variable.read().0.view().f32().to_vec()
}

/// A program that adds its input to a variable and returns the sum of the new value.
fn accumulate(variable: &Arc<Variable>) -> Program {
    let mut graph = Graph::new();
    let (old, x) = (graph.variable(variable), graph.input(float(&[3])));
    let new = map(&mut graph, Function::Add, &[old, x]);
    let total = graph.apply(Total { like: false }, &[new]).unwrap();
    Program::new(&graph, &[total], &[(variable.clone(), new)]).unwrap()
}

fn three(values: [f32; 3]) -> Tensor {
    Tensor::new(DType::Float32, &[3], View::F32(&values)).unwrap()
}

#[test]
fn two_buffers_take_turns() {
    let w = variable("w", &[3], &[0.0; 3]);
    let program = accumulate(&w);
    let mut addresses = HashSet::new();
    for round in 1..=10u8 {
        program.run(&[three([1.0, 2.0, 3.0])], None).unwrap();
        assert_eq!(values(&w), [f32::from(round), 2.0 * f32::from(round), 3.0 * f32::from(round)]);
        addresses.insert(w.read().0.buffer().bytes().as_ptr() as usize);
    }
    assert_eq!(addresses.len(), 2);
}

#[test]
fn a_reader_keeps_the_value_it_began_with() {
    let w = variable("w", &[3], &[5.0; 3]);
    let program = accumulate(&w);
    let (held, _) = w.read();
    for _ in 0..5 {
        program.run(&[three([1.0; 3])], None).unwrap();
    }
    assert_eq!(held.view().f32(), [5.0; 3]);
    assert_eq!(values(&w), [10.0; 3]);
}

#[test]
fn runs_that_update_one_variable_take_turns() {
    let w = variable("w", &[3], &[0.0; 3]);
    let programs = [accumulate(&w), accumulate(&w)];
    thread::scope(|scope| {
        for program in &programs {
            for _ in 0..2 {
                scope.spawn(|| (0..250).for_each(|_| drop(program.run(&[three([1.0; 3])], None).unwrap())));
            }
        }
    });
    assert_eq!(values(&w), [1000.0; 3], "no update was lost");
}

#[test]
fn variables_that_update_each_other_are_never_seen_half() {
    // (a, b) becomes (b, a); a reader must never see the same value twice.
    let (a, b) = (variable("a", &[3], &[1.0; 3]), variable("b", &[3], &[2.0; 3]));
    let mut graph = Graph::new();
    let (va, vb) = (graph.variable(&a), graph.variable(&b));
    // The lists name the variables in both orders: locking must not depend on it.
    let swap = Program::new(&graph, &[], &[(a.clone(), vb), (b.clone(), va)]).unwrap();
    let back = Program::new(&graph, &[], &[(b.clone(), va), (a.clone(), vb)]).unwrap();
    let sum = map(&mut graph, Function::Add, &[va, vb]);
    let reader = Program::new(&graph, &[sum], &[]).unwrap();
    thread::scope(|scope| {
        for program in [&swap, &back] {
            scope.spawn(|| (0..300).for_each(|_| drop(program.run(&[], None).unwrap())));
        }
        for _ in 0..600 {
            assert_eq!(reader.run(&[], None).unwrap()[0].view().f32(), [3.0; 3]);
        }
    });
    assert_eq!(values(&a)[0] + values(&b)[0], 3.0);
}

#[test]
fn a_failed_run_changes_nothing() {
    let (w, slot) = (variable("w", &[3], &[1.0; 3]), variable("slot", &[3], &[2.0; 3]));
    let mut graph = Graph::new();
    let (vw, vs, x) = (graph.variable(&w), graph.variable(&slot), graph.input(float(&[3])));
    let new = map(&mut graph, Function::Add, &[vw, x]);
    let checked = graph.apply(Refuse::default(), &[x]).unwrap();
    let moved = map(&mut graph, Function::Add, &[vs, checked]);
    let program = Program::new(&graph, &[checked], &[(w.clone(), new), (slot.clone(), moved)]).unwrap();
    program.run(&[three([1.0; 3])], None).unwrap();
    let before = (values(&w), values(&slot), w.read().1, slot.read().1);
    let error = program.run(&[three([1.0, -1.0, 1.0])], None).unwrap_err();
    assert_eq!(error.to_string(), "refuse: expected no negative element, received -1 at 1");
    assert_eq!((values(&w), values(&slot), w.read().1, slot.read().1), before);
    program.run(&[three([1.0; 3])], None).unwrap();
    assert_eq!((values(&w), values(&slot)), (vec![3.0; 3], vec![4.0; 3]), "the next run works");
}

#[test]
fn a_cancelled_run_changes_nothing() {
    let w = variable("w", &[3], &[1.0; 3]);
    let flag = Arc::new(AtomicBool::new(false));
    let mut graph = Graph::new();
    let (vw, x) = (graph.variable(&w), graph.input(float(&[3])));
    let first = graph.apply(Refuse { flag: flag.clone() }, &[x]).unwrap();
    let total = graph.apply(Total { like: false }, &[first]).unwrap();
    let new = map(&mut graph, Function::Add, &[vw, total]);
    let program = Program::new(&graph, &[total], &[(w.clone(), new)]).unwrap();
    // The first step itself sets the flag, so the run stops before the second.
    assert!(matches!(program.run(&[three([1.0; 3])], Some(&flag)), Err(ProgramError::Cancelled)));
    assert!(flag.load(Ordering::Relaxed));
    assert_eq!((values(&w), w.read().1), (vec![1.0; 3], 0));
    program.run(&[three([1.0; 3])], None).unwrap();
    assert_eq!(values(&w), [4.0; 3]);
}

#[test]
fn one_value_for_many_places() {
    let (a, b, c) = (variable("a", &[3], &[1.0; 3]), variable("b", &[3], &[2.0; 3]), variable("c", &[3], &[3.0; 3]));
    let mut graph = Graph::new();
    let (va, x) = (graph.variable(&a), graph.input(float(&[3])));
    let sum = map(&mut graph, Function::Add, &[va, x]);
    let renamed = graph.apply(Rename {}, &[sum]).unwrap();
    // Two variables and two outputs get one computed value, one variable gets an input, and outputs name a variable that
    // changes in the same run.
    let updates = [(a.clone(), sum), (b.clone(), renamed), (c.clone(), x)];
    let program = Program::new(&graph, &[sum, va, renamed, x], &updates).unwrap();
    let outputs = program.run(&[three([1.0, 2.0, 3.0])], None).unwrap();
    let outputs: Vec<&[f32]> = outputs.iter().map(|output| output.view().f32()).collect();
    assert_eq!(outputs, [[2.0, 3.0, 4.0], [1.0, 1.0, 1.0], [2.0, 3.0, 4.0], [1.0, 2.0, 3.0]]);
    assert_eq!((values(&a), values(&b), values(&c)), (vec![2.0, 3.0, 4.0], vec![2.0, 3.0, 4.0], vec![1.0, 2.0, 3.0]));
    // An output that is the variable's memory is not written by the next run.
    let kept = program.run(&[three([0.0; 3])], None).unwrap();
    program.run(&[three([100.0; 3])], None).unwrap();
    assert_eq!(kept[1].view().f32(), [2.0, 3.0, 4.0]);
}

#[test]
fn refuses_values_that_do_not_fit() {
    let w = variable("w", &[3], &[0.0; 3]);
    let mut graph = Graph::new();
    let (x, y) = (graph.input(float(&[2])), graph.input(TensorType::new(DType::Float32, [None])));
    let error = Program::new(&graph, &[], &[(w.clone(), x)]).unwrap_err();
    assert_eq!(error.to_string(), "update of variable 'w': expected float32[3], received float32[2]");
    let error = Program::new(&graph, &[], &[(w.clone(), y), (w.clone(), y)]).unwrap_err();
    assert!(matches!(error, ProgramError::UpdatedTwice { .. }));
    // Whether an unknown extent fits shows when it is known.
    let program = Program::new(&graph, &[], &[(w.clone(), y)]).unwrap();
    let two = Tensor::zeros(DType::Float32, &[2]).unwrap();
    let error = program.run(&[two.clone(), two.clone()], None).unwrap_err();
    assert_eq!(error.to_string(), "update of variable 'w': expected float32[3], received float32[2]");
    program.run(&[two, three([7.0; 3])], None).unwrap();
    assert_eq!(values(&w), [7.0; 3]);
}

#[test]
fn prepared_weights_follow_the_variable() {
    let w = variable("w", &[2, 1], &[1.0, 2.0]);
    let op = MatMul::default();
    let mut graph = Graph::new();
    let (x, vw) = (graph.input(TensorType::new(DType::Float32, [None, Some(2)])), graph.variable(&w));
    let y = graph.apply(op.clone(), &[x, vw]).unwrap();
    let program = Program::new(&graph, &[y], &[]).unwrap();
    let run = || program.run(&[Tensor::new(DType::Float32, &[1, 2], View::F32(&[1.0, 10.0])).unwrap()], None).unwrap();
    for _ in 0..3 {
        assert_eq!(run()[0].view().f32(), [21.0]);
    }
    assert_eq!(op.prepared.load(Ordering::Relaxed), 1, "made once for three runs");
    w.assign(Tensor::new(DType::Float32, &[2, 1], View::F32(&[3.0, 4.0])).unwrap()).unwrap();
    for _ in 0..2 {
        assert_eq!(run()[0].view().f32(), [43.0]);
    }
    assert_eq!(op.prepared.load(Ordering::Relaxed), 2, "made again for the new value");
}
