//! The same bits, whatever surrounds the computation.

use super::{Case, epilogue::with_loop, forward};
use crate::to_tensor;
use ferrograph_executor::Program;
use ferrograph_graph::Variable;
use ferrograph_kernels::pool;
use ferrograph_simd::{Level, with_level};
use ferrograph_tensor::Tensor;
use std::sync::{Arc, Mutex, PoisonError};

/// The number of threads belongs to the process.
static THREADS: Mutex<()> = Mutex::new(());

pub(crate) fn check(case: &Case) -> Vec<String> {
    let _threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    let before = pool::threads();
    pool::set_threads(1);
    let alone = forward::run(case);
    let mut wrong = Vec::new();
    for threads in 2..=4 {
        pool::set_threads(threads);
        wrong.extend(other(&format!("{threads} threads against one"), &forward::run(case), &alone));
    }
    wrong.extend(other("the next run against the first", &forward::run(case), &alone));
    pool::set_threads(before);
    wrong.extend(other("variables against inputs", &of_variables(case), &alone));
    wrong.extend(of_levels(case));
    let operands: Vec<Tensor> = case.operands.iter().map(to_tensor).collect();
    let [inside, after] = [false, true].map(|apart| with_loop(&case.sample.op, &operands, apart).0);
    wrong.extend(other("a loop inside the step against one after it", &inside, &after));
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

/// Operands from the same variables on every instruction set: a preparation for one of them is none for another.
fn of_levels(case: &Case) -> Vec<String> {
    let operands: Vec<Arc<Variable>> =
        case.operands.iter().map(|operand| Arc::new(Variable::new("operand", to_tensor(operand)))).collect();
    let (graph, _, results) = case.graph(|graph, n| graph.variable(&operands[n]));
    // All programs live at the same time, so that they share what can be shared.
    let programs = Level::available().into_iter().map(|level| (level, Program::new(&graph, &results, &[]).unwrap()));
    let programs: Vec<(Level, Program)> = programs.collect();
    let differences = programs.iter().flat_map(|(level, program)| {
        let [have, want] = with_level(*level, || [program.run(&[], None).unwrap(), forward::run(case)]);
        other(&format!("variables against inputs on {}", level.name()), &have, &want)
    });
    differences.collect()
}

/// Operands from constants: the executor computes the op when it compiles.
fn of_constants(case: &Case) -> Vec<Tensor> {
    let (graph, _, results) = case.graph(|graph, n| graph.constant(to_tensor(&case.operands[n])));
    Program::new(&graph, &results, &[]).unwrap().run(&[], None).unwrap()
}

pub(super) fn other(what: &str, have: &[Tensor], want: &[Tensor]) -> Vec<String> {
    let differs = |(_, (have, want)): &(usize, (&Tensor, &Tensor))| have.buffer().bytes() != want.buffer().bytes();
    let pairs = have.iter().zip(want).enumerate().filter(differs);
    pairs.map(|(n, (have, want))| format!("{what}: result {n} differs{}", first(have, want))).collect()
}

fn first(have: &Tensor, want: &Tensor) -> String {
    let (have, want) = (crate::from_tensor(have).data, crate::from_tensor(want).data);
    let at = have.iter().zip(&want).position(|(a, b)| a.to_bits() != b.to_bits());
    at.map_or_else(String::new, |at| format!(" at [{at}]: {:e} for {:e}", have[at], want[at]))
}
