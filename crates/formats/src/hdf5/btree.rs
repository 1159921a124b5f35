//! B-trees of version 1: the index of symbol-table groups and of chunks.

use super::reader::Reader;
use crate::bytes::Cursor;
use crate::error::{Error, Result};

const WHAT: &str = "B-tree node";
const HEADER: u64 = 24;

/// What a tree indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Symbol nodes of a group.
    Group,
    /// Chunks of a dataset.
    Chunks,
}

/// Walks the tree at `root` from left to right and gives `visit` the key and the child of every leaf entry. The key is
/// `key_length` bytes.
pub(super) fn walk<'a>(
    reader: &mut Reader<'a, '_>,
    root: u64,
    kind: Kind,
    key_length: u64,
    mut visit: impl FnMut(&mut Reader<'a, '_>, Cursor<'a>, u64) -> Result<()>,
) -> Result<()> {
    // Levels fall by one per step and every node is claimed, so neither depth nor cycles need more care.
    let mut pending: Vec<(u64, Option<u8>)> = vec![(root, None)];
    while let Some((address, wanted_level)) = pending.pop() {
        let mut header = reader.cursor(address, HEADER, WHAT)?;
        header.signature(*b"TREE")?;
        let found_kind = header.u8()?;
        let level = header.u8()?;
        let entries = u64::from(header.u16()?);
        if found_kind != kind as u8 {
            return Err(
                Error::invalid(format!("{WHAT}: expected kind {}, received {found_kind}", kind as u8)).at(address)
            );
        }
        if wanted_level.is_some_and(|wanted| wanted != level) {
            return Err(Error::invalid(format!("{WHAT}: level {level} under a node of another level")).at(address));
        }
        let body_at = address + HEADER;
        let body_length = entries * (key_length + 8) + key_length;
        let mut body = reader.cursor(body_at, body_length, WHAT)?;
        let below = level.checked_sub(1);
        let first_new = pending.len();
        for _ in 0..entries {
            let key_at = body.offset();
            let key = Cursor::new(body.take(key_length as usize)?, key_at, "B-tree key");
            let child = body.u64()?;
            match below {
                None => visit(reader, key, child)?,
                Some(level) => pending.push((child, Some(level))),
            }
        }
        pending[first_new..].reverse();
    }
    Ok(())
}
