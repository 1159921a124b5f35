//! Reading files of weights.

use std::borrow::Cow;

use super::NAME_ATTRIBUTE;
use crate::error::{Error, ErrorCode, Result};
use crate::hdf5::{Dataset, File};
use crate::limits::{Budget, Limits};
use crate::tensor::NamedTensor;

/// A file of weights: named tensors whose data is read on demand, without a copy where the file holds it in one piece.
#[derive(Debug, Clone)]
pub struct Weights<'a> {
    bytes: Cow<'a, [u8]>,
    file: File,
}

/// Parses a `.weights.h5` file, or any HDF5 file.
///
/// # Errors
/// As [`File::parse`].
pub fn read_weights<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Weights<'a>> {
    Weights::parse(Cow::Borrowed(bytes), limits, &mut limits.budget(bytes.len()))
}

impl<'a> Weights<'a> {
    pub(super) fn parse(bytes: Cow<'a, [u8]>, limits: &Limits, budget: &mut Budget) -> Result<Self> {
        let file = File::parse_within(&bytes, limits, budget)?;
        Ok(Self { bytes, file })
    }

    /// The structure of the file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The paths of all tensors in file order; HDF5 orders names as bytes, so `vars/10` comes before `vars/2`.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.file.datasets().map(Dataset::path)
    }

    /// The layer's name on the group at `path`, such as `layers/dense/vars`.
    pub fn group_name(&self, path: &str) -> Option<&str> {
        self.file.get(path)?.text_attribute(NAME_ATTRIBUTE)
    }

    /// The tensor at `path`.
    ///
    /// # Errors
    /// `FILE_MISSING_TENSOR` when there is none, and those of [`Dataset::read`].
    pub fn tensor(&self, path: &str) -> Result<NamedTensor<'_>> {
        let Some(dataset) = self.file.dataset(path) else {
            return Err(Error::new(ErrorCode::MissingTensor, "the file has no such tensor").in_path(path));
        };
        self.read(dataset)
    }

    /// All tensors in file order, read one by one.
    pub fn tensors(&self) -> impl Iterator<Item = Result<NamedTensor<'_>>> {
        self.file.datasets().map(|dataset| self.read(dataset))
    }

    fn read(&self, dataset: &Dataset) -> Result<NamedTensor<'_>> {
        Ok(NamedTensor {
            path: dataset.path().to_owned(),
            element_type: dataset.element_type(),
            shape: dataset.shape().to_vec(),
            data: dataset.read(&self.bytes)?,
        })
    }

    /// The bytes of the HDF5 file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
