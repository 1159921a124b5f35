//! One entry of the central directory.

use super::{CENTRAL_HEADER, FLAG_UTF8, IN_ZIP64, extra, name};
use crate::bytes::Cursor;
use crate::error::{Error, Result};

/// Flag bits that may be set: two that tune deflate, and UTF-8 names.
const FLAGS_TAKEN: u16 = 0b110 | FLAG_UTF8;
const FLAGS_ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const FLAG_STREAMED: u16 = 1 << 3;
/// `S_IFMT` and `S_IFLNK` of the Unix mode in the upper half of the external attributes.
const MODE_TYPE: u32 = 0o170_000;
const MODE_LINK: u32 = 0o120_000;

/// What headers say of a member; the local header must repeat it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) time: u32,
    pub(super) crc32: u32,
    pub(super) stored: u64,
    pub(super) size: u64,
    pub(super) raw_name: &'a [u8],
    pub(super) name: String,
    pub(super) local_offset: u64,
}

/// Reads the entry at the cursor.
pub(super) fn read<'a>(cursor: &mut Cursor<'a>) -> Result<Entry<'a>> {
    let at = cursor.offset();
    cursor.signature(CENTRAL_HEADER)?;
    cursor.skip(4)?;
    let (flags, method) = (cursor.u16()?, cursor.u16()?);
    let (time, crc32) = (cursor.u32()?, cursor.u32()?);
    let (stored, size) = (cursor.u32()?, cursor.u32()?);
    let (name_length, extra_length, comment_length) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
    let disk = cursor.u16()?;
    cursor.skip(2)?;
    let attributes = cursor.u32()?;
    let offset = cursor.u32()?;
    let raw_name = cursor.take(usize::from(name_length))?;
    let extra_at = cursor.offset();
    let extra = cursor.take(usize::from(extra_length))?;

    let name = name::decode(raw_name, flags, at)?;
    let wrong = |error: Error| Err(error.at(at).in_member(&name));
    if flags & FLAGS_ENCRYPTED != 0 {
        return wrong(Error::unsupported("the member is encrypted"));
    }
    if flags & FLAG_STREAMED != 0 {
        return wrong(Error::unsupported("the member was written as a stream, with its sizes after the data"));
    }
    if flags & !FLAGS_TAKEN != 0 {
        return wrong(Error::unsupported(format!("the member has unknown flags 0x{flags:04x}")));
    }
    if disk != 0 {
        return wrong(Error::unsupported("the member is on another disk"));
    }
    if comment_length != 0 {
        return wrong(Error::invalid("the member has a comment"));
    }
    if (attributes >> 16) & MODE_TYPE == MODE_LINK {
        return wrong(Error::invalid("the member is a symbolic link"));
    }
    let mut wide = match extra::zip64(extra, extra_at) {
        Ok(wide) => wide,
        Err(error) => return wrong(error),
    };
    let mut widen = |narrow: u32| -> Result<u64> {
        match (&mut wide, narrow) {
            (Some(field), IN_ZIP64) => field.u64(),
            (None, IN_ZIP64) => Err(Error::invalid("a size or offset refers to a zip64 field that is not there")),
            _ => Ok(u64::from(narrow)),
        }
    };
    // The order of the fields in the zip64 field is fixed: size, stored size, offset.
    let values = widen(size).and_then(|size| Ok((size, widen(stored)?, widen(offset)?)));
    let (size, stored, local_offset) = match values {
        Ok(values) => values,
        Err(error) => return wrong(error),
    };
    if wide.is_some_and(|field| field.remaining() > 0) {
        return wrong(Error::invalid("the zip64 field holds more than the header refers to"));
    }
    Ok(Entry { flags, method, time, crc32, stored, size, raw_name, name, local_offset })
}
