//! Whole models: `.keras` archives, and files of weights alone.
//!
//! A `.keras` archive is a zip with the members `metadata.json`, `config.json` and `model.weights.h5`; anything else,
//! such as `assets/...`, is left for the caller to ask for. In the weights file, datasets have paths such as
//! `layers/dense/vars/0` or `optimizer/vars/3`, and each `vars` group carries the layer's name in the attribute `name`.

mod read;
mod weights;
mod write;

pub use read::{ModelArchive, read_model_archive};
pub use weights::{Weights, read_weights};
pub use write::{NewModelArchive, WeightTable, write_model_archive, write_weights};

/// The member with the model's configuration.
pub const CONFIG: &str = "config.json";
/// The member with the version of Keras and the date.
pub const METADATA: &str = "metadata.json";
/// The member with the weights.
pub const WEIGHTS: &str = "model.weights.h5";
/// The attribute of a `vars` group that holds the layer's name.
pub const NAME_ATTRIBUTE: &str = "name";
