//! What follows from variables alone is computed once for each value of them.

mod common;

use common::{check, data, float, map, variable};
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, ValueId, Variable};
use ferrograph_tensor::{DType, Tensor, View};
use ferrograph_testkit::toy::{Function, MatMul, Rename, Total};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

const N: usize = 8;

fn vector(value: f32) -> Tensor {
    Tensor::new(DType::Float32, &[N], View::F32(&[value; N])).unwrap()
}

fn weights(value: f32) -> Arc<Variable> {
    variable("w", &[N], &[value; N])
}

/// `x / (v * w)` for an input `x`.
fn quotient(v: &Arc<Variable>, w: &Arc<Variable>) -> (Graph, ValueId) {
    let mut graph = Graph::new();
    let (x, v, w) = (graph.input(float(&[N])), graph.variable(v), graph.variable(w));
    let product = map(&mut graph, Function::Multiply, &[v, w]);
    let y = map(&mut graph, Function::Divide, &[x, product]);
    (graph, y)
}

fn first(program: &Program, x: f32) -> f32 {
    program.run(&[vector(x)], None).unwrap()[0].view().f32()[0]
}

#[test]
fn follows_every_change() {
    let (v, w) = (weights(2.0), weights(3.0));
    let (graph, y) = quotient(&v, &w);
    let program = check(&graph, &[data(&[N], 1)], &[y]);
    assert!(!program.describe(&[vec![N]]).unwrap().contains("multiply"));
    assert_eq!([first(&program, 12.0), first(&program, 6.0)], [2.0, 1.0]);
    v.assign(vector(4.0)).unwrap();
    assert_eq!([first(&program, 12.0), first(&program, 6.0)], [1.0, 0.5]);
    w.assign(vector(1.0)).unwrap();
    v.assign(vector(1.0)).unwrap();
    assert_eq!(first(&program, 12.0), 12.0);
}

#[test]
fn prepared_forms_are_made_once_for_each_value() {
    let op = MatMul::default();
    let (v, w) = (variable("v", &[2, 3], &[1.0; 6]), variable("w", &[3], &[1.0, 2.0, 3.0]));
    let mut graph = Graph::new();
    let x = graph.input(float(&[4, 2]));
    let (vv, vw) = (graph.variable(&v), graph.variable(&w));
    let product = map(&mut graph, Function::Multiply, &[vv, vw]);
    let y = graph.apply(op.clone(), &[x, product]).unwrap();
    let program = check(&graph, &[data(&[4, 2], 1)], &[y]);
    assert_eq!(op.prepared.load(Ordering::Relaxed), 1, "two runs");
    w.assign(Tensor::new(DType::Float32, &[3], View::F32(&[5.0, 6.0, 7.0])).unwrap()).unwrap();
    common::compare(&program, &graph, &[data(&[4, 2], 2)], &[y]);
    assert_eq!(op.prepared.load(Ordering::Relaxed), 2);
}

#[test]
fn only_what_is_worth_it_is_kept() {
    let kept = |build: &dyn Fn(&mut Graph, ValueId, ValueId) -> Vec<ValueId>, shape: &[usize]| {
        let count = shape.iter().product();
        let w = variable("w", shape, &data(shape, 3).data[..count].iter().map(|&x| x as f32).collect::<Vec<_>>());
        let mut graph = Graph::new();
        let (x, w) = (graph.input(float(&[4, N])), graph.variable(&w));
        let outputs = build(&mut graph, x, w);
        let program = check(&graph, &[data(&[4, N], 1)], &outputs);
        !program.describe(&[vec![4, N]]).unwrap().contains("negative")
    };
    let plain = |graph: &mut Graph, x, w| {
        let negative = map(graph, Function::Negative, &[w]);
        vec![map(graph, Function::Multiply, &[x, negative])]
    };
    assert!(kept(&plain, &[N]));
    assert!(!kept(&plain, &[]), "a single number");
    let renamed = |graph: &mut Graph, x, w| {
        let negative = map(graph, Function::Negative, &[w]);
        let flat = graph.apply(Rename {}, &[negative]).unwrap();
        vec![map(graph, Function::Multiply, &[x, flat])]
    };
    assert!(kept(&renamed, &[2, N / 2]), "under another shape");
    let wanted = |graph: &mut Graph, x, w| {
        let negative = map(graph, Function::Negative, &[w]);
        vec![map(graph, Function::Multiply, &[x, negative]), negative]
    };
    assert!(!kept(&wanted, &[N]), "an output");
    let within = |graph: &mut Graph, x, w| {
        let negative = map(graph, Function::Negative, &[w]);
        let total = graph.apply(Total { like: false }, &[negative]).unwrap();
        vec![map(graph, Function::Multiply, &[x, total])]
    };
    assert!(kept(&within, &[N]), "a number that follows from many");
}

#[test]
fn what_a_program_changes_is_not_kept() {
    let (v, w) = (weights(2.0), weights(3.0));
    let (mut graph, y) = quotient(&v, &w);
    let (vw, one) = (graph.variable(&w), graph.constant(vector(1.0)));
    let next = map(&mut graph, Function::Add, &[vw, one]);
    let program = Program::new(&graph, &[y], &[(w, next)]).unwrap();
    assert!(program.describe(&[vec![N]]).unwrap().contains("multiply"));
    assert_eq!([first(&program, 24.0), first(&program, 24.0)], [4.0, 3.0]);
}

#[test]
fn every_run_sees_the_variables_of_one_time() {
    // A program keeps v * w at 1 by doubling the one and halving the other, then back.
    let (v, w) = (weights(1.0), weights(1.0));
    let (graph, y) = quotient(&v, &w);
    let predict = Program::new(&graph, &[y], &[]).unwrap();
    let mut graph = Graph::new();
    let factor = graph.input(float(&[N]));
    let (vv, vw) = (graph.variable(&v), graph.variable(&w));
    let updates = [
        (v, map(&mut graph, Function::Multiply, &[vv, factor])),
        (w, map(&mut graph, Function::Divide, &[vw, factor])),
    ];
    let train = Program::new(&graph, &[], &updates).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(first(&predict, 3.0), 3.0);
                }
            });
        }
        for round in 0..400 {
            train.run(&[vector(if round % 2 == 0 { 2.0 } else { 0.5 })], None).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(first(&predict, 3.0), 3.0);
}
