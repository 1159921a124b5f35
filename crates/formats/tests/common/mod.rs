//! What the tests share: fixtures, and the reader's view of a file in the form in which Python dumped it.

#![allow(clippy::cast_possible_truncation, reason = "sizes of test data are small")]
#![allow(dead_code, reason = "each test binary uses its part")]

use std::path::PathBuf;

use ferrograph_formats::hdf5::{Attribute, AttributeValue, Dataset, File, Object};
use ferrograph_formats::{ElementType, Limits};
use serde_json::{Map, Value, json};

/// The readable fixtures of each kind.
pub const ARCHIVES: [&str; 5] = ["dense.keras", "deflated.keras", "mixed.keras", "nested.keras", "bfloat16.keras"];
pub const HDF5: [&str; 9] =
    ["dense.weights.h5", "legacy.h5", "chunked.h5", "types.h5", "v1.h5", "v2.h5", "v3.h5", "v110.h5", "order.h5"];

pub fn fixture(name: &str) -> Vec<u8> {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", name].iter().collect();
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What Python found in a fixture.
pub fn oracle(name: &str) -> Value {
    serde_json::from_slice(&fixture(&format!("{name}.json"))).unwrap()
}

pub fn parse(bytes: &[u8]) -> File {
    File::parse(bytes, &Limits::default()).unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

/// The tree as `check_with_h5py.py` prints it.
pub fn describe(file: &File, bytes: &[u8]) -> Value {
    let mut tree = Map::new();
    for object in file.objects() {
        let mut entry = Map::new();
        entry.insert("attributes".to_owned(), attributes(object.attributes()));
        if let Object::Dataset(dataset) = object {
            describe_dataset(dataset, bytes, &mut entry);
        }
        assert!(tree.insert(object.path().to_owned(), Value::Object(entry)).is_none());
    }
    Value::Object(tree)
}

fn describe_dataset(dataset: &Dataset, bytes: &[u8], entry: &mut Map<String, Value>) {
    let name = match dataset.element_type() {
        ElementType::VariableString => "object".to_owned(),
        ElementType::FixedString(size) => format!("|S{size}"),
        ElementType::Bf16 => "|V2".to_owned(),
        other => other.name().to_owned(),
    };
    entry.insert("type".to_owned(), json!(name));
    if dataset.is_null() {
        entry.insert("shape".to_owned(), json!("null"));
        return;
    }
    entry.insert("shape".to_owned(), json!(dataset.shape()));
    if dataset.element_type().is_numeric() {
        entry.insert("hex".to_owned(), json!(hex(&dataset.read(bytes).unwrap())));
    } else {
        let texts = dataset.texts(bytes).unwrap();
        let value = if dataset.shape().is_empty() { json!(texts[0]) } else { json!(texts) };
        entry.insert("text".to_owned(), value);
    }
}

fn attributes(attributes: &[Attribute]) -> Value {
    attributes.iter().map(|attribute| (attribute.name.clone(), attribute_value(&attribute.value))).collect()
}

fn attribute_value(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::Text(text) => json!(text),
        AttributeValue::Texts { values, .. } => json!(values),
        AttributeValue::Null => Value::Null,
        AttributeValue::Numbers { element_type, shape, data } => {
            let size = element_type.size().unwrap() as usize;
            let mut numbers: Vec<Value> = data.chunks(size).map(|raw| number(*element_type, raw)).collect();
            if shape.is_empty() { numbers.remove(0) } else { Value::Array(numbers) }
        }
        other => panic!("{other:?}"),
    }
}

fn number(element_type: ElementType, raw: &[u8]) -> Value {
    match element_type {
        ElementType::I64 => json!(i64::from_le_bytes(raw.try_into().unwrap())),
        ElementType::F32 => json!(f32::from_le_bytes(raw.try_into().unwrap())),
        ElementType::Bool => json!(raw[0] == 1),
        other => panic!("no fixture has an attribute of {other:?}"),
    }
}

/// A small generator of repeatable numbers (`SplitMix64`).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}
