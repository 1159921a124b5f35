//! The part of HDF5 that models are stored in.
//!
//! Read: superblocks 0 to 3; object headers 1 and 2; groups as symbol tables or as link messages in the header;
//! contiguous, compact and chunked datasets (B-tree version 1, single-chunk and implicit indexes) with the gzip and
//! shuffle filters; little-endian numbers, booleans, bfloat16 as Keras marks it, strings of fixed and variable length;
//! attributes in the header.
//!
//! Refused as `FILE_UNSUPPORTED`, with the path: soft, external and user-defined links, a second hard link to an object,
//! external storage, virtual datasets, other filters, committed, compound and big-endian types, shared messages, links
//! and attributes in fractal heaps, the newer chunk indexes, user blocks. Refused as `FILE_INVALID`: cycles, ranges that
//! overlap, sizes that contradict shapes, wrong checksums.
//!
//! Written: what h5py writes by default.

mod attribute;
mod btree;
mod checksum;
mod chunked;
mod dataspace;
mod datatype;
mod file;
mod filters;
mod global_heap;
mod layout;
mod link;
mod object;
mod object_header;
mod reader;
#[cfg(test)]
mod repaired_mutations;
mod superblock;
mod symbol_table;
mod write;

pub use attribute::{Attribute, AttributeValue};
pub use file::{Dataset, File, Group, Object};
pub use write::Writer;

/// The address of something that does not exist.
const UNDEFINED: u64 = u64::MAX;

/// The eight bytes that start every HDF5 file.
pub const SIGNATURE: [u8; 8] = *b"\x89HDF\r\n\x1a\n";
