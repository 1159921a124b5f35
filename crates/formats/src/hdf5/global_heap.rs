//! Global heaps: strings of variable length.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::reader::Reader;
use crate::bytes::Cursor;
use crate::error::{Error, Result};

const WHAT: &str = "global heap";
const HEADER: u64 = 16;

/// The heap collections that have been read, by address; each maps an index to a range of the file.
#[derive(Debug, Default)]
pub(super) struct GlobalHeaps {
    collections: HashMap<u64, HashMap<u16, (u64, u64)>>,
}

impl GlobalHeaps {
    /// The string that a variable-length element at the cursor refers to. Its bytes are charged to the budget, as many
    /// elements may refer to one string. `None` when it is not UTF-8.
    pub(super) fn string(&mut self, reader: &mut Reader<'_, '_>, element: &mut Cursor<'_>) -> Result<Option<String>> {
        let at = element.offset();
        let length = u64::from(element.u32()?);
        let address = element.u64()?;
        let index = element.u32()?;
        if length == 0 {
            return Ok(Some(String::new()));
        }
        let collection = match self.collections.entry(address) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(read(reader, address)?),
        };
        let found = u16::try_from(index).ok().and_then(|index| collection.get(&index));
        let Some(&(offset, size)) = found else {
            return Err(
                Error::invalid(format!("global heap object {index} is not in the collection at {address}")).at(at)
            );
        };
        if length > size {
            return Err(Error::invalid(format!("a string of {length} bytes in a heap object of {size}")).at(at));
        }
        reader.budget.charge(length, "a string")?;
        let bytes = reader.peek(offset, length, WHAT)?.take(length as usize)?;
        // h5py counts no zero at the end; other writers do.
        let text = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        Ok(std::str::from_utf8(text).ok().map(str::to_owned))
    }
}

fn read(reader: &mut Reader<'_, '_>, address: u64) -> Result<HashMap<u16, (u64, u64)>> {
    let mut header = reader.peek(address, HEADER, WHAT)?;
    header.signature(*b"GCOL")?;
    header.version(&[1])?;
    header.skip(3)?;
    let length = header.u64()?;
    let mut objects = reader.cursor(address, length, WHAT)?;
    objects.skip(HEADER as usize)?;
    let mut found = HashMap::new();
    while objects.remaining() >= HEADER as usize {
        let at = objects.offset();
        let index = objects.u16()?;
        objects.skip(6)?;
        let size = objects.u64()?;
        if index == 0 {
            // The free space, always last.
            break;
        }
        let offset = objects.offset();
        let padded = size.checked_next_multiple_of(8).and_then(|padded| usize::try_from(padded).ok());
        objects.skip(padded.unwrap_or(usize::MAX))?;
        reader.budget.charge(48, WHAT)?;
        if found.insert(index, (offset, size)).is_some() {
            return Err(Error::invalid(format!("two global heap objects have the index {index}")).at(at));
        }
    }
    Ok(found)
}
