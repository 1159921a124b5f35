//! Groups as symbol tables: a B-tree of symbol nodes, with the names in a local heap.

use super::btree::{self, Kind};
use super::link::{Member, check_name};
use super::object_header::Message;
use super::reader::Reader;
use crate::bytes::Cursor;
use crate::error::{Error, Result};

const ENTRY: u64 = 40;
/// The scratch-pad type of entries that are soft links.
const SOFT_LINK: u32 = 2;

/// The members of the group that `message` describes, in the order of their names.
pub(super) fn members(reader: &mut Reader<'_, '_>, message: &Message<'_>) -> Result<Vec<Member>> {
    let mut cursor = message.cursor("symbol table message");
    let (tree, heap) = (cursor.u64()?, cursor.u64()?);
    let (names, names_at) = local_heap(reader, heap)?;
    let mut members = Vec::new();
    btree::walk(reader, tree, Kind::Group, 8, |reader, _key, node| {
        symbol_node(reader, node, names, names_at, &mut members)
    })?;
    Ok(members)
}

/// The data segment of a local heap and where it lies.
fn local_heap<'a>(reader: &mut Reader<'a, '_>, address: u64) -> Result<(&'a [u8], u64)> {
    let mut cursor = reader.cursor(address, 32, "local heap")?;
    cursor.signature(*b"HEAP")?;
    cursor.version(&[0])?;
    cursor.skip(3)?;
    let length = cursor.u64()?;
    cursor.skip(8)?;
    let segment = cursor.u64()?;
    Ok((reader.claim(segment, length, "local heap segment")?, segment))
}

fn symbol_node(
    reader: &mut Reader<'_, '_>,
    address: u64,
    names: &[u8],
    names_at: u64,
    members: &mut Vec<Member>,
) -> Result<()> {
    let mut header = reader.cursor(address, 8, "symbol node")?;
    header.signature(*b"SNOD")?;
    header.version(&[1])?;
    header.skip(1)?;
    let count = u64::from(header.u16()?);
    let mut entries = reader.cursor(address + 8, count * ENTRY, "symbol node")?;
    for _ in 0..count {
        let at = entries.offset();
        let name_offset = entries.u64()?;
        let address = entries.u64()?;
        let cache = entries.u32()?;
        entries.skip(4 + 16)?;
        let name = heap_name(names, names_at, name_offset)?;
        check_name(name, reader.limits.max_path, at)?;
        reader.budget.charge(name.len() as u64 + 64, "the member list")?;
        if cache == SOFT_LINK {
            return Err(Error::unsupported(format!("'{}' is a soft link", name.escape_debug())).at(at));
        }
        members.push(Member { name: name.to_owned(), address });
    }
    Ok(())
}

/// The zero-terminated name at `offset` of a heap's segment.
fn heap_name(names: &[u8], names_at: u64, offset: u64) -> Result<&str> {
    let tail = usize::try_from(offset).ok().and_then(|offset| names.get(offset..));
    let Some(tail) = tail else {
        return Err(
            Error::invalid(format!("a name at byte {offset} of a local heap of {} bytes", names.len())).at(names_at)
        );
    };
    let at = names_at + offset;
    let Some(length) = tail.iter().position(|&byte| byte == 0) else {
        return Err(Error::invalid("a name without end").at(at));
    };
    let raw = Cursor::new(tail, at, "name").take(length)?;
    std::str::from_utf8(raw).map_err(|_| Error::invalid("a name that is not UTF-8").at(at))
}
