//! A kernel that leaves its operands is found.
//!
//! Contains `unsafe`: the kernels here leave their operands.

use ferrograph_graph::{
    Graph, GraphError, Op, Operand, Plan, Reference, RunContext, Sample, Step, TensorType, ValueId,
};
use ferrograph_testkit::check_kernel;
use std::process::{Command, Output};

/// `FERROGRAPH_PLANT` names the fault in the process that runs [`planted`].
const VARIABLE: &str = "FERROGRAPH_PLANT";

/// `y = x`, and one float is read or written beside one of both.
#[derive(Clone, Debug)]
struct Copy {
    fault: String,
}

impl Op for Copy {
    fn name(&self) -> &'static str {
        "copy"
    }

    fn attributes(&self) -> String {
        "{}".into()
    }

    fn infer(&self, operands: &[TensorType]) -> Result<Vec<TensorType>, String> {
        Ok(operands.to_vec())
    }

    fn plan(&self, _operands: &[TensorType], _results: &[TensorType]) -> Result<Plan, GraphError> {
        Ok(Plan::Step(Box::new(self.clone())))
    }

    fn vjp(
        &self,
        _graph: &mut Graph,
        _operands: &[ValueId],
        _results: &[ValueId],
        gradients: &[Option<ValueId>],
    ) -> Result<Vec<Option<ValueId>>, GraphError> {
        Ok(gradients.to_vec())
    }

    fn reference(&self, operands: &[Reference], _results: &[TensorType]) -> Vec<Reference> {
        operands.to_vec()
    }
}

impl Step for Copy {
    fn run(&self, mut context: RunContext<'_>) -> Result<(), GraphError> {
        let (x, y) = (context.inputs.f32(0), context.outputs.f32(0));
        y.copy_from_slice(x);
        let (x_start, x_end) = (x.as_ptr(), x.as_ptr_range().end);
        let (y_start, y_end) = (y.as_mut_ptr(), y.as_mut_ptr_range().end);
        // SAFETY: none; this is the fault that has to be found. It happens only in a process started for it.
        unsafe {
            match self.fault.as_str() {
                "read before" => drop(x_start.sub(1).read_volatile()),
                "read after" => drop(x_end.read_volatile()),
                "write before" => y_start.sub(1).write_volatile(1.0),
                "write after" => y_end.write_volatile(1.0),
                _ => {}
            }
        }
        if self.fault == "read scratch" {
            y[0] = context.scratch[0];
        }
        Ok(())
    }

    fn scratch_len(&self) -> usize {
        1
    }
}

/// Runs [`planted`] in a process of its own.
fn run_with(fault: &str) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["planted", "--exact", "--nocapture", "--test-threads=1"]).env(VARIABLE, fault);
    command.output().unwrap()
}

/// Passes if there is no fault.
#[test]
fn planted() {
    let fault = std::env::var(VARIABLE).unwrap_or_default();
    let failures = check_kernel("copy", &Sample::new(Copy { fault }, [Operand::normal(&[7])]).not_differentiable());
    assert!(failures.is_empty(), "{}", failures[0]);
}

#[test]
fn no_fault_passes() {
    assert!(run_with("none").status.success());
}

#[test]
#[cfg(target_os = "linux")]
fn touching_a_page_beside_a_buffer_ends_the_process_and_says_where() {
    use std::os::unix::process::ExitStatusExt;
    const SIGSEGV: i32 = 11;
    for fault in ["read before", "read after", "write before", "write after"] {
        let Output { status, stderr, .. } = run_with(fault);
        let message = String::from_utf8_lossy(&stderr);
        assert_eq!(status.signal(), Some(SIGSEGV), "{fault}: {message}");
        let side = fault.rsplit(' ').next().unwrap();
        let wanted = format!("a touch of a page beside a buffer: copy {{}} [[7]] on scalar against a page {side}\n");
        assert!(message.contains(&wanted), "{fault}: {message}");
    }
}

#[test]
fn a_result_of_what_scratch_memory_held_before_is_reported() {
    let Output { status, stdout, stderr } = run_with("read scratch");
    let message = String::from_utf8_lossy(&stdout) + String::from_utf8_lossy(&stderr);
    let wanted = "guard pages: on scalar against a page before, alone: result 0 differs at [0]";
    assert!(!status.success() && message.contains(wanted), "{message}");
}
