//! The header before a member's data.

use super::central::Entry;
use super::{IN_ZIP64, LOCAL_HEADER, extra};
use crate::bytes::{Cursor, slice};
use crate::error::{Error, Result};

const LENGTH: u64 = 30;

/// Checks the local header against the central directory's entry; returns the offset of the data.
pub(super) fn data_offset(bytes: &[u8], entry: &Entry<'_>) -> Result<u64> {
    let at = entry.local_offset;
    read(bytes, entry).map_err(|error| error.at(at).in_member(&entry.name))
}

fn read(bytes: &[u8], entry: &Entry<'_>) -> Result<u64> {
    let at = entry.local_offset;
    let mut cursor = Cursor::new(slice(bytes, at, LENGTH, "local header")?, at, "local header");
    cursor.signature(LOCAL_HEADER)?;
    cursor.skip(2)?;
    let (flags, method) = (cursor.u16()?, cursor.u16()?);
    let (time, crc32) = (cursor.u32()?, cursor.u32()?);
    let (stored, size) = (cursor.u32()?, cursor.u32()?);
    let (name_length, extra_length) = (u64::from(cursor.u16()?), u64::from(cursor.u16()?));
    let name_at = at + LENGTH;
    let name = slice(bytes, name_at, name_length, "member name")?;
    let extra_at = name_at + name_length;
    let extra = slice(bytes, extra_at, extra_length, "extra field")?;
    let (stored, size) = sizes(stored, size, extra, extra_at)?;
    let differs = |what: &str| {
        Err(Error::invalid(format!("the {what} in the local header differs from that in the central directory")))
    };
    if name != entry.raw_name {
        return differs("name");
    }
    if flags != entry.flags {
        return differs("flags");
    }
    if method != entry.method {
        return differs("compression method");
    }
    if time != entry.time {
        return differs("time");
    }
    if crc32 != entry.crc32 {
        return differs("CRC-32");
    }
    if (stored, size) != (entry.stored, entry.size) {
        return differs("size");
    }
    Ok(extra_at + extra_length)
}

/// The sizes, from the zip64 field where the header has one. Some versions of Python write that field beside 32-bit
/// sizes that are not saturated; both must agree then.
fn sizes(stored: u32, size: u32, extra: &[u8], extra_at: u64) -> Result<(u64, u64)> {
    let Some(mut field) = extra::zip64(extra, extra_at)? else {
        if stored == IN_ZIP64 || size == IN_ZIP64 {
            return Err(Error::invalid("a size refers to a zip64 field that is not there"));
        }
        return Ok((u64::from(stored), u64::from(size)));
    };
    if field.remaining() != 16 {
        return Err(Error::invalid(format!("the local zip64 field has {} bytes, expected 16", field.remaining())));
    }
    let (wide_size, wide_stored) = (field.u64()?, field.u64()?);
    let agrees = |narrow: u32, wide: u64| narrow == IN_ZIP64 || u64::from(narrow) == wide;
    if agrees(size, wide_size) && agrees(stored, wide_stored) {
        Ok((wide_stored, wide_size))
    } else {
        Err(Error::invalid("the local zip64 field contradicts the header"))
    }
}
