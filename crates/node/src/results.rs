//! What JavaScript gets from a run.

use crate::tensor::{NativeTensor, copy_out, numbers};
use ferrograph_tensor::Tensor;
use napi::Env;
use napi::bindgen_prelude::{Either3, Either5, Float32ArraySlice, Int32ArraySlice, Uint8ArraySlice};

/// Elements as a typed array of the JavaScript heap or a `NativeTensor`, and after each of them the shape.
pub(crate) type Part<'env> =
    Either5<Float32ArraySlice<'env>, Int32ArraySlice<'env>, Uint8ArraySlice<'env>, NativeTensor, Vec<f64>>;

/// Hands the outputs of a run to JavaScript: those of at most `copied` bytes as copies, which the garbage collector frees
/// without the help of a finalizer, and larger ones as they are.
pub(crate) fn hand_over(env: &Env, outputs: Vec<Tensor>, copied: usize) -> napi::Result<Vec<Part<'_>>> {
    let mut parts = Vec::with_capacity(2 * outputs.len());
    for output in outputs {
        let shape = numbers(output.shape());
        parts.push(if output.byte_len() > copied {
            Part::D(NativeTensor::hold(env, output)?)
        } else {
            match copy_out(env, &output)? {
                Either3::A(x) => Part::A(x),
                Either3::B(x) => Part::B(x),
                Either3::C(x) => Part::C(x),
            }
        });
        parts.push(Part::E(shape));
    }
    Ok(parts)
}
