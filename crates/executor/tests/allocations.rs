//! A warm run allocates nothing for its steps, whatever their number.
//!
//! Contains `unsafe`: an allocator that counts cannot be written without.

mod common;

use common::{float, map, variable};
use ferrograph_executor::Program;
use ferrograph_graph::{Graph, ValueId};
use ferrograph_kernels::pool::set_threads;
use ferrograph_tensor::{DType, Tensor};
use ferrograph_testkit::toy::{Function, MatMul};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Of each output: the elements, their shared owner and the shape.
const PER_OUTPUT: usize = 3;
/// Of each updated variable whose value nobody else holds: the new value's shared owner and shape.
const PER_UPDATE: usize = 2;

/// Allocations of one warm run.
fn count(program: &Program, inputs: &[Tensor]) -> usize {
    for _ in 0..3 {
        program.run(inputs, None).unwrap();
    }
    let before = COUNT.get();
    let outputs = program.run(inputs, None).unwrap();
    let after = COUNT.get();
    drop(outputs);
    after - before
}

/// `layers` products with a kept preparation, each followed by a loop or with it inside, all of `[n, n]`.
fn chain(graph: &mut Graph, n: usize, layers: usize, with_epilogue: bool) -> ValueId {
    let x = graph.input(float(&[n, n]));
    let mut y = x;
    for layer in 0..layers {
        let w = variable(&format!("w{layer}"), &[n, n], &vec![0.25; n * n]);
        let w = graph.variable(&w);
        let product = graph.apply(MatMul { with_epilogue, ..MatMul::default() }, &[y, w]).unwrap();
        let sum = map(graph, Function::Add, &[product, x]);
        y = map(graph, Function::Root, &[sum]);
    }
    y
}

#[test]
fn steps_allocate_nothing() {
    // Another thread's allocations are not seen, and waking one is the pool's affair.
    set_threads(1);
    // 200 x 200 elements are several chunks of a loop.
    for (n, layers, inside) in [(2, 1, false), (2, 30, false), (2, 30, true), (200, 1, false), (200, 3, true)] {
        let mut graph = Graph::new();
        let y = chain(&mut graph, n, layers, inside);
        let program = Program::new(&graph, &[y], &[]).unwrap();
        let x = Tensor::zeros(DType::Float32, &[n, n]).unwrap();
        // The list of outputs is one more.
        assert_eq!(count(&program, &[x]), PER_OUTPUT + 1, "{layers} layers of {n}");
    }
}

#[test]
fn updates_allocate_nothing_for_elements() {
    set_threads(1);
    for updates in 1..=4 {
        let mut graph = Graph::new();
        let x = graph.input(float(&[64]));
        let updates: Vec<_> = (0..updates)
            .map(|n| {
                let w = variable(&format!("w{n}"), &[64], &[1.0; 64]);
                let old = graph.variable(&w);
                (w, map(&mut graph, Function::Add, &[old, x]))
            })
            .collect();
        let program = Program::new(&graph, &[], &updates).unwrap();
        let x = Tensor::zeros(DType::Float32, &[64]).unwrap();
        // The list of locks is one more.
        assert_eq!(count(&program, &[x]), PER_UPDATE * updates.len() + 1, "{} updates", updates.len());
    }
}
