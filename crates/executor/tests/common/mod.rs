//! What the executor's tests share: deterministic data, and runs held against the f64 interpreter.
#![allow(dead_code, reason = "each test file uses a part")]

use ferrograph_executor::Program;
use ferrograph_graph::{Graph, Reference, TensorType, ValueId, Variable};
use ferrograph_tensor::{DType, Tensor, View};
use ferrograph_testkit::evaluate;
use ferrograph_testkit::toy::{Function, Map};
use std::sync::Arc;

pub use ferrograph_testkit::to_tensor;

/// float32 of any shape, all extents known.
pub fn float(shape: &[usize]) -> TensorType {
    TensorType::known(DType::Float32, shape)
}

/// Numbers between 0.5 and 2, different for each seed.
pub fn data(shape: &[usize], seed: u64) -> Reference {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    Reference::from_fn(DType::Float32, shape, |_| {
        // xorshift64 (Marsaglia 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from(0.5 + 1.5 * ((state >> 40) as f32 / (1u64 << 24) as f32))
    })
}

/// Adds an element-wise node.
pub fn map(graph: &mut Graph, function: Function, operands: &[ValueId]) -> ValueId {
    graph.apply(Map(function), operands).unwrap()
}

/// A variable holding these elements.
pub fn variable(name: &str, shape: &[usize], values: &[f32]) -> Arc<Variable> {
    Arc::new(Variable::new(name, Tensor::new(DType::Float32, shape, View::F32(values)).unwrap()))
}

/// Runs the graph as a program and through the interpreter and compares.
pub fn check(graph: &Graph, inputs: &[Reference], outputs: &[ValueId]) -> Program {
    let program = Program::new(graph, outputs, &[]).unwrap();
    compare(&program, graph, inputs, outputs);
    program
}

/// As [`check`] with a program that exists.
pub fn compare(program: &Program, graph: &Graph, inputs: &[Reference], outputs: &[ValueId]) {
    let expected = evaluate(graph, inputs, outputs);
    let tensors: Vec<Tensor> = inputs.iter().map(to_tensor).collect();
    for round in 0..2 {
        let received = program.run(&tensors, None).unwrap();
        assert_eq!(received.len(), expected.len());
        for (n, (have, want)) in received.iter().zip(&expected).enumerate() {
            assert_eq!(have.shape(), want.shape, "output {n}");
            for (i, (have, want)) in have.view().f32().iter().zip(&want.data).enumerate() {
                // Chains of a few dozen roundings; the interpreter rounds nothing.
                let error = (f64::from(*have) - want).abs();
                assert!(error <= 1e-5 * want.abs().max(1.0), "round {round}, output {n}[{i}]: {have} for {want}");
            }
        }
    }
}
