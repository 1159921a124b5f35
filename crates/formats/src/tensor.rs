//! A tensor with a name, as files hold it.

use std::borrow::Cow;

use crate::element_type::{ElementType, byte_count};
use crate::error::{Error, Result};

/// Stored data under a path such as `layers/dense/vars/0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTensor<'a> {
    /// The path in the weights file, without a leading slash.
    pub path: String,
    /// The type of the elements.
    pub element_type: ElementType,
    /// The extents; empty for a scalar.
    pub shape: Vec<u64>,
    /// Little-endian, row-major.
    pub data: Cow<'a, [u8]>,
}

impl NamedTensor<'_> {
    /// Checks that `data` holds what `element_type` and `shape` say.
    pub(crate) fn check(&self) -> Result<()> {
        let wanted = match self.element_type.size() {
            Some(size) if self.element_type.is_numeric() => byte_count(&self.shape, size),
            _ => {
                return Err(Error::argument("tensors of strings are not written").in_path(&self.path));
            }
        };
        if wanted == Some(self.data.len() as u64) {
            return Ok(());
        }
        Err(Error::argument(format!(
            "{} of shape {:?} takes {} bytes, received {}",
            self.element_type.name(),
            self.shape,
            wanted.map_or_else(|| "more than 2^64".to_owned(), |bytes| bytes.to_string()),
            self.data.len()
        ))
        .in_path(&self.path))
    }
}
