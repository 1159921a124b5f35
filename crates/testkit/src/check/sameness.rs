//! The same bits, whatever surrounds the computation.

use super::{Case, forward};
use crate::to_tensor;
use ferrograph_executor::Program;
use ferrograph_graph::Variable;
use ferrograph_kernels::pool;
use ferrograph_tensor::Tensor;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of threads belongs to the process.
static THREADS: Mutex<()> = Mutex::new(());

pub(crate) fn check(case: &Case) -> Vec<String> {
    let _threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let before = pool::threads();
    pool::set_threads(1);
    let alone = forward::run(case);
    pool::set_threads(2);
    let shared = forward::run(case);
    let again = forward::run(case);
    pool::set_threads(before);
    let mut wrong = Vec::new();
    wrong.extend(other("two threads against one", &shared, &alone));
    wrong.extend(other("the second run against the first", &again, &shared));
    wrong.extend(other("variables against inputs", &of_variables(case), &alone));
    wrong.extend(other("constants against inputs", &of_constants(case), &alone));
    wrong
}

/// Operands from variables, twice, so that kept preparations are used.
fn of_variables(case: &Case) -> Vec<Tensor> {
    let (graph, _, results) =
        case.graph(|graph, n| graph.variable(&Arc::new(Variable::new("operand", to_tensor(&case.operands[n])))));
    let program = Program::new(&graph, &results, &[]).unwrap();
    program.run(&[], None).unwrap();
    program.run(&[], None).unwrap()
}

/// Operands from constants: the executor computes the op when it compiles.
fn of_constants(case: &Case) -> Vec<Tensor> {
    let (graph, _, results) = case.graph(|graph, n| graph.constant(to_tensor(&case.operands[n])));
    Program::new(&graph, &results, &[]).unwrap().run(&[], None).unwrap()
}

fn other(what: &str, have: &[Tensor], want: &[Tensor]) -> Vec<String> {
    let differs = |(_, (have, want)): &(usize, (&Tensor, &Tensor))| have.buffer().bytes() != want.buffer().bytes();
    let pairs = have.iter().zip(want).enumerate().filter(differs);
    pairs.map(|(n, (have, want))| format!("{what}: result {n} differs{}", first(have, want))).collect()
}

fn first(have: &Tensor, want: &Tensor) -> String {
    let (have, want) = (crate::from_tensor(have).data, crate::from_tensor(want).data);
    let at = have.iter().zip(&want).position(|(a, b)| a.to_bits() != b.to_bits());
    at.map_or_else(String::new, |at| format!(" at [{at}]: {:e} for {:e}", have[at], want[at]))
}
