//! What the messages of an object header mean: a group or a dataset.

use super::attribute::{self, Attribute, AttributeValue};
use super::chunked;
use super::dataspace::{self, Dataspace};
use super::datatype::{self, Datatype};
use super::file::{Dataset, Storage};
use super::filters;
use super::global_heap::GlobalHeaps;
use super::layout::{self, Layout, is_defined};
use super::link::{self, Member};
use super::object_header::{self as header, Message};
use super::reader::Reader;
use super::symbol_table;
use crate::bytes::Cursor;
use crate::element_type::{ElementType, byte_count};
use crate::error::{Error, Result};

/// An object that has no path yet.
pub(super) enum Found {
    Group { members: Vec<Member>, attributes: Vec<Attribute> },
    Dataset(Dataset),
}

/// The only message of a kind; HDF5 allows no second one of those asked for here.
fn single<'m, 'a>(messages: &'m [Message<'a>], kind: u16) -> Result<Option<&'m Message<'a>>> {
    let mut matching = messages.iter().filter(|message| message.kind == kind);
    let first = matching.next();
    match matching.next() {
        Some(second) => Err(Error::invalid(format!("two messages of kind 0x{kind:02x}")).at(second.offset)),
        None => Ok(first),
    }
}

/// Reads the object whose header is at `address`.
pub(super) fn read(reader: &mut Reader<'_, '_>, heaps: &mut GlobalHeaps, address: u64) -> Result<Found> {
    let messages = header::read(reader, address)?;
    let mut attributes = Vec::new();
    for message in &messages {
        match message.kind {
            header::ATTRIBUTE => attributes.push(attribute::read(reader, heaps, message)?),
            header::ATTRIBUTE_INFO => attribute::check_compact(message)?,
            _ => {}
        }
    }
    let symbols = single(&messages, header::SYMBOL_TABLE)?;
    let links = single(&messages, header::LINK_INFO)?;
    let datatype = single(&messages, header::DATATYPE)?;
    let layout = single(&messages, header::LAYOUT)?;
    match (symbols, links, datatype, layout) {
        (Some(message), None, None, None) => {
            let members = symbol_table::members(reader, message)?;
            link::check_unique(&members)?;
            Ok(Found::Group { members, attributes })
        }
        (None, Some(_), None, None) => {
            let members = link::members(reader, &messages)?;
            link::check_unique(&members)?;
            Ok(Found::Group { members, attributes })
        }
        (None, None, Some(datatype), Some(layout)) => {
            let dataset = dataset(reader, heaps, &messages, datatype, layout, attributes)?;
            Ok(Found::Dataset(dataset))
        }
        (None, None, Some(_), None) => Err(Error::unsupported("a committed datatype").at(address)),
        _ => Err(Error::invalid("an object that is neither a group nor a dataset").at(address)),
    }
}

fn dataset(
    reader: &mut Reader<'_, '_>,
    heaps: &mut GlobalHeaps,
    messages: &[Message<'_>],
    datatype: &Message<'_>,
    layout: &Message<'_>,
    attributes: Vec<Attribute>,
) -> Result<Dataset> {
    if let Some(external) = single(messages, header::EXTERNAL_FILES)? {
        return Err(Error::unsupported("data in external files").at(external.offset));
    }
    let Some(space) = single(messages, header::DATASPACE)? else {
        return Err(Error::invalid("a dataset without dataspace").at(datatype.offset));
    };
    let space = dataspace::read(&mut space.cursor("dataspace"))?;
    let element_type = element_type(datatype, &attributes)?;
    let is_null = space == Dataspace::Null;
    let shape = space.shape();
    let element_size = element_type.size().unwrap_or(16);
    let size = byte_count(&shape, element_size)
        .ok_or_else(|| Error::limit(format!("a dataset of shape {shape:?} is beyond 2^64 bytes")).at(layout.offset))?;
    let storage = storage(reader, messages, layout, &shape, element_size, size)?;
    let fill = fill_value(messages, element_size)?;
    let mut dataset = Dataset { path: String::new(), element_type, shape, is_null, attributes, size, storage, fill };
    if element_type == ElementType::VariableString {
        let raw = dataset.raw(reader.bytes)?;
        reader.budget.charge(size.saturating_mul(2), "strings")?;
        // The place of a reference within a chunk is not kept; the layout message is close enough.
        let mut elements = Cursor::new(&raw, layout.offset, "string references");
        let mut texts = Vec::new();
        while elements.remaining() > 0 {
            let text = heaps.string(reader, &mut elements)?;
            texts.push(text.ok_or_else(|| Error::invalid("text that is not UTF-8").at(layout.offset))?);
        }
        drop(raw);
        dataset.storage = Storage::Texts(texts);
    }
    Ok(dataset)
}

fn element_type(message: &Message<'_>, attributes: &[Attribute]) -> Result<ElementType> {
    // Keras keeps bfloat16 as opaque pairs of bytes, marked by an attribute.
    let marked = attributes
        .iter()
        .any(|attribute| attribute.name == "dtype" && attribute.value == AttributeValue::Text("bfloat16".to_owned()));
    match datatype::read(&mut message.cursor("datatype"))? {
        Datatype::Element(element_type) => Ok(element_type),
        Datatype::Opaque(2) if marked => Ok(ElementType::Bf16),
        Datatype::Opaque(size) => {
            Err(Error::unsupported(format!("opaque elements of {size} bytes")).at(message.offset))
        }
        Datatype::Other(name) => Err(Error::unsupported(format!("elements of type {name}")).at(message.offset)),
    }
}

fn storage(
    reader: &mut Reader<'_, '_>,
    messages: &[Message<'_>],
    message: &Message<'_>,
    shape: &[u64],
    element_size: u64,
    size: u64,
) -> Result<Storage> {
    let filters = match single(messages, header::FILTERS)? {
        Some(message) => filters::read(&mut message.cursor("filter pipeline"))?,
        None => Vec::new(),
    };
    let contradiction = |stored: u64| {
        Error::invalid(format!("{stored} bytes are stored, shape {shape:?} takes {size}")).at(message.offset)
    };
    let layout = layout::read(&mut message.cursor("data layout"))?;
    if !filters.is_empty() && !matches!(layout, Layout::Chunked { .. }) {
        return Err(Error::invalid("filters on a dataset without chunks").at(message.offset));
    }
    match layout {
        Layout::Compact { offset, data } => {
            let stored = data.len() as u64;
            // A compact dataset without data was never written.
            match stored {
                _ if stored == size => Ok(Storage::Range(offset)),
                0 => filled(reader, size),
                _ => Err(contradiction(stored)),
            }
        }
        Layout::Contiguous { address, size: stated } => {
            if !is_defined(address) {
                return filled(reader, size);
            }
            match stated {
                Some(stated) if stated != size => Err(contradiction(stated)),
                _ => {
                    reader.claim(address, size, "dataset")?;
                    Ok(Storage::Range(address))
                }
            }
        }
        Layout::Chunked { extents, index } => {
            reader.budget.charge(size, "the dataset")?;
            let chunks = chunked::read(reader, shape, element_size, extents, index, filters);
            Ok(Storage::Chunks(Box::new(chunks.map_err(|error| error.at(message.offset))?)))
        }
    }
}

/// Space that was never written reads as the fill value; it costs memory but no file.
fn filled(reader: &mut Reader<'_, '_>, size: u64) -> Result<Storage> {
    reader.budget.charge(size, "the dataset")?;
    Ok(Storage::Filled)
}

/// The bytes of one element of space that was never written; empty for zeros.
fn fill_value(messages: &[Message<'_>], element_size: u64) -> Result<Vec<u8>> {
    let (message, mut cursor);
    if let Some(found) = single(messages, header::FILL_VALUE)? {
        message = found;
        cursor = message.cursor("fill value");
        let version = cursor.version(&[1, 2, 3])?;
        let defined = if version == 3 {
            cursor.u8()? & 0x20 != 0
        } else {
            cursor.skip(2)?;
            cursor.u8()? != 0 || version == 1
        };
        if !defined {
            return Ok(Vec::new());
        }
    } else if let Some(found) = single(messages, header::FILL_VALUE_OLD)? {
        message = found;
        cursor = message.cursor("fill value");
    } else {
        return Ok(Vec::new());
    }
    let size = cursor.u32()?;
    if size == 0 {
        return Ok(Vec::new());
    }
    if u64::from(size) != element_size {
        return Err(Error::invalid(format!("a fill value of {size} bytes for elements of {element_size} bytes"))
            .at(message.offset));
    }
    Ok(cursor.take(size as usize)?.to_vec())
}
