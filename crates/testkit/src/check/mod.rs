//! What every op must pass.

mod derivative;
mod entries;
mod epilogue;
mod forward;
mod guard_pages;
mod hostile;
mod levels;
mod sameness;
mod shape_rule;

pub use epilogue::check_epilogue;
pub use levels::levels_that_differ;

use crate::fill::fill;
use ferrograph_graph::{Graph, Reference, Sample, TensorType, ValueId};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// One thing that is wrong with an op.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The op's name.
    pub op: String,
    /// Attributes and operands of the sample.
    pub sample: String,
    /// Which check: `shape rule`, `forward`, `guard pages`, `derivative`, `sameness`, `entries` or `hostile`.
    pub check: &'static str,
    /// What is wrong, with both numbers.
    pub detail: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}\n    {}: {}", self.op, self.sample, self.check, self.detail)
    }
}

/// Says what is wrong.
type Check = fn(&Case) -> Vec<String>;

/// A sample with its data.
pub(crate) struct Case {
    pub sample: Sample,
    pub operands: Vec<Reference>,
    pub types: Vec<TensorType>,
    pub results: Vec<TensorType>,
    /// What the op must compute.
    pub expected: Vec<Reference>,
}

/// Everything that is wrong with an op on one sample:
///
/// * `shape rule`: it gives the reference's shapes, and unknown extents leave the rest of its answer as it was;
/// * `forward`: the executor's results are the f64 reference's, within the sample's tolerance, on every instruction set;
/// * `guard pages`: nothing beside operands, results, scratch memory and prepared forms is touched, what they held before
///   does not matter, nor does their alignment;
/// * `derivative`: the vjp in f64 is the central difference of the reference, and the executor's vjp is near it;
/// * `sameness`: the bits do not depend on threads, repetition, or whether operands are inputs, variables or constants;
/// * `entries`: where the op says that it keeps entries apart, parts of a batch have the bits of the whole;
/// * `hostile`: no operand types and no empty operands make it panic.
///
/// A panic anywhere is a failure of the check it happened in.
pub fn check_op(name: &str, sample: &Sample) -> Vec<Failure> {
    let mut checks = KERNEL_CHECKS.to_vec();
    checks.extend([("shape rule", shape_rule::check as Check), ("hostile", hostile::check)]);
    if sample.differentiable {
        checks.push(("derivative", derivative::check));
    }
    run_checks(name, sample, &checks)
}

/// Everything that is wrong with an op's kernel on one sample, on every instruction set: the checks of [`check_op`] called
/// `forward`, `guard pages`, `sameness` and `entries`. They are quick enough for many shapes.
pub fn check_kernel(name: &str, sample: &Sample) -> Vec<Failure> {
    run_checks(name, sample, &KERNEL_CHECKS)
}

/// Guard pages come first: a kernel that leaves its operands is not let near memory that is not guarded.
const KERNEL_CHECKS: [(&str, Check); 4] = [
    ("guard pages", guard_pages::check),
    ("forward", forward::check),
    ("sameness", sameness::check),
    ("entries", entries::check),
];

fn run_checks(name: &str, sample: &Sample, checks: &[(&'static str, Check)]) -> Vec<Failure> {
    let shapes: Vec<String> = sample.operands.iter().map(|o| format!("{}{:?}", o.dtype, o.shape)).collect();
    let label = format!("{}({})", sample.op.attributes(), shapes.join(", "));
    let failure = |check, detail| Failure { op: name.to_owned(), sample: label.clone(), check, detail };
    let case = match guarded(|| Case::new(name, sample)) {
        Ok(Ok(case)) => case,
        Ok(Err(detail)) | Err(detail) => return vec![failure("shape rule", detail)],
    };
    let details = checks.iter().flat_map(|(name, check)| {
        let details = guarded(|| check(&case)).unwrap_or_else(|panic| vec![panic]);
        details.into_iter().map(move |detail| (*name, detail))
    });
    details.map(|(check, detail)| failure(check, detail)).collect()
}

impl Case {
    fn new(name: &str, sample: &Sample) -> Result<Self, String> {
        let mut case = Self::without_expected(name, sample)?;
        case.expected = sample.op.reference(&case.operands, &case.results);
        Ok(case)
    }

    fn without_expected(name: &str, sample: &Sample) -> Result<Self, String> {
        let operands: Vec<Reference> =
            sample.operands.iter().enumerate().map(|(n, operand)| fill(operand, &format!("{name} {n}"))).collect();
        let types: Vec<TensorType> = operands.iter().map(crate::type_of).collect();
        let results = sample.op.infer(&types).map_err(|e| format!("refuses the sample: expected {e}"))?;
        Ok(Self { sample: sample.clone(), operands, types, results, expected: Vec::new() })
    }

    /// The op alone in a graph; operands come from `make`.
    pub fn graph(&self, mut make: impl FnMut(&mut Graph, usize) -> ValueId) -> (Graph, Vec<ValueId>, Vec<ValueId>) {
        let mut graph = Graph::new();
        let operands: Vec<ValueId> = (0..self.operands.len()).map(|n| make(&mut graph, n)).collect();
        let results = graph.emit(self.sample.op.clone(), &operands).unwrap();
        (graph, operands, results)
    }
}

/// Runs `f` and turns a panic into its message.
pub(crate) fn guarded<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        format!("panicked: {}", text.unwrap_or_else(|| "without a message".into()))
    })
}

/// The first elements that differ by more than `allowed(reference)`; infinities and NaN must be the same.
pub(crate) fn differences(what: &str, have: &[f64], want: &[f64], allowed: impl Fn(f64) -> f64) -> Vec<String> {
    if have.len() != want.len() {
        return vec![format!("{what}: {} elements for {}", have.len(), want.len())];
    }
    let differs = |&(_, (have, want)): &(usize, (&f64, &f64))| {
        // What is beyond float32 is infinite in the engine.
        let same = *have == f64::from(*want as f32) || have == want || (have.is_nan() && want.is_nan());
        // Written so that a NaN on one side is a difference.
        !(same || (have - want).abs() <= allowed(*want))
    };
    let wrong: Vec<_> = have.iter().zip(want).enumerate().filter(differs).collect();
    let Some((index, (first, reference))) = wrong.first() else { return Vec::new() };
    let count = format!("{} of {} elements", wrong.len(), want.len());
    vec![format!("{what}[{index}]: received {first:e}, expected {reference:e} ({count})")]
}
