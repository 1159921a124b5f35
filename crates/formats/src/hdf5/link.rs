//! Groups as link messages, and what holds for the members of every group.

use std::collections::HashSet;

use super::UNDEFINED;
use super::object_header::{LINK, LINK_INFO, Message};
use super::reader::Reader;
use crate::error::{Error, Result};

/// A hard link from a group to an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) address: u64,
}

/// Names become components of paths, so they must not look like several, like none, or like a step.
pub(super) fn check_name(name: &str, max_length: usize, at: u64) -> Result<()> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(Error::invalid(format!("'{}' cannot name a member of a group", name.escape_debug())).at(at));
    }
    if name.len() > max_length {
        return Err(Error::limit(format!("a name of {} bytes, at most {max_length} are read", name.len())).at(at));
    }
    Ok(())
}

/// Refuses two members with one name.
pub(super) fn check_unique(members: &[Member]) -> Result<()> {
    let mut seen = HashSet::with_capacity(members.len());
    for member in members {
        if !seen.insert(member.name.as_str()) {
            return Err(Error::invalid(format!("two members of the group are named '{}'", member.name.escape_debug()))
                .at(member.address));
        }
    }
    Ok(())
}

/// The members of a group whose links stand in its header, in the order in which they stand there.
pub(super) fn members(reader: &mut Reader<'_, '_>, messages: &[Message<'_>]) -> Result<Vec<Member>> {
    let mut members = Vec::new();
    for message in messages {
        match message.kind {
            LINK_INFO => check_compact(message)?,
            LINK => members.push(link(reader, message)?),
            _ => {}
        }
    }
    Ok(members)
}

fn check_compact(message: &Message<'_>) -> Result<()> {
    let mut cursor = message.cursor("link info message");
    cursor.version(&[0])?;
    let flags = cursor.u8()?;
    if flags & 1 != 0 {
        cursor.skip(8)?;
    }
    if cursor.u64()? == UNDEFINED {
        return Ok(());
    }
    Err(Error::unsupported("links in a fractal heap, as the newest format keeps many").at(message.offset))
}

fn link(reader: &mut Reader<'_, '_>, message: &Message<'_>) -> Result<Member> {
    let mut cursor = message.cursor("link message");
    cursor.version(&[1])?;
    let flags = cursor.u8()?;
    let kind = if flags & 0x08 == 0 { 0 } else { cursor.u8()? };
    if flags & 0x04 != 0 {
        cursor.skip(8)?;
    }
    if flags & 0x10 != 0 {
        cursor.skip(1)?;
    }
    let length = cursor.uint(1 << (flags & 3))?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let name = std::str::from_utf8(cursor.take(length)?)
        .map_err(|_| Error::invalid("a name that is not UTF-8").at(message.offset))?;
    check_name(name, reader.limits.max_path, message.offset)?;
    reader.budget.charge(length as u64 + 64, "the member list")?;
    let refused = match kind {
        0 => {
            let address = cursor.u64()?;
            let name = name.to_owned();
            return Ok(Member { name, address });
        }
        1 => "a soft link",
        64 => "an external link",
        _ => "a user-defined link",
    };
    Err(Error::unsupported(format!("'{}' is {refused}", name.escape_debug())).at(message.offset))
}
