//! What several ops share: shape rules and forms of attributes. Nothing here is an op.

pub(crate) mod affine;
pub(crate) mod attributes;
pub(crate) mod axes;
pub(crate) mod binary;
mod broadcast;
pub(crate) mod channels;
mod convolution;
pub(crate) mod copying;
mod depthwise;
pub(crate) mod dims;
pub(crate) mod elementwise;
pub(crate) mod entries;
pub(crate) mod indexing;
pub(crate) mod operands;
mod pooling;
pub(crate) mod random;
pub(crate) mod recurrence;
pub(crate) mod reduction;
pub(crate) mod slicing;
mod step;
pub(crate) mod tolerance;
pub(crate) mod unary;
mod unpacked;
pub(crate) mod window;

pub(crate) use attributes::to_json;
pub(crate) use broadcast::{broadcast, check_broadcasts_to, unbroadcast};
pub(crate) use convolution::Convolution;
pub(crate) use depthwise::Depthwise;
pub(crate) use operands::NUMERIC;
pub(crate) use pooling::Pooling;
pub(crate) use step::{indexed_step, step, step_with_scratch, step_with_unread};
pub(crate) use unpacked::Unpacked;

use ferrograph_tensor::DType;

/// A whole number brought back into the range of int32 as two's complement arithmetic does; other values as they are.
pub(crate) fn wrap(dtype: DType, value: f64) -> f64 {
    if dtype == DType::Int32 { f64::from(value as i64 as i32) } else { value }
}
