//! Elements that come from JavaScript.

use crate::arguments::shape;
use crate::error::Failure;
use ferrograph_tensor::{Buffer, DType, ShapeError, Tensor, byte_size};
use napi::bindgen_prelude::{Array, ArrayBuffer, JsObjectValue, TypedArray, TypedArrayType};
use serde_json::json;
use std::sync::Arc;

/// Whose the memory below a typed array is. To ask may run JavaScript, so bytes are taken only after the last question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ownership {
    /// Only this thread's: it does not change while a call lasts.
    Own,
    /// Other threads' too: it may change at any moment.
    Shared,
}

/// Whose memory it is; an error when it was transferred away.
pub(crate) fn ownership(data: &TypedArray<'_>) -> Result<Ownership, Failure> {
    // A shared buffer is no ArrayBuffer and is never detached.
    let Ok(buffer) = data.get_named_property_unchecked::<ArrayBuffer<'_>>("buffer") else {
        return Ok(Ownership::Shared);
    };
    if buffer.is_detached().unwrap_or(false) {
        let message = "data: expected elements, received an array whose memory was transferred away";
        return Err(Failure::new("DETACHED", message, json!({ "name": "data" })));
    }
    Ok(Ownership::Own)
}

/// The bytes of an array that holds exactly the shape's elements of this type.
pub(crate) fn bytes<'a>(dtype: DType, shape: &[usize], data: &'a TypedArray<'_>) -> Result<&'a [u8], Failure> {
    let (fits, wanted) = match dtype {
        DType::Float32 => (data.typed_array_type == TypedArrayType::Float32, "a Float32Array"),
        DType::Int32 => (data.typed_array_type == TypedArrayType::Int32, "an Int32Array"),
        DType::Bool | DType::Uint8 => {
            (matches!(data.typed_array_type, TypedArrayType::Uint8 | TypedArrayType::Uint8Clamped), "a Uint8Array")
        }
    };
    if !fits {
        let received = format!("{}Array", data.typed_array_type.as_ref());
        return Err(Failure::argument("data", format!("{wanted} for {dtype}"), received));
    }
    let bytes: &[u8] = &data.arraybuffer;
    if byte_size(dtype, shape)? != bytes.len() {
        return Err(ShapeError::Length { shape: shape.to_vec(), received: bytes.len() / dtype.size() }.into());
    }
    Ok(bytes)
}

/// A copy of the elements.
pub(crate) fn copied(dtype: DType, shape: &[usize], data: &TypedArray<'_>) -> Result<Tensor, Failure> {
    let bytes = bytes(dtype, shape, data)?;
    let mut buffer = Buffer::copy_of(bytes)?;
    if dtype == DType::Bool {
        for truth in buffer.bytes_mut() {
            *truth = u8::from(*truth != 0);
        }
    }
    Ok(Tensor::from_buffer(dtype, shape, Arc::new(buffer))?)
}

/// A copy of the elements of an array of its own shape.
pub(crate) fn copy_in(dtype: &str, extents: &Array<'_>, data: &TypedArray<'_>) -> Result<Tensor, Failure> {
    let (dtype, extents) = (crate::arguments::dtype(dtype)?, shape(extents)?);
    ownership(data)?;
    copied(dtype, &extents, data)
}
