//! Ops that give the same bits on all instruction sets, and those that do not.

#[path = "common/levels.rs"]
mod levels;

use ferrograph_graph::{Operand, Sample};
use ferrograph_ops::{ALL, create_op};

#[test]
fn every_op_gives_the_bits_it_promises_on_every_instruction_set() {
    for entry in ALL {
        for sample in (entry.samples)() {
            levels::check(entry.name, &sample);
        }
    }
}

/// Sums long enough to be cut into parts, which must not depend on the width of a vector.
#[test]
fn large_operands_give_the_same_bits_too() {
    let cases: [(&str, &str, &[&[usize]]); 12] = [
        ("matmul", "{}", &[&[130, 700], &[700, 300]]),
        ("matmul", r#"{"transposeA":true}"#, &[&[3000, 40], &[3000, 70]]),
        ("matmul", "{}", &[&[1, 1500], &[1500, 130]]),
        ("conv2d", r#"{"padding":"same"}"#, &[&[2, 19, 21, 70], &[3, 3, 70, 90]]),
        ("conv2d", r#"{"strides":[2,2]}"#, &[&[2, 40, 40, 3], &[7, 7, 3, 70]]),
        ("conv2d_kernel_gradient", r#"{"padding":"same"}"#, &[&[20, 20, 20, 40], &[20, 20, 20, 70], &[3, 3, 40, 70]]),
        ("conv2d_kernel_gradient", r#"{"padding":"same"}"#, &[&[33, 12, 12, 20], &[33, 12, 12, 150], &[3, 3, 20, 150]]),
        (
            "depthwise_conv2d_kernel_gradient",
            r#"{"padding":"same"}"#,
            &[&[9, 20, 20, 70], &[9, 20, 20, 70], &[3, 3, 70, 1]],
        ),
        ("softmax", "{}", &[&[5, 3001]]),
        ("sum", r#"{"axes":[0]}"#, &[&[9001, 37]]),
        ("sum", r#"{"axes":null}"#, &[&[700, 301]]),
        ("batch_norm_training", r#"{"axis":-1,"epsilon":0.001}"#, &[&[40, 17, 13, 70], &[70], &[70]]),
    ];
    for (name, attributes, shapes) in cases {
        let op = create_op(name, attributes).unwrap();
        let operands = shapes.iter().map(|shape| Operand::normal(shape)).collect();
        levels::check(name, &Sample { op, operands, tolerance: 0.0, differentiable: false, opaque: Vec::new() });
    }
}
