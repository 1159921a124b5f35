//! Filters that chunks went through.

use crate::bytes::Cursor;
use crate::error::{Error, Result};
use crate::inflate::{Wrapper, inflate};

/// One step of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// zlib.
    Gzip,
    /// All first bytes of the elements, then all second bytes, and so on.
    Shuffle { element: usize },
}

/// HDF5 keeps the skipped filters of a chunk in a 32-bit mask.
const MAX_FILTERS: u8 = 32;

/// Reads a filter pipeline message.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Vec<Filter>> {
    let at = cursor.offset();
    let version = cursor.version(&[1, 2])?;
    let count = cursor.u8()?;
    if count > MAX_FILTERS {
        return Err(Error::invalid(format!("{count} filters, HDF5 allows {MAX_FILTERS}")).at(at));
    }
    if version == 1 {
        cursor.skip(6)?;
    }
    let mut filters = Vec::new();
    for _ in 0..count {
        let id = cursor.u16()?;
        let name_length = if version == 1 || id >= 256 { usize::from(cursor.u16()?) } else { 0 };
        cursor.skip(2)?;
        let values = usize::from(cursor.u16()?);
        cursor.skip(if version == 1 { name_length.next_multiple_of(8) } else { name_length })?;
        let first = if values > 0 { cursor.u32()? } else { 0 };
        cursor.skip(values.saturating_sub(1) * 4)?;
        if version == 1 && values % 2 == 1 {
            cursor.skip(4)?;
        }
        filters.push(match id {
            1 => Filter::Gzip,
            2 if first > 0 => Filter::Shuffle { element: first as usize },
            2 => return Err(Error::invalid("a shuffle filter without element size").at(at)),
            3 => return Err(Error::unsupported("the fletcher32 filter; gzip and shuffle are read").at(at)),
            _ => return Err(Error::unsupported(format!("filter {id}; gzip (1) and shuffle (2) are read")).at(at)),
        });
    }
    Ok(filters)
}

/// Undoes the filters that `mask` does not skip; the result must be `size` bytes.
pub(super) fn decode(filters: &[Filter], mask: u32, stored: &[u8], size: u64) -> Result<Vec<u8>> {
    let mut data: Option<Vec<u8>> = None;
    for (index, filter) in filters.iter().enumerate().rev() {
        if mask >> index & 1 != 0 {
            continue;
        }
        let input = data.as_deref().unwrap_or(stored);
        data = Some(match *filter {
            // No filter before deflate changes the size, so what it makes is the chunk's size as well.
            Filter::Gzip => inflate(input, size, Wrapper::Zlib)?,
            Filter::Shuffle { element } => unshuffle(input, element)?,
        });
    }
    let data = match data {
        Some(data) => data,
        None => copy(stored)?,
    };
    if data.len() as u64 == size {
        return Ok(data);
    }
    Err(Error::invalid(format!("the chunk holds {} bytes, its shape takes {size}", data.len())))
}

fn copy(stored: &[u8]) -> Result<Vec<u8>> {
    let mut out = crate::memory::with_room(stored.len() as u64, "a chunk")?;
    out.extend_from_slice(stored);
    Ok(out)
}

/// Bytes beyond a whole number of elements stay at the end, as HDF5 leaves them.
fn unshuffle(input: &[u8], element: usize) -> Result<Vec<u8>> {
    let mut out = copy(input)?;
    let count = input.len() / element;
    if element > 1 && count > 1 {
        for (plane, bytes) in input.chunks_exact(count).take(element).enumerate() {
            for (slot, &byte) in out.chunks_exact_mut(element).zip(bytes) {
                slot[plane] = byte;
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unshuffles_planes_and_keeps_the_rest() {
        let shuffled = [0, 10, 20, 1, 11, 21, 99];
        assert_eq!(unshuffle(&shuffled, 2).unwrap(), [0, 1, 10, 11, 20, 21, 99]);
        assert_eq!(unshuffle(&[1, 2], 4).unwrap(), [1, 2]);
    }

    #[test]
    fn skips_masked_filters() {
        let filters = [Filter::Shuffle { element: 2 }, Filter::Gzip];
        assert_eq!(decode(&filters, 0b11, &[1, 2, 3, 4], 4).unwrap(), [1, 2, 3, 4]);
        assert_eq!(decode(&filters, 0b10, &[1, 3, 2, 4], 4).unwrap(), [1, 2, 3, 4]);
        assert!(decode(&filters, 0b11, &[1, 2, 3], 4).is_err());
    }
}
