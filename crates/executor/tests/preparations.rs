//! One prepared form of a variable's value, for all plans and programs that prepare it alike.

mod common;

use common::{map, variable};
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, TensorType, Variable};
use ferrograph_tensor::{DType, Tensor, View, allocated_bytes};
use ferrograph_testkit::toy::{Function, MatMul};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

const K: usize = 64;
const N: usize = 256;

/// x times the variable, and its negative if asked for.
fn program(op: &MatMul, w: &Arc<Variable>, negative: bool) -> Program {
    let mut graph = Graph::new();
    let (x, vw) = (graph.input(TensorType::new(DType::Float32, [None, Some(K)])), graph.variable(w));
    let mut y = graph.apply(op.clone(), &[x, vw]).unwrap();
    if negative {
        y = map(&mut graph, Function::Negative, &[y]);
    }
    Program::new(&graph, &[y], &[]).unwrap()
}

/// A row of ones in a batch of any size sums up the columns of the variable.
fn first_sum(program: &Program, rows: usize) -> f32 {
    let x = Tensor::new(DType::Float32, &[rows, K], View::F32(&vec![1.0; rows * K])).unwrap();
    program.run(&[x], None).unwrap()[0].view().f32()[0]
}

fn weights(value: f32) -> Tensor {
    Tensor::new(DType::Float32, &[K, N], View::F32(&vec![value; K * N])).unwrap()
}

// One test, since the count of allocated bytes belongs to the process.
#[test]
fn plans_and_programs_share_one_form() {
    let w = variable("w", &[K, N], &vec![0.5; K * N]);
    let op = MatMul::default();
    let prepared = || op.prepared.load(Ordering::Relaxed);
    let [predict, evaluate] = [false, true].map(|negative| program(&op, &w, negative));
    let before = allocated_bytes();
    for rows in 1..=8 {
        assert_eq!((first_sum(&predict, rows), first_sum(&evaluate, rows)), (32.0, -32.0));
    }
    assert_eq!(prepared(), 1, "16 plans, one form");
    // The form, and a block of at most 8 rows for each program; 16 forms would be 1 MiB.
    assert!(allocated_bytes() - before < 2 * K * N * 4, "{} bytes", allocated_bytes() - before);

    w.assign(weights(0.25)).unwrap();
    for rows in 1..=8 {
        assert_eq!((first_sum(&evaluate, rows), first_sum(&predict, rows)), (-16.0, 16.0));
    }
    assert_eq!(prepared(), 2, "made again once for the new value");

    // The form goes with the last plan that uses it.
    drop(predict);
    assert_eq!((first_sum(&evaluate, 1), prepared()), (-16.0, 2));
    drop(evaluate);
    assert!(allocated_bytes() <= before, "{} bytes more", allocated_bytes() - before);
    assert_eq!((first_sum(&program(&op, &w, false), 1), prepared()), (16.0, 3));

    // Another variable has a form of its own, though its values and its version are the same.
    let other = variable("w", &[K, N], &vec![0.5; K * N]);
    other.assign(weights(1.0)).unwrap();
    let both = [program(&op, &w, false), program(&op, &other, false)];
    assert_eq!(both.each_ref().map(|program| first_sum(program, 1)), [16.0, 64.0]);

    // While the value changes, every run sees one whole value.
    let negative = program(&op, &w, true);
    thread::scope(|scope| {
        for program in [&both[0], &negative] {
            scope.spawn(move || {
                for rows in (1..=4).cycle().take(400) {
                    let sum = first_sum(program, rows).abs();
                    assert!([16.0, 32.0, 48.0].contains(&sum), "{sum}");
                }
            });
        }
        for round in 0..250u8 {
            w.assign(weights(0.25 * f32::from(round % 3 + 1))).unwrap();
        }
    });
}
