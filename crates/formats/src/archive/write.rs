//! Writing `.keras` archives and files of weights.

use super::{CONFIG, METADATA, NAME_ATTRIBUTE, WEIGHTS};
use crate::error::{Error, Result};
use crate::hdf5;
use crate::tensor::NamedTensor;
use crate::zip::{Timestamp, Writer};

/// The weights start at a multiple of this many bytes, so that a mapped file has aligned data.
const WEIGHTS_ALIGNMENT: u16 = 64;

/// What a file of weights will hold.
#[derive(Debug, Clone, Default)]
pub struct WeightTable<'a> {
    /// Groups by path, with the layer's name where they carry one. Groups that tensors need are made by themselves; those
    /// without tensors, such as `vars` of a layer without variables, exist only if listed.
    pub groups: Vec<(String, Option<String>)>,
    /// Tensors by path.
    pub tensors: Vec<NamedTensor<'a>>,
}

impl WeightTable<'_> {
    fn writer(&self) -> Result<hdf5::Writer<'_>> {
        let mut writer = hdf5::Writer::new();
        for (path, name) in &self.groups {
            writer.group(path)?;
            if let Some(name) = name {
                writer.attribute(path, NAME_ATTRIBUTE, name)?;
            }
        }
        for tensor in &self.tensors {
            writer.dataset(&tensor.path, tensor.element_type, &tensor.shape, tensor.data.as_ref())?;
        }
        Ok(writer)
    }
}

/// A `.keras` archive to be written.
#[derive(Debug, Clone)]
pub struct NewModelArchive<'a> {
    /// The text of `config.json`.
    pub config_json: &'a str,
    /// The text of `metadata.json`.
    pub metadata_json: &'a str,
    /// The weights.
    pub weights: &'a WeightTable<'a>,
    /// Further members by name, such as `assets/...`. Keras ignores those it does not know.
    pub extra: &'a [(&'a str, &'a [u8])],
    /// The time that all members carry.
    pub timestamp: Timestamp,
}

/// Writes weights in the layout of `.weights.h5` files.
///
/// # Errors
/// `FILE_ARGUMENT` for paths or data that cannot be written, `FILE_LIMIT` without memory.
pub fn write_weights(weights: &WeightTable<'_>) -> Result<Vec<u8>> {
    weights.writer()?.finish()
}

/// Writes a `.keras` archive: stored members, the weights at a multiple of 64 bytes. Equal input makes equal bytes.
///
/// # Errors
/// As [`write_weights`], and `FILE_ARGUMENT` for unsafe or duplicate names among the further members.
pub fn write_model_archive(model: &NewModelArchive<'_>) -> Result<Vec<u8>> {
    let mut archive = Writer::new(model.timestamp);
    archive.add(METADATA, model.metadata_json.as_bytes(), 1)?;
    archive.add(CONFIG, model.config_json.as_bytes(), 1)?;
    for (name, content) in model.extra {
        archive.add(name, content, 1)?;
    }
    // Last, so that the largest member is not moved when the archive grows.
    let in_weights = |error: Error| error.in_member(WEIGHTS);
    let writer = model.weights.writer().map_err(in_weights)?;
    let prepared = writer.prepare();
    archive
        .add_with(WEIGHTS, prepared.length(), WEIGHTS_ALIGNMENT, |out| prepared.append_to(out).map_err(in_weights))?;
    archive.finish()
}
