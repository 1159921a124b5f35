//! Writing files in the style of h5py's defaults: superblock 0, symbol-table groups, object headers of version 1,
//! contiguous datasets, attributes as strings in global heaps.

mod emit;
mod group;
mod heap;
mod messages;
mod tree;

use std::borrow::Cow;

pub use self::tree::Writer;
use crate::element_type::ElementType;

/// Data of datasets starts at multiples of this many bytes of the file: a cache line. In an archive whose member is
/// aligned alike, weights can be used where they lie.
const DATA_ALIGNMENT: u64 = 64;
/// Structures start at multiples of this.
const ALIGNMENT: u64 = 8;

/// One attribute: a name and a UTF-8 string of variable length.
#[derive(Debug, Clone)]
struct TextAttribute {
    name: String,
    text: String,
}

/// The content of a dataset.
#[derive(Debug, Clone)]
struct Content<'a> {
    element_type: ElementType,
    shape: Vec<u64>,
    data: Cow<'a, [u8]>,
}

/// Little-endian output of one structure.
#[derive(Debug, Default)]
struct Block(Vec<u8>);

impl Block {
    fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_le_bytes())
    }

    fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.0.extend_from_slice(value);
        self
    }

    /// Zeros up to a multiple of `unit` bytes.
    fn pad(&mut self, unit: usize) -> &mut Self {
        self.0.resize(self.0.len().next_multiple_of(unit), 0);
        self
    }
}
