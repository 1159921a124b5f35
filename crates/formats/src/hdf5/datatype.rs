//! Datatypes: which element types HDF5 files hold.

use crate::bytes::Cursor;
use crate::element_type::ElementType;
use crate::error::{Error, Result};

const WHAT: &str = "datatype";

/// A datatype as far as this reader tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Datatype {
    Element(ElementType),
    /// Opaque data of this many bytes per element; Keras keeps bfloat16 so.
    Opaque(u32),
    /// Anything else, with a name for it.
    Other(&'static str),
}

/// Reads a datatype message.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Datatype> {
    let at = cursor.offset();
    let class_version = cursor.u8()?;
    let bits = cursor.take(3)?;
    let bits = u32::from_le_bytes([bits[0], bits[1], bits[2], 0]);
    let size = cursor.u32()?;
    let version = class_version >> 4;
    if !(1..=5).contains(&version) {
        return Err(Error::unsupported(format!("{WHAT} of version {version}, 1 to 5 are read")).at(at));
    }
    if size == 0 {
        return Err(Error::invalid("a datatype of 0 bytes").at(at));
    }
    Ok(match class_version & 15 {
        0 => integer(cursor, bits, size)?,
        1 => float(cursor, bits, size)?,
        3 => Datatype::Element(ElementType::FixedString(size)),
        5 => Datatype::Opaque(size),
        8 => enumeration(cursor, bits, size, version)?,
        9 if bits & 15 == 1 && size == 16 => Datatype::Element(ElementType::VariableString),
        2 => Datatype::Other("time"),
        4 => Datatype::Other("bit field"),
        6 => Datatype::Other("compound"),
        7 => Datatype::Other("reference"),
        9 => Datatype::Other("variable-length sequence"),
        10 => Datatype::Other("array"),
        11 => Datatype::Other("complex"),
        class => return Err(Error::invalid(format!("a datatype of class {class}")).at(at)),
    })
}

fn integer(cursor: &mut Cursor<'_>, bits: u32, size: u32) -> Result<Datatype> {
    let (offset, precision) = (cursor.u16()?, cursor.u16()?);
    if bits & 1 != 0 && size > 1 {
        return Ok(Datatype::Other("big-endian integer"));
    }
    if offset != 0 || u32::from(precision) != size.saturating_mul(8) {
        return Ok(Datatype::Other("integer with padding bits"));
    }
    let signed = bits & 8 != 0;
    Ok(Datatype::Element(match (size, signed) {
        (1, true) => ElementType::I8,
        (2, true) => ElementType::I16,
        (4, true) => ElementType::I32,
        (8, true) => ElementType::I64,
        (1, false) => ElementType::U8,
        (2, false) => ElementType::U16,
        (4, false) => ElementType::U32,
        (8, false) => ElementType::U64,
        _ => return Ok(Datatype::Other("integer of an unusual size")),
    }))
}

fn float(cursor: &mut Cursor<'_>, bits: u32, size: u32) -> Result<Datatype> {
    let (offset, precision) = (cursor.u16()?, cursor.u16()?);
    let exponent = (cursor.u8()?, cursor.u8()?);
    let mantissa = (cursor.u8()?, cursor.u8()?);
    let exponent_bias = cursor.u32()?;
    if bits & 0x41 != 0 {
        return Ok(Datatype::Other("big-endian or VAX float"));
    }
    let sign = bits >> 8 & 0xff;
    let normalization = bits >> 4 & 3;
    if offset != 0 || u32::from(precision) != size.saturating_mul(8) || normalization != 2 {
        return Ok(Datatype::Other("float of an unusual form"));
    }
    Ok(match (size, sign, exponent, mantissa, exponent_bias) {
        (2, 15, (10, 5), (0, 10), 15) => Datatype::Element(ElementType::F16),
        (2, 15, (7, 8), (0, 7), 127) => Datatype::Element(ElementType::Bf16),
        (4, 31, (23, 8), (0, 23), 127) => Datatype::Element(ElementType::F32),
        (8, 63, (52, 11), (0, 52), 1023) => Datatype::Element(ElementType::F64),
        _ => Datatype::Other("float of an unusual form"),
    })
}

/// h5py's booleans: an enumeration of one byte with FALSE = 0 and TRUE = 1.
fn enumeration(cursor: &mut Cursor<'_>, bits: u32, size: u32, version: u8) -> Result<Datatype> {
    let other = Ok(Datatype::Other("enumeration"));
    // The base type: one-byte integers take 12 bytes. Its own properties do not matter for 0 and 1.
    let base = cursor.take(12)?;
    if size != 1 || bits & 0xffff != 2 || base[0] & 15 != 0 {
        return other;
    }
    for wanted in [&b"FALSE\0"[..], b"TRUE\0"] {
        let length = if version < 3 { wanted.len().next_multiple_of(8) } else { wanted.len() };
        if !cursor.take(length)?.starts_with(wanted) {
            return other;
        }
    }
    if cursor.take(2)? == [0, 1] { Ok(Datatype::Element(ElementType::Bool)) } else { other }
}
