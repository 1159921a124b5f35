//! Reading `.keras` archives.

use std::borrow::Cow;

use super::weights::Weights;
use super::{CONFIG, METADATA, WEIGHTS};
use crate::error::{Error, Result};
use crate::hdf5;
use crate::limits::{Budget, Limits};
use crate::zip::{Archive, Member};

/// The parts of a `.keras` archive.
#[derive(Debug, Clone)]
pub struct ModelArchive<'a> {
    /// The text of `config.json`, which may use Python's `NaN` and `Infinity`.
    pub config_json: String,
    /// The text of `metadata.json`.
    pub metadata_json: String,
    /// The weights, with the optimizer's variables if the model was compiled.
    pub weights: Weights<'a>,
    archive: Archive<'a>,
    budget: Budget,
}

/// Parses a `.keras` archive. Weights stored without compression, as Keras stores them, are not copied.
///
/// # Errors
/// `FILE_MISSING_MEMBER` naming the member; `FILE_UNSUPPORTED` for weights in another format; those of
/// [`Archive::parse`], [`Archive::read`] and [`hdf5::File::parse`], with the member.
pub fn read_model_archive<'a>(bytes: &'a [u8], limits: &Limits) -> Result<ModelArchive<'a>> {
    if bytes.starts_with(&hdf5::SIGNATURE) {
        return Err(Error::unsupported(
            "expected a .keras archive, received an HDF5 file: weights alone, or a model in the legacy format",
        )
        .at(0));
    }
    let mut budget = limits.budget(bytes.len());
    let archive = Archive::parse(bytes, limits)?;
    let config_json = text(&archive, CONFIG, &mut budget)?;
    let metadata_json = text(&archive, METADATA, &mut budget)?;
    if archive.find(WEIGHTS).is_none() {
        for other in ["model.weights.npz", "model.weights.json"] {
            if archive.find(other).is_some() {
                return Err(
                    Error::unsupported(format!("expected weights in '{WEIGHTS}', received '{other}'")).in_member(other)
                );
            }
        }
    }
    let weights = archive.read(WEIGHTS, &mut budget)?;
    let weights = Weights::parse(weights, limits, &mut budget).map_err(|error| error.in_member(WEIGHTS))?;
    Ok(ModelArchive { config_json, metadata_json, weights, archive, budget })
}

fn text(archive: &Archive<'_>, name: &str, budget: &mut Budget) -> Result<String> {
    let content = archive.read(name, budget)?;
    let checked = std::str::from_utf8(&content)
        .map_err(|error| Error::invalid("the text is not UTF-8").at(error.valid_up_to() as u64).in_member(name))?;
    Ok(checked.to_owned())
}

impl<'a> ModelArchive<'a> {
    /// The names of all members, the three that every archive has among them.
    pub fn members(&self) -> impl Iterator<Item = &str> {
        self.archive.members().iter().map(Member::name)
    }

    /// The content of another member, such as `assets/layers/lookup/vocabulary.txt`. What it decodes to counts against the
    /// budget of the archive.
    ///
    /// # Errors
    /// As [`Archive::read`].
    pub fn member(&mut self, name: &str) -> Result<Cow<'a, [u8]>> {
        self.archive.read(name, &mut self.budget)
    }
}
