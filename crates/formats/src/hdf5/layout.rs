//! Data layouts: where the data of a dataset is.

use super::UNDEFINED;
use crate::bytes::Cursor;
use crate::error::{Error, Result};

/// A layout message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout<'a> {
    /// In the header itself, at this offset of the file.
    Compact { offset: u64, data: &'a [u8] },
    /// In one piece; `address` may be undefined. Old versions do not state the size.
    Contiguous { address: u64, size: Option<u64> },
    /// In chunks, whose extents end with the size of an element.
    Chunked { extents: Vec<u64>, index: ChunkIndex },
}

/// How chunks are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChunkIndex {
    /// A B-tree of version 1; `address` may be undefined.
    BTree { address: u64 },
    /// There is one chunk. `stored` is its size and its filter mask when it went through filters.
    Single { address: u64, stored: Option<(u64, u32)> },
    /// All chunks follow each other, without filters.
    Implicit { address: u64 },
}

const SINGLE_FILTERED: u8 = 1 << 1;

/// Reads a layout message.
pub(super) fn read<'a>(cursor: &mut Cursor<'a>) -> Result<Layout<'a>> {
    let at = cursor.offset();
    let version = cursor.version(&[1, 2, 3, 4, 5])?;
    if version < 3 {
        return old(cursor);
    }
    match cursor.u8()? {
        0 => {
            let size = usize::from(cursor.u16()?);
            let offset = cursor.offset();
            let data = cursor.take(size)?;
            Ok(Layout::Compact { offset, data })
        }
        1 => Ok(Layout::Contiguous { address: cursor.u64()?, size: Some(cursor.u64()?) }),
        2 if version == 3 => {
            let count = usize::from(cursor.u8()?);
            let address = cursor.u64()?;
            let extents = extents(cursor, count, 4)?;
            Ok(Layout::Chunked { extents, index: ChunkIndex::BTree { address } })
        }
        // Version 5 differs only in chunk indexes that are not read.
        2 => chunked4(cursor),
        3 => Err(Error::unsupported("a virtual dataset, made of other files").at(at)),
        class => Err(Error::invalid(format!("a data layout of class {class}")).at(at)),
    }
}

fn extents(cursor: &mut Cursor<'_>, count: usize, width: usize) -> Result<Vec<u64>> {
    (0..count).map(|_| cursor.uint(width)).collect()
}

fn old<'a>(cursor: &mut Cursor<'a>) -> Result<Layout<'a>> {
    let at = cursor.offset();
    let count = usize::from(cursor.u8()?);
    let class = cursor.u8()?;
    cursor.skip(5)?;
    match class {
        0 => {
            extents(cursor, count, 4)?;
            let size = cursor.u32()? as usize;
            let offset = cursor.offset();
            let data = cursor.take(size)?;
            Ok(Layout::Compact { offset, data })
        }
        1 => Ok(Layout::Contiguous { address: cursor.u64()?, size: None }),
        2 => {
            let address = cursor.u64()?;
            let extents = extents(cursor, count, 4)?;
            Ok(Layout::Chunked { extents, index: ChunkIndex::BTree { address } })
        }
        class => Err(Error::invalid(format!("a data layout of class {class}")).at(at)),
    }
}

fn chunked4<'a>(cursor: &mut Cursor<'a>) -> Result<Layout<'a>> {
    let at = cursor.offset();
    let flags = cursor.u8()?;
    let count = usize::from(cursor.u8()?);
    let width = usize::from(cursor.u8()?);
    if !matches!(width, 1..=8) {
        return Err(Error::invalid(format!("chunk extents of {width} bytes each")).at(at));
    }
    let extents = extents(cursor, count, width)?;
    let index = match cursor.u8()? {
        1 => {
            let stored = if flags & SINGLE_FILTERED == 0 { None } else { Some((cursor.u64()?, cursor.u32()?)) };
            let address = cursor.u64()?;
            ChunkIndex::Single { address, stored }
        }
        2 => ChunkIndex::Implicit { address: cursor.u64()? },
        kind => {
            let name = match kind {
                3 => "a fixed array",
                4 => "an extensible array",
                5 => "a B-tree of version 2",
                _ => return Err(Error::invalid(format!("a chunk index of kind {kind}")).at(at)),
            };
            return Err(Error::unsupported(format!("chunks indexed by {name}")).at(at));
        }
    };
    Ok(Layout::Chunked { extents, index })
}

/// Whether an address points somewhere.
pub(super) const fn is_defined(address: u64) -> bool {
    address != UNDEFINED
}
