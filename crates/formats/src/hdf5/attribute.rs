//! Attributes of groups and datasets.

use super::UNDEFINED;
use super::dataspace::{self, Dataspace};
use super::datatype::{self, Datatype};
use super::global_heap::GlobalHeaps;
use super::object_header::Message;
use super::reader::Reader;
use crate::bytes::Cursor;
use crate::element_type::{ElementType, byte_count};
use crate::error::{Error, Result};

/// What an attribute holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// One string.
    Text(String),
    /// Strings in row-major order of `shape`.
    Texts {
        /// Extents.
        shape: Vec<u64>,
        /// The strings.
        values: Vec<String>,
    },
    /// Numbers or truth values.
    Numbers {
        /// Their type.
        element_type: ElementType,
        /// Extents; empty for a scalar.
        shape: Vec<u64>,
        /// Little-endian, row-major.
        data: Vec<u8>,
    },
    /// Nothing, as h5py's `Empty`.
    Null,
    /// A value of a type that is not read (or text that is not UTF-8). Such attributes say nothing about weights, so
    /// they do not make a file unreadable.
    Other,
}

/// A named value on a group or dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: AttributeValue,
}

const WHAT: &str = "attribute";

/// Refuses objects whose attributes are not in the header.
pub(super) fn check_compact(message: &Message<'_>) -> Result<()> {
    let mut cursor = message.cursor("attribute info message");
    cursor.version(&[0])?;
    if cursor.u8()? & 1 != 0 {
        cursor.skip(2)?;
    }
    if cursor.u64()? == UNDEFINED {
        return Ok(());
    }
    Err(Error::unsupported("attributes in a fractal heap, as the newest format keeps many").at(message.offset))
}

/// Reads an attribute message.
pub(super) fn read(reader: &mut Reader<'_, '_>, heaps: &mut GlobalHeaps, message: &Message<'_>) -> Result<Attribute> {
    let mut cursor = message.cursor(WHAT);
    let version = cursor.version(&[1, 2, 3])?;
    let flags = cursor.u8()?;
    if version > 1 && flags & 3 != 0 {
        return Err(Error::unsupported("an attribute of a committed datatype").at(message.offset));
    }
    let lengths = [cursor.u16()?, cursor.u16()?, cursor.u16()?].map(usize::from);
    if version == 3 {
        cursor.skip(1)?;
    }
    let mut part = |length: usize| -> Result<Cursor<'_>> {
        let at = cursor.offset();
        let padded = if version == 1 { length.next_multiple_of(8) } else { length };
        let taken = cursor.take(padded)?;
        Ok(Cursor::new(taken, at, WHAT))
    };
    let mut name = part(lengths[0])?;
    let mut datatype = part(lengths[1])?;
    let mut dataspace = part(lengths[2])?;
    let name = name.take(lengths[0])?;
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    let name =
        std::str::from_utf8(name).map_err(|_| Error::invalid("an attribute's name is not UTF-8").at(message.offset))?;
    let datatype = datatype::read(&mut datatype)?;
    let dataspace = dataspace::read(&mut dataspace)?;
    reader.budget.charge((message.data.len() + 128) as u64, WHAT)?;
    Ok(Attribute { name: name.to_owned(), value: value(reader, heaps, datatype, dataspace, &mut cursor)? })
}

fn value(
    reader: &mut Reader<'_, '_>,
    heaps: &mut GlobalHeaps,
    datatype: Datatype,
    dataspace: Dataspace,
    data: &mut Cursor<'_>,
) -> Result<AttributeValue> {
    let Dataspace::Simple(shape) = dataspace else {
        return Ok(AttributeValue::Null);
    };
    let Datatype::Element(element_type) = datatype else {
        return Ok(AttributeValue::Other);
    };
    let at = data.offset();
    let size = element_type.size().unwrap_or(16);
    let total = byte_count(&shape, size).and_then(|total| usize::try_from(total).ok());
    let Some(total) = total else {
        return Err(Error::invalid(format!("an attribute of shape {shape:?}")).at(at));
    };
    let raw = data.take(total)?;
    let texts = match element_type {
        ElementType::VariableString => {
            let mut elements = Cursor::new(raw, at, WHAT);
            let mut texts = Vec::new();
            while elements.remaining() > 0 {
                texts.push(heaps.string(reader, &mut elements)?);
            }
            texts
        }
        ElementType::FixedString(size) => raw.chunks(size as usize).map(fixed_text).collect(),
        _ => {
            return Ok(AttributeValue::Numbers { element_type, shape, data: raw.to_vec() });
        }
    };
    let Some(mut values) = texts.into_iter().collect::<Option<Vec<String>>>() else {
        return Ok(AttributeValue::Other);
    };
    Ok(match values.pop() {
        Some(text) if shape.is_empty() => AttributeValue::Text(text),
        last => {
            values.extend(last);
            AttributeValue::Texts { shape, values }
        }
    })
}

/// A string of fixed length ends at its first zero; h5py does not pad with spaces.
pub(super) fn fixed_text(raw: &[u8]) -> Option<String> {
    let text = raw.split(|&byte| byte == 0).next().unwrap_or_default();
    std::str::from_utf8(text).ok().map(str::to_owned)
}
