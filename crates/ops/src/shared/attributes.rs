//! Attributes as text.

use serde::Serialize;

/// The attributes of an op as a JSON object.
pub(crate) fn to_json(op: &impl Serialize) -> String {
    serde_json::to_string(op).unwrap_or_else(|e| unreachable!("attributes are plain values: {e}"))
}

/// The default of an `axis` attribute: the last one.
pub(crate) fn last_axis() -> i64 {
    -1
}

/// The default of an attribute that scales.
pub(crate) fn one() -> f64 {
    1.0
}

/// A `dtype` attribute, by name.
pub(crate) mod dtype {
    use ferrograph_tensor::DType;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
    pub(crate) fn serialize<S: Serializer>(dtype: &DType, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(dtype.name())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DType, D::Error> {
        let name = String::deserialize(deserializer)?;
        DType::from_name(&name).ok_or_else(|| {
            D::Error::custom(format!("expected 'float32', 'int32', 'bool' or 'uint8', received '{name}'"))
        })
    }
}

/// A number that may be infinite or NaN, which JSON can only write as the words JavaScript has for them.
pub(crate) mod number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Word(String),
    }

    #[allow(clippy::trivially_copy_pass_by_ref)] // the signature serde asks for
    pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        match *value {
            v if v.is_nan() => serializer.serialize_str("NaN"),
            f64::INFINITY => serializer.serialize_str("Infinity"),
            f64::NEG_INFINITY => serializer.serialize_str("-Infinity"),
            v => serializer.serialize_f64(v),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Number(value) => Ok(value),
            Written::Word(word) => match word.as_str() {
                "NaN" => Ok(f64::NAN),
                "Infinity" => Ok(f64::INFINITY),
                "-Infinity" => Ok(f64::NEG_INFINITY),
                _ => Err(D::Error::custom(format!("expected a number, 'NaN' or 'Infinity', received '{word}'"))),
            },
        }
    }
}
