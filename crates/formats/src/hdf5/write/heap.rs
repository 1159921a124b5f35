//! Global heap collections for the texts of attributes.

use super::Block;

/// The smallest collection, which h5py writes too.
const MIN_COLLECTION: u64 = 4096;
const HEADER: u64 = 16;

/// Where a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference {
    /// The address of the collection.
    pub(super) collection: u64,
    pub(super) index: u16,
}

#[derive(Debug)]
struct Collection<'t> {
    address: u64,
    length: u64,
    used: u64,
    texts: Vec<&'t str>,
}

/// Collections that follow each other from one address.
#[derive(Debug)]
pub(super) struct Heap<'t> {
    start: u64,
    collections: Vec<Collection<'t>>,
}

impl<'t> Heap<'t> {
    pub(super) fn new(start: u64) -> Self {
        Self { start, collections: Vec::new() }
    }

    /// The address after the last collection.
    pub(super) fn end(&self) -> u64 {
        self.collections.last().map_or(self.start, |last| last.address + last.length)
    }

    /// Keeps `text`.
    pub(super) fn add(&mut self, text: &'t str) -> Reference {
        let needed = HEADER + (text.len() as u64).next_multiple_of(8);
        let full = self
            .collections
            .last()
            .is_none_or(|last| last.used + needed > last.length || last.texts.len() >= usize::from(u16::MAX));
        if full {
            self.collections.push(Collection {
                address: self.end(),
                length: MIN_COLLECTION.max((HEADER + needed).next_multiple_of(MIN_COLLECTION)),
                used: HEADER,
                texts: Vec::new(),
            });
        }
        let last = self.collections.len() - 1;
        let collection = &mut self.collections[last];
        collection.used += needed;
        collection.texts.push(text);
        Reference { collection: collection.address, index: collection.texts.len() as u16 }
    }

    /// The bytes of all collections.
    pub(super) fn finish(&self) -> Block {
        let mut out = Block::default();
        for collection in &self.collections {
            out.bytes(b"GCOL").u8(1).bytes(&[0; 3]).u64(collection.length);
            for (index, text) in collection.texts.iter().enumerate() {
                out.u16(index as u16 + 1).u16(1).u32(0).u64(text.len() as u64);
                out.bytes(text.as_bytes()).pad(8);
            }
            // What is free is an object with index 0, if its header fits.
            let free = collection.length - collection.used;
            if free >= HEADER {
                out.u64(0).u64(free);
            }
            let end = collection.address + collection.length - self.start;
            out.0.resize(end as usize, 0);
        }
        out
    }
}
