//! Ops by name.

use ferrograph_graph::{Op, Sample};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// An op that can be made from its name and attributes, with operands to try it on.
pub trait Registered: Op + DeserializeOwned + 'static {
    /// Operands and attributes that between them show every behaviour of the op, extents of 1 and broadcasting included.
    fn samples() -> Vec<Sample>;
}

/// What the list of all ops holds of one.
#[derive(Debug)]
pub struct Entry {
    /// The op's name.
    pub name: &'static str,
    /// Makes the op from its attributes, a JSON object; the error completes "expected ...".
    pub create: fn(&str) -> Result<Arc<dyn Op>, String>,
    /// See [`Registered::samples`].
    pub samples: fn() -> Vec<Sample>,
}

pub(crate) const fn entry<T: Registered>(name: &'static str) -> Entry {
    Entry { name, create: create::<T>, samples: T::samples }
}

fn create<T: Registered>(attributes: &str) -> Result<Arc<dyn Op>, String> {
    serde_json::from_str::<T>(attributes).map(|op| Arc::new(op) as Arc<dyn Op>).map_err(|e| format!("attributes: {e}"))
}

/// Makes the op of that name.
pub fn create_op(name: &str, attributes: &str) -> Result<Arc<dyn Op>, String> {
    let entry = crate::ALL.iter().find(|e| e.name == name).ok_or_else(|| format!("unknown op '{name}'"))?;
    (entry.create)(attributes).map_err(|e| format!("{name}: {e}"))
}
