//! Files of models: bytes in, tables of named tensors out, and back.
//!
//! - [`archive`]: a whole `.keras` archive, or a `.weights.h5` file.
//! - [`zip`]: the container, strict enough that no two readers can disagree about its content.
//! - [`hdf5`]: the part of HDF5 that Keras and h5py write by default, and its common variants.
//!
//! Every byte of a file is taken as hostile. A reader returns a typed [`Error`] or a value; it does not panic, does not
//! recurse on the depth of the input, and holds memory within [`Limits`]. Nothing here opens a file or a connection.

#![forbid(unsafe_code)]
#![allow(
    clippy::cast_possible_truncation,
    reason = "a length becomes usize only after a slice or an allocation of it succeeded, and fields of written files only \
              after a check of their range"
)]
#![allow(clippy::must_use_candidate, reason = "noise on every accessor, as in the workspace")]

pub mod archive;
mod bytes;
mod element_type;
mod error;
pub mod hdf5;
mod inflate;
mod limits;
mod memory;
mod tensor;
pub mod zip;

pub use element_type::ElementType;
pub use error::{Error, ErrorCode, Result};
pub use limits::{Budget, Limits};
pub use tensor::NamedTensor;
