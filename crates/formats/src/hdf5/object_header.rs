//! Object headers: the messages that describe one group or dataset.

use super::checksum;
use super::reader::Reader;
use crate::bytes::Cursor;
use crate::error::{Error, Result};

pub(super) const DATASPACE: u16 = 0x01;
pub(super) const LINK_INFO: u16 = 0x02;
pub(super) const DATATYPE: u16 = 0x03;
pub(super) const FILL_VALUE_OLD: u16 = 0x04;
pub(super) const FILL_VALUE: u16 = 0x05;
pub(super) const LINK: u16 = 0x06;
pub(super) const EXTERNAL_FILES: u16 = 0x07;
pub(super) const LAYOUT: u16 = 0x08;
pub(super) const FILTERS: u16 = 0x0b;
pub(super) const ATTRIBUTE: u16 = 0x0c;
pub(super) const SYMBOL_TABLE: u16 = 0x11;
pub(super) const ATTRIBUTE_INFO: u16 = 0x15;
const NIL: u16 = 0x00;
const CONTINUATION: u16 = 0x10;
const LAST_KNOWN: u16 = 0x18;

const FLAG_SHARED: u8 = 1 << 1;
const FLAG_FAIL_IF_UNKNOWN: u8 = 1 << 7;

/// The most messages in one header; HDF5 itself counts them in 16 bits.
const MAX_MESSAGES: usize = 65_535;

/// One message, without its header.
#[derive(Debug, Clone)]
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) offset: u64,
    pub(super) data: &'a [u8],
}

impl<'a> Message<'a> {
    pub(super) fn cursor(&self, what: &'static str) -> Cursor<'a> {
        Cursor::new(self.data, self.offset, what)
    }
}

/// How messages are laid out in the blocks of one header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Version1,
    Version2 { creation_order: bool },
}

/// Reads the header at `address` with all its continuation blocks, in order.
pub(super) fn read<'a>(reader: &mut Reader<'a, '_>, address: u64) -> Result<Vec<Message<'a>>> {
    let start = reader.peek(address, 4, "object header")?.take(4)?;
    let (form, first) = if start == *b"OHDR" { version2(reader, address)? } else { version1(reader, address)? };
    let mut messages = Vec::new();
    // Continuation blocks are read in the order in which they are announced.
    let mut blocks = vec![first];
    let mut next = 0;
    while let Some(block) = blocks.get(next).cloned() {
        next += 1;
        for (offset, length) in block_messages(block, form, &mut messages)? {
            blocks.push(match form {
                Form::Version1 => reader.cursor(offset, length, "object header continuation")?,
                Form::Version2 { .. } => continuation2(reader, offset, length)?,
            });
        }
    }
    Ok(messages)
}

fn version1<'a>(reader: &mut Reader<'a, '_>, address: u64) -> Result<(Form, Cursor<'a>)> {
    let mut prefix = reader.cursor(address, 16, "object header")?;
    prefix.version(&[1])?;
    // Reserved byte, number of messages, number of links to this object: the blocks' lengths bound all of it.
    prefix.skip(1 + 2 + 4)?;
    let length = u64::from(prefix.u32()?);
    let block = reader.cursor(address + 16, length, "object header")?;
    Ok((Form::Version1, block))
}

fn version2<'a>(reader: &mut Reader<'a, '_>, address: u64) -> Result<(Form, Cursor<'a>)> {
    const WHAT: &str = "object header";
    let mut prefix = reader.peek(address, 6, WHAT)?;
    prefix.signature(*b"OHDR")?;
    prefix.version(&[2])?;
    let flags = prefix.u8()?;
    let times = if flags & 0x20 == 0 { 0 } else { 16 };
    let phases = if flags & 0x10 == 0 { 0 } else { 4 };
    let width = 1_u64 << (flags & 3);
    let length_at = address + 6 + times + phases;
    let length = reader.peek(length_at, width, WHAT)?.uint(width as usize)?;
    let header = length_at + width - address;
    let total = length
        .checked_add(header + 4)
        .ok_or_else(|| Error::invalid(format!("{WHAT}: a first block of {length} bytes")).at(address))?;
    let block = reader.claim(address, total, WHAT)?;
    checksum::verify(block, address, WHAT)?;
    let messages = block.get(header as usize..block.len() - 4).unwrap_or_default();
    let form = Form::Version2 { creation_order: flags & 0x04 != 0 };
    Ok((form, Cursor::new(messages, address + header, WHAT)))
}

fn continuation2<'a>(reader: &mut Reader<'a, '_>, offset: u64, length: u64) -> Result<Cursor<'a>> {
    const WHAT: &str = "object header continuation";
    let block = reader.claim(offset, length, WHAT)?;
    Cursor::new(block, offset, WHAT).signature(*b"OCHK")?;
    checksum::verify(block, offset, WHAT)?;
    let messages = block
        .get(4..block.len() - 4)
        .ok_or_else(|| Error::truncated(format!("{WHAT} of {length} bytes is too short")).at(offset))?;
    Ok(Cursor::new(messages, offset + 4, WHAT))
}

/// Reads the messages of one block; returns the extents of the continuation blocks it announces.
fn block_messages<'a>(mut block: Cursor<'a>, form: Form, messages: &mut Vec<Message<'a>>) -> Result<Vec<(u64, u64)>> {
    let header = match form {
        Form::Version1 => 8,
        Form::Version2 { creation_order: false } => 4,
        Form::Version2 { creation_order: true } => 6,
    };
    let mut continuations = Vec::new();
    // Fewer bytes than a message header are a gap.
    while block.remaining() >= header {
        let at = block.offset();
        let (kind, size, flags);
        if form == Form::Version1 {
            kind = block.u16()?;
            size = block.u16()?;
            flags = block.u8()?;
            block.skip(3)?;
        } else {
            kind = u16::from(block.u8()?);
            size = block.u16()?;
            flags = block.u8()?;
            block.skip(header - 4)?;
        }
        let offset = block.offset();
        let data = block.take(usize::from(size))?;
        if kind == NIL {
            continue;
        }
        if flags & FLAG_SHARED != 0 {
            return Err(Error::unsupported("a message shared between objects, as of a committed datatype").at(at));
        }
        if kind == CONTINUATION {
            let mut cursor = Cursor::new(data, offset, "continuation message");
            continuations.push((cursor.u64()?, cursor.u64()?));
            continue;
        }
        if kind > LAST_KNOWN && flags & FLAG_FAIL_IF_UNKNOWN != 0 {
            return Err(Error::unsupported(format!("unknown message 0x{kind:04x} that must be understood")).at(at));
        }
        if messages.len() == MAX_MESSAGES {
            return Err(Error::limit(format!("more than {MAX_MESSAGES} messages in an object header")).at(at));
        }
        messages.push(Message { kind, offset, data });
    }
    Ok(continuations)
}
