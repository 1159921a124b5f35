//! The checks that every op must pass are able to fail.

use ferrograph_graph::{Op, Operand, Sample};
use ferrograph_testkit::toy::{Expand, Function, Map, MatMul, Rename, Total};
use ferrograph_testkit::{Fault, Faulty, check_op};
use std::sync::Arc;

fn multiply() -> Arc<dyn Op> {
    Arc::new(Map(Function::Multiply))
}

/// The checks that report a fault in a product of two matrices of different shape.
fn reported(fault: Fault) -> Vec<&'static str> {
    let op = Faulty { inner: multiply(), fault, multiply };
    let sample = Sample::new(op, [Operand::normal(&[3, 4]), Operand::normal(&[4])]);
    let mut checks: Vec<_> = check_op("multiply", &sample).into_iter().map(|failure| failure.check).collect();
    checks.dedup();
    checks
}

#[test]
fn every_planted_fault_is_reported() {
    assert_eq!(reported(Fault::ScaledGradient), ["derivative"]);
    assert!(reported(Fault::ShiftedReference).contains(&"forward"));
    // The reference is asked for the wrong shape too; the executor's operands do not fit it.
    assert!(reported(Fault::WrongShape).contains(&"forward"));
    assert_eq!(reported(Fault::GuessedShape), ["shape rule"]);
    assert_eq!(reported(Fault::PanickingRule), ["hostile"]);
}

#[test]
fn ops_without_faults_pass() {
    let samples = [
        Sample::new(Map(Function::Add), [Operand::normal(&[3, 4]), Operand::normal(&[3, 1])]),
        Sample::new(Map(Function::Multiply), [Operand::normal(&[]), Operand::normal(&[5])]),
        Sample::new(Map(Function::Root), [Operand::uniform(&[7], 0.5, 2.0)]),
        Sample::new(Map(Function::Divide), [Operand::normal(&[3]), Operand::normal(&[3])]).not_differentiable(),
        Sample::new(Total { like: false }, [Operand::normal(&[3, 2])]),
        Sample::new(Expand {}, [Operand::normal(&[2]), Operand::normal(&[3, 2])]),
        Sample::new(MatMul::default(), [Operand::normal(&[3, 4]), Operand::normal(&[4, 2])]).not_differentiable(),
        Sample::new(Rename {}, [Operand::integers(&[3, 4], -5, 5)]).not_differentiable(),
    ];
    for sample in &samples {
        let failures = check_op(sample.op.name(), sample);
        assert!(failures.is_empty(), "{}", failures[0]);
    }
}
