//! Files of models: bytes to tables of stored tensors, and back.
//!
//! A stored tensor is its bytes, little-endian and row-major, with the file's own name of the element type; TypeScript
//! converts what the engine does not compute with.

use crate::arguments::{list, shape, shorten};
use crate::error::{Failure, OrThrow};
use crate::tensor::check_room;
use ferrograph_formats::archive::{NewModelArchive, WeightTable, Weights, read_model_archive, write_model_archive};
use ferrograph_formats::zip::Timestamp;
use ferrograph_formats::{ElementType, Limits, NamedTensor};
use napi::Env;
use napi::bindgen_prelude::{
    Array, FromNapiValue, JsObjectValue, Object, Uint8Array, Uint8ArraySlice, ValidateNapiValue,
};
use napi_derive::napi;
use serde_json::json;
use std::borrow::Cow;

/// A tensor as files hold it.
#[napi(object, object_from_js = false)]
pub struct StoredTensor<'env> {
    /// Path in the file, such as `layers/dense/vars/0`.
    pub path: String,
    /// NumPy's name of the element type.
    pub dtype: &'static str,
    /// Extents.
    pub shape: Vec<f64>,
    /// Little-endian, row-major elements.
    pub data: Uint8ArraySlice<'env>,
}

/// The parts of a `.keras` archive.
#[napi(object, object_from_js = false)]
pub struct StoredModel<'env> {
    /// Text of `config.json`.
    pub config: String,
    /// Text of `metadata.json`.
    pub metadata: String,
    /// The weights, in file order.
    pub tensors: Vec<StoredTensor<'env>>,
}

/// Parses a `.keras` archive. Errors have codes that begin with `FILE_`.
#[napi(catch_unwind)]
pub fn read_archive<'env>(env: &'env Env, bytes: Uint8ArraySlice<'_>) -> napi::Result<StoredModel<'env>> {
    let model = read_model_archive(&bytes, &Limits::default()).or_throw(env)?;
    let tensors = stored(env, &model.weights)?;
    Ok(StoredModel { config: model.config_json, metadata: model.metadata_json, tensors })
}

/// Writes a `.keras` archive. Equal models make equal bytes.
#[napi(
    catch_unwind,
    ts_args_type = "model: { config: string, metadata: string, groups: Array<{ path: string, name?: string | undefined }>, tensors: Array<{ path: string, dtype: string, shape: Array<number>, data: Uint8Array }> }"
)]
pub fn write_archive(env: Env, model: Object<'_>) -> napi::Result<Uint8Array> {
    let write = || {
        let (config, metadata): (String, String) = (field(&model, "config")?, field(&model, "metadata")?);
        let parts = Parts::of(&model)?;
        let model = NewModelArchive {
            config_json: &config,
            metadata_json: &metadata,
            weights: &parts.table(),
            extra: &[],
            timestamp: Timestamp::default(),
        };
        Ok::<_, Failure>(write_model_archive(&model)?)
    };
    Ok(write().or_throw(&env)?.into())
}

/// Parses a `.weights.h5` file. Errors have codes that begin with `FILE_`.
#[napi(catch_unwind)]
pub fn read_weights<'env>(env: &'env Env, bytes: Uint8ArraySlice<'_>) -> napi::Result<Vec<StoredTensor<'env>>> {
    let weights = ferrograph_formats::archive::read_weights(&bytes, &Limits::default()).or_throw(env)?;
    stored(env, &weights)
}

/// Writes a `.weights.h5` file. Equal weights make equal bytes.
#[napi(
    catch_unwind,
    ts_args_type = "weights: { groups: Array<{ path: string, name?: string | undefined }>, tensors: Array<{ path: string, dtype: string, shape: Array<number>, data: Uint8Array }> }"
)]
pub fn write_weights(env: Env, weights: Object<'_>) -> napi::Result<Uint8Array> {
    let write = || {
        let parts = Parts::of(&weights)?;
        Ok::<_, Failure>(ferrograph_formats::archive::write_weights(&parts.table())?)
    };
    Ok(write().or_throw(&env)?.into())
}

fn stored<'env>(env: &'env Env, weights: &Weights<'_>) -> napi::Result<Vec<StoredTensor<'env>>> {
    let copy = |tensor: NamedTensor<'_>| {
        if !tensor.element_type.is_numeric() {
            let path = format!("/{}", tensor.path);
            let message = format!("expected a tensor of numbers, received strings (path '{path}')");
            return Err(Failure::file("FILE_UNSUPPORTED", message, Some(&path)).into_js(env));
        }
        check_room(tensor.data.len()).or_throw(env)?;
        Ok(StoredTensor {
            dtype: tensor.element_type.name(),
            shape: tensor.shape.iter().map(|&extent| extent as f64).collect(),
            data: Uint8ArraySlice::copy_from(env, &tensor.data)?,
            path: tensor.path,
        })
    };
    weights.tensors().map(|tensor| copy(tensor.or_throw(env)?)).collect()
}

/// Groups and tensors as JavaScript gave them.
struct Parts<'a> {
    groups: Vec<(String, Option<String>)>,
    tensors: Vec<Part<'a>>,
}

struct Part<'a> {
    path: String,
    element_type: ElementType,
    shape: Vec<u64>,
    data: Uint8ArraySlice<'a>,
}

impl<'a> Parts<'a> {
    fn of(object: &Object<'a>) -> Result<Self, Failure> {
        let groups: Array<'_> = field(object, "groups")?;
        let groups = list(&groups, "groups", "{ path: string, name?: string }")?;
        let tensors: Array<'_> = field(object, "tensors")?;
        let tensors = list(&tensors, "tensors", "{ path: string, dtype: string, shape: number[], data: Uint8Array }")?;
        Ok(Self {
            groups: groups.iter().map(group).collect::<Result<_, _>>()?,
            tensors: tensors.iter().map(part).collect::<Result<_, _>>()?,
        })
    }

    fn table(&self) -> WeightTable<'_> {
        WeightTable { groups: self.groups.clone(), tensors: self.tensors.iter().map(Part::named).collect() }
    }
}

impl Part<'_> {
    fn named(&self) -> NamedTensor<'_> {
        NamedTensor {
            path: self.path.clone(),
            element_type: self.element_type,
            shape: self.shape.clone(),
            data: Cow::Borrowed(self.data.as_ref()),
        }
    }
}

fn group(object: &Object<'_>) -> Result<(String, Option<String>), Failure> {
    let name = if object.has_named_property("name").unwrap_or(false) { field(object, "name")? } else { None };
    Ok((field(object, "path")?, name))
}

fn part<'a>(object: &Object<'a>) -> Result<Part<'a>, Failure> {
    let dtype: String = field(object, "dtype")?;
    let extents: Array<'_> = field(object, "shape")?;
    Ok(Part {
        path: field(object, "path")?,
        element_type: element_type(&dtype)?,
        shape: shape(&extents)?.into_iter().map(|extent| extent as u64).collect(),
        data: field(object, "data")?,
    })
}

fn field<T: FromNapiValue + ValidateNapiValue>(object: &Object<'_>, name: &str) -> Result<T, Failure> {
    object
        .get_named_property(name)
        .map_err(|error| Failure::new("ARGUMENT", format!("{name}: {}", error.reason), json!({ "name": name })))
}

/// The type of numbers with that NumPy name.
fn element_type(name: &str) -> Result<ElementType, Failure> {
    use ElementType::{Bf16, Bool, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    let all = [Bool, I8, I16, I32, I64, U8, U16, U32, U64, F16, Bf16, F32, F64];
    let found = all.into_iter().find(|ty| ty.name() == name);
    found.ok_or_else(|| Failure::argument("dtype", "NumPy's name of a numeric type", format!("'{}'", shorten(name))))
}
