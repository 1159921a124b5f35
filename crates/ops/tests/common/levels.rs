//! Which ops give the same bits on which instruction sets. An op that gives the same bits must go on doing so.

use ferrograph_graph::{Fill, Sample};
use ferrograph_tensor::DType;
use ferrograph_testkit::levels_that_differ;

/// Ops that multiply and add at once, rounding once; plain instructions round twice. All other ops are the same everywhere,
/// and all ops are the same on AVX2 and AVX-512.
const FUSED: [&str; 19] = [
    "conv2d",
    "conv2d_input_gradient",
    "conv2d_kernel_gradient",
    "cos",
    "depthwise_conv2d",
    "depthwise_conv2d_input_gradient",
    "depthwise_conv2d_kernel_gradient",
    "erf",
    "expm1",
    "gelu",
    "gru",
    "gru_gradient",
    "log_softmax",
    "lstm",
    "lstm_gradient",
    "matmul",
    "sin",
    "softmax",
    "softplus",
];

/// Asserts that the op's bits differ only where they may. Whole numbers, whose sums are exact in any order, are replaced.
pub fn check(name: &str, sample: &Sample) {
    let mut sample = sample.clone();
    for operand in &mut sample.operands {
        if operand.dtype == DType::Float32 && matches!(operand.fill, Fill::Integers(..)) {
            operand.fill = Fill::Normal;
        }
    }
    for [slow, fast] in levels_that_differ(name, &sample) {
        let may = slow == "scalar" && FUSED.contains(&name);
        let shapes: Vec<_> = sample.operands.iter().map(|operand| &operand.shape).collect();
        let attributes = sample.op.attributes();
        assert!(may, "{name} {attributes} {shapes:?}: expected the same bits on {slow} and {fast}, received others");
    }
}
