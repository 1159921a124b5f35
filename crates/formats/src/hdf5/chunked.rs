//! Chunked datasets.

use super::btree::{self, Kind};
use super::filters::{self, Filter};
use super::layout::{ChunkIndex, is_defined};
use super::reader::Reader;
use crate::bytes::{Cursor, slice};
use crate::element_type::{byte_count, element_count};
use crate::error::{Error, Result};

const WHAT: &str = "chunk";

/// One stored chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Chunk {
    /// Its number, counting chunks in row-major order over the grid.
    number: u64,
    address: u64,
    stored: u64,
    /// Bit k: filter k was skipped.
    mask: u32,
}

/// Where the chunks of one dataset are. Everything has been checked against the dataset's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunks {
    /// Extents of one chunk.
    extents: Vec<u64>,
    /// Chunks along each axis.
    grid: Vec<u64>,
    element_size: u64,
    /// Bytes of one decoded chunk.
    size: u64,
    filters: Vec<Filter>,
    stored: Vec<Chunk>,
}

/// Reads the index of a dataset of `shape` and `element_size`.
pub(super) fn read(
    reader: &mut Reader<'_, '_>,
    shape: &[u64],
    element_size: u64,
    mut extents: Vec<u64>,
    index: ChunkIndex,
    filters: Vec<Filter>,
) -> Result<Chunks> {
    let stated = extents.pop();
    if stated != Some(element_size) || extents.len() != shape.len() || extents.is_empty() || extents.contains(&0) {
        return Err(Error::invalid(format!(
            "chunks of shape {extents:?} and elements of {} bytes do not divide a dataset of shape {shape:?} and elements \
             of {element_size} bytes",
            stated.unwrap_or(0)
        )));
    }
    let size = byte_count(&extents, element_size)
        .ok_or_else(|| Error::limit(format!("chunks of shape {extents:?} are beyond 2^64 bytes")))?;
    let grid: Vec<u64> = shape.iter().zip(&extents).map(|(&all, &one)| all.div_ceil(one)).collect();
    let mut found = Chunks { extents, grid, element_size, size, filters, stored: Vec::new() };
    match index {
        ChunkIndex::BTree { address } if is_defined(address) => {
            let key = 8 + 8 * (shape.len() as u64 + 1);
            btree::walk(reader, address, Kind::Chunks, key, |reader, key, address| {
                found.add_from_tree(reader, key, address)
            })?;
        }
        ChunkIndex::Single { address, stored } if is_defined(address) => {
            let (stored, mask) = stored.unwrap_or((size, u32::MAX));
            if element_count(&found.grid) != Some(1) {
                return Err(Error::invalid("one chunk for a dataset that needs another number"));
            }
            found.add(reader, 0, address, stored, mask)?;
        }
        ChunkIndex::Implicit { address } if is_defined(address) => {
            let count = element_count(&found.grid).unwrap_or(u64::MAX);
            for number in 0..count {
                let address = address.saturating_add(number.saturating_mul(size));
                found.add(reader, number, address, size, u32::MAX)?;
            }
        }
        _ => {}
    }
    found.stored.sort_unstable_by_key(|chunk| chunk.number);
    if found.stored.windows(2).any(|pair| pair[0].number == pair[1].number) {
        return Err(Error::invalid("two chunks at one place"));
    }
    Ok(found)
}

impl Chunks {
    fn add_from_tree(&mut self, reader: &mut Reader<'_, '_>, mut key: Cursor<'_>, address: u64) -> Result<()> {
        let at = key.offset();
        let stored = u64::from(key.u32()?);
        let mask = key.u32()?;
        let mut number = 0_u64;
        for (&extent, &count) in self.extents.iter().zip(&self.grid) {
            let start = key.u64()?;
            let step = start / extent;
            if start % extent != 0 || step >= count {
                return Err(
                    Error::invalid(format!("a chunk that starts at {start} along an axis of {count} chunks")).at(at)
                );
            }
            // The product of the grid is at most the number of elements, which fits in 64 bits.
            number = number.saturating_mul(count).saturating_add(step);
        }
        self.add(reader, number, address, stored, mask)
    }

    fn add(&mut self, reader: &mut Reader<'_, '_>, number: u64, address: u64, stored: u64, mask: u32) -> Result<()> {
        let filtered = self.filters.iter().enumerate().any(|(k, _)| mask >> k & 1 == 0);
        if !filtered && stored != self.size {
            return Err(Error::invalid(format!("a chunk of {stored} bytes, its shape takes {}", self.size)).at(address));
        }
        if stored == 0 {
            return Err(Error::invalid("a chunk of 0 bytes").at(address));
        }
        reader.claim(address, stored, WHAT)?;
        // A decoded chunk may reach over the edge of the dataset, so it counts by itself.
        reader.budget.charge(self.size, WHAT)?;
        self.stored.push(Chunk { number, address, stored, mask });
        Ok(())
    }

    /// Copies all chunks of the dataset of `shape` into `out`, which holds the fill value.
    pub(super) fn read_into(&self, bytes: &[u8], shape: &[u64], out: &mut [u8]) -> Result<()> {
        for chunk in &self.stored {
            let stored = slice(bytes, chunk.address, chunk.stored, WHAT)?;
            let data = filters::decode(&self.filters, chunk.mask, stored, self.size)
                .map_err(|error| error.at(chunk.address))?;
            self.place(chunk.number, &data, shape, out)
                .ok_or_else(|| Error::invalid("a chunk that does not fit its dataset").at(chunk.address))?;
        }
        Ok(())
    }

    /// Copies one decoded chunk row by row; a row runs along the last axis.
    fn place(&self, number: u64, data: &[u8], shape: &[u64], out: &mut [u8]) -> Option<()> {
        let rank = shape.len();
        let last = rank.checked_sub(1)?;
        let mut start = vec![0; rank];
        let mut rest = number;
        for axis in (0..rank).rev() {
            start[axis] = rest % self.grid[axis] * self.extents[axis];
            rest /= self.grid[axis];
        }
        // What of the chunk lies inside the dataset.
        let inside: Vec<u64> = (0..rank).map(|axis| self.extents[axis].min(shape[axis] - start[axis])).collect();
        let row = usize::try_from(inside[last] * self.element_size).ok()?;
        let mut position = vec![0; rank];
        loop {
            let (mut from, mut to) = (0, 0);
            for axis in 0..rank {
                from = from * self.extents[axis] + position[axis];
                to = to * shape[axis] + start[axis] + position[axis];
            }
            let from = usize::try_from(from * self.element_size).ok()?;
            let to = usize::try_from(to * self.element_size).ok()?;
            out.get_mut(to..to.checked_add(row)?)?.copy_from_slice(data.get(from..from.checked_add(row)?)?);
            let mut axis = last;
            loop {
                if axis == 0 {
                    return Some(());
                }
                axis -= 1;
                position[axis] += 1;
                if position[axis] < inside[axis] {
                    break;
                }
                position[axis] = 0;
            }
        }
    }
}
