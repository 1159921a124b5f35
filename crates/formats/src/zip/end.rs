//! The records at the end of an archive, which say where the central directory is.

use super::{
    END_LENGTH, END_RECORD, IN_ZIP64, IN_ZIP64_SHORT, LOCATOR_LENGTH, ZIP64_END_LENGTH, ZIP64_END_RECORD, ZIP64_LOCATOR,
};
use crate::bytes::{Cursor, slice};
use crate::error::{Error, Result};

/// The longest comment, and so the furthest that an end record can lie from the end.
const MAX_COMMENT: usize = 65_535;

/// Where the central directory lies and how many members it lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) members: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
}

/// Finds the central directory. It must end where the end records start, and these end with the file.
pub(super) fn find(bytes: &[u8]) -> Result<Directory> {
    let total = bytes.len() as u64;
    let at = position(bytes)?;
    let mut cursor = Cursor::new(slice(bytes, at, END_LENGTH, "end record")?, at, "end record");
    cursor.signature(END_RECORD)?;
    let (disk, directory_disk) = (cursor.u16()?, cursor.u16()?);
    let (here, members) = (cursor.u16()?, cursor.u16()?);
    let (length, offset) = (cursor.u32()?, cursor.u32()?);
    if (disk, directory_disk) != (0, 0) || here != members {
        return Err(Error::unsupported("the archive is one of several disks").at(at));
    }
    let plain = Directory { members: u64::from(members), offset: u64::from(offset), length: u64::from(length) };
    let saturated = members == IN_ZIP64_SHORT || length == IN_ZIP64 || offset == IN_ZIP64;
    let (directory, records) = match zip64(bytes, at)? {
        Some((wide, records)) => {
            let agrees = |narrow: u64, limit: u64, wide: u64| narrow == limit || narrow == wide;
            if !agrees(plain.members, u64::from(IN_ZIP64_SHORT), wide.members)
                || !agrees(plain.length, u64::from(IN_ZIP64), wide.length)
                || !agrees(plain.offset, u64::from(IN_ZIP64), wide.offset)
            {
                return Err(Error::invalid("the zip64 end record contradicts the end record").at(at));
            }
            (wide, records)
        }
        None if saturated => {
            return Err(Error::invalid("the end record points to a zip64 record that is not there").at(at));
        }
        None => (plain, at),
    };
    match directory.offset.checked_add(directory.length) {
        Some(end) if end == records => Ok(directory),
        _ => Err(Error::invalid(format!(
            "the central directory of {} bytes at byte {} must end at byte {records} of {total}: bytes were put before \
             or inside the archive, or the end record lies",
            directory.length, directory.offset
        ))
        .at(at)),
    }
}

/// The offset of the end record, which must be the last thing in the file and the only one that claims to be.
fn position(bytes: &[u8]) -> Result<u64> {
    let last = bytes.len().checked_sub(END_LENGTH as usize);
    let tail_start = bytes.len().saturating_sub(END_LENGTH as usize + MAX_COMMENT);
    let tail = bytes.get(tail_start..).unwrap_or_default();
    let mut found = None;
    let mut reaching_the_end = 0_u32;
    for (index, window) in tail.windows(END_LENGTH as usize).enumerate() {
        if window.starts_with(&END_RECORD) {
            let comment = usize::from(u16::from_le_bytes([window[20], window[21]]));
            found = Some(tail_start + index);
            if index + END_LENGTH as usize + comment == tail.len() {
                reaching_the_end += 1;
            }
        }
    }
    match (found, last) {
        (Some(found), Some(last)) if found == last && bytes.get(last + 20..) == Some(&[0, 0]) => {
            if reaching_the_end == 1 {
                return Ok(last as u64);
            }
            Err(Error::invalid("more than one end record ends with the file").at(found as u64))
        }
        (Some(found), _) => {
            Err(Error::invalid("bytes follow the end record: an archive comment, trailing data or a second archive")
                .at(found as u64))
        }
        (None, _) if bytes.is_empty() => Err(Error::truncated("the file is empty").at(0)),
        (None, _) if bytes.starts_with(b"PK") => {
            Err(Error::truncated("the archive has no end record: the file is cut short").at(bytes.len() as u64))
        }
        (None, _) => Err(Error::invalid("not a zip archive: no end record").at(0)),
    }
}

/// The zip64 end record, when a locator stands before the end record at `end`, and the offset where it starts.
fn zip64(bytes: &[u8], end: u64) -> Result<Option<(Directory, u64)>> {
    let Some(locator_at) = end.checked_sub(LOCATOR_LENGTH) else {
        return Ok(None);
    };
    let locator = slice(bytes, locator_at, LOCATOR_LENGTH, "zip64 locator")?;
    if !locator.starts_with(&ZIP64_LOCATOR) {
        return Ok(None);
    }
    let mut cursor = Cursor::new(locator, locator_at, "zip64 locator");
    cursor.signature(ZIP64_LOCATOR)?;
    let disk = cursor.u32()?;
    let record_at = cursor.u64()?;
    let disks = cursor.u32()?;
    if disk != 0 || disks > 1 {
        return Err(Error::unsupported("the archive is one of several disks").at(locator_at));
    }
    if record_at.checked_add(ZIP64_END_LENGTH) != Some(locator_at) {
        return Err(Error::invalid(format!(
            "the zip64 locator points to byte {record_at}, the record must end at byte {locator_at}"
        ))
        .at(locator_at));
    }
    let record = slice(bytes, record_at, ZIP64_END_LENGTH, "zip64 end record")?;
    let mut cursor = Cursor::new(record, record_at, "zip64 end record");
    cursor.signature(ZIP64_END_RECORD)?;
    let size = cursor.u64()?;
    cursor.skip(4)?;
    let disks = (cursor.u32()?, cursor.u32()?);
    let (here, members) = (cursor.u64()?, cursor.u64()?);
    let (length, offset) = (cursor.u64()?, cursor.u64()?);
    if size != ZIP64_END_LENGTH - 12 || disks != (0, 0) || here != members {
        return Err(Error::invalid("the zip64 end record contradicts itself").at(record_at));
    }
    let directory = Directory { members, offset, length };
    Ok(Some((directory, record_at)))
}
