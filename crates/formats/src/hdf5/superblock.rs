//! The first structure of a file.

use super::{SIGNATURE, checksum};
use crate::bytes::{Cursor, slice};
use crate::error::{Error, Result};

/// What a superblock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Superblock {
    /// Its length in bytes.
    pub(super) length: u64,
    /// The address of the root group's object header.
    pub(super) root: u64,
    /// Where the file ends.
    pub(super) end: u64,
}

const WHAT: &str = "superblock";

/// Reads the superblock at the start of `bytes`.
pub(super) fn read(bytes: &[u8]) -> Result<Superblock> {
    if !bytes.starts_with(&SIGNATURE) {
        if SIGNATURE.starts_with(bytes) {
            return Err(Error::truncated("the file ends before its superblock").at(bytes.len() as u64));
        }
        if (1..20).any(|k| bytes.get(256 << k..).is_some_and(|rest| rest.starts_with(&SIGNATURE))) {
            return Err(Error::unsupported("the file has a user block before its superblock").at(0));
        }
        return Err(Error::invalid("not an HDF5 file: the signature is missing").at(0));
    }
    let mut cursor = Cursor::new(bytes, 0, WHAT);
    cursor.skip(8)?;
    let superblock = match cursor.version(&[0, 1, 2, 3])? {
        version @ (0 | 1) => classic(&mut cursor, version)?,
        _ => compact(bytes, &mut cursor)?,
    };
    if superblock.end > bytes.len() as u64 {
        return Err(Error::truncated(format!(
            "the superblock announces {} bytes, the file has {}",
            superblock.end,
            bytes.len()
        ))
        .at(bytes.len() as u64));
    }
    Ok(superblock)
}

fn classic(cursor: &mut Cursor<'_>, version: u8) -> Result<Superblock> {
    // Versions of free space, root symbol table and shared messages, with a reserved byte between.
    cursor.skip(4)?;
    widths(cursor)?;
    // Reserved byte, the two group node sizes, consistency flags; version 1 adds a node size for chunk indexes. Nodes
    // state how many entries they use, so the sizes are not needed.
    cursor.skip(1 + 4 + 4 + if version == 1 { 4 } else { 0 })?;
    base(cursor)?;
    cursor.skip(8)?;
    let end = cursor.u64()?;
    cursor.skip(8 + 8)?;
    let root = cursor.u64()?;
    cursor.skip(24)?;
    Ok(Superblock { length: cursor.offset(), root, end })
}

fn compact(bytes: &[u8], cursor: &mut Cursor<'_>) -> Result<Superblock> {
    widths(cursor)?;
    cursor.skip(1)?;
    base(cursor)?;
    cursor.skip(8)?;
    let end = cursor.u64()?;
    let root = cursor.u64()?;
    cursor.skip(4)?;
    let length = cursor.offset();
    checksum::verify(slice(bytes, 0, length, WHAT)?, 0, WHAT)?;
    Ok(Superblock { length, root, end })
}

fn widths(cursor: &mut Cursor<'_>) -> Result<()> {
    let at = cursor.offset();
    let widths = (cursor.u8()?, cursor.u8()?);
    if widths == (8, 8) {
        return Ok(());
    }
    Err(Error::unsupported(format!("offsets of {} and lengths of {} bytes, 8 and 8 are read", widths.0, widths.1))
        .at(at))
}

fn base(cursor: &mut Cursor<'_>) -> Result<()> {
    let at = cursor.offset();
    let base = cursor.u64()?;
    if base == 0 {
        return Ok(());
    }
    Err(Error::unsupported(format!("a base address of {base}, 0 is read")).at(at))
}
