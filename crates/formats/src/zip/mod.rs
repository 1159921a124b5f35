//! Zip archives as Keras writes `.keras` files.
//!
//! The reader is our own, on top of `flate2` for the deflate stream, instead of the `zip` crate: an archive that two
//! readers could understand differently must be refused, and a general reader is made to accept as much as it can. Here
//! every byte of the file has to belong to exactly one member, to the central directory or to the end records; the
//! local header, the central directory and the zip64 fields must all say the same.
//!
//! Taken: stored and deflated members, zip64. Refused as `FILE_UNSUPPORTED`: encryption, other methods, several disks,
//! members written as a stream (sizes after the data). Refused as `FILE_INVALID`: comments, bytes before, between or
//! after the members, duplicate or unsafe names, symbolic links, and every disagreement.

mod central;
mod end;
mod extra;
mod local;
mod name;
mod read;
mod write;

pub use read::{Archive, Member, Method};
pub use write::{Timestamp, Writer};

const LOCAL_HEADER: [u8; 4] = *b"PK\x03\x04";
const CENTRAL_HEADER: [u8; 4] = *b"PK\x01\x02";
const END_RECORD: [u8; 4] = *b"PK\x05\x06";
const ZIP64_END_RECORD: [u8; 4] = *b"PK\x06\x06";
const ZIP64_LOCATOR: [u8; 4] = *b"PK\x06\x07";

const END_LENGTH: u64 = 22;
const LOCATOR_LENGTH: u64 = 20;
const ZIP64_END_LENGTH: u64 = 56;
/// What a 32-bit field holds when its value stands in the zip64 extra field.
const IN_ZIP64: u32 = u32::MAX;
/// The same for 16-bit fields.
const IN_ZIP64_SHORT: u16 = u16::MAX;
/// The extra field that holds 64-bit sizes and offsets.
const ZIP64_EXTRA: u16 = 0x0001;
/// General purpose flag: the name is UTF-8.
const FLAG_UTF8: u16 = 1 << 11;
