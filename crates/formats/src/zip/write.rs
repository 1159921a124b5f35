//! Writing archives.

use std::collections::HashSet;

use flate2::Crc;

use super::{
    CENTRAL_HEADER, END_LENGTH, END_RECORD, FLAG_UTF8, IN_ZIP64, IN_ZIP64_SHORT, LOCAL_HEADER, LOCATOR_LENGTH,
    ZIP64_END_LENGTH, ZIP64_END_RECORD, ZIP64_EXTRA, ZIP64_LOCATOR, name,
};
use crate::error::{Error, Result};
use crate::memory::make_room;

/// The extra field that Android's build tools use to align members: alignment, then padding.
const ALIGNMENT_EXTRA: u16 = 0xd935;
/// Made on Unix (3) by version 2.0 or 4.5 of the specification; the lower byte is also the version needed.
const VERSION: u16 = 20;
const VERSION_ZIP64: u16 = 45;
const MADE_ON_UNIX: u16 = 3 << 8;
/// The longest central header, and more than the longest local one, without name and alignment.
const CENTRAL_ROOM: u64 = 46 + 28;
/// All end records.
const END_ROOM: u64 = END_LENGTH + LOCATOR_LENGTH + ZIP64_END_LENGTH;
/// `rw-------`, as Python's zipfile writes it.
const ATTRIBUTES: u32 = 0o600 << 16;

/// The time that every member carries. Fixed by the caller, so that equal models make equal files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    time: u16,
    date: u16,
}

impl Default for Timestamp {
    /// 1980-01-01 00:00:00, which Keras writes too.
    fn default() -> Self {
        Self { time: 0, date: 1 << 5 | 1 }
    }
}

impl Timestamp {
    /// Local time in the zip format: years 1980 to 2107, seconds rounded down to even ones.
    ///
    /// # Errors
    /// `FILE_ARGUMENT` when a part is outside its range.
    pub fn new(year: u16, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Result<Self> {
        let fits = (1980..=2107).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60;
        if !fits {
            return Err(Error::argument(format!(
                "{year}-{month}-{day} {hour}:{minute}:{second} is not a time that zip archives can hold"
            )));
        }
        Ok(Self {
            time: (u16::from(hour) << 11) | (u16::from(minute) << 5) | (u16::from(second) / 2),
            date: (year - 1980) << 9 | u16::from(month) << 5 | u16::from(day),
        })
    }
}

#[derive(Debug)]
struct Written {
    name: String,
    flags: u16,
    crc32: u32,
    size: u64,
    offset: u64,
}

/// Builds an archive of stored members in memory.
#[derive(Debug)]
pub struct Writer {
    out: Vec<u8>,
    written: Vec<Written>,
    names: HashSet<String>,
    timestamp: Timestamp,
    /// Sizes and offsets from here on take the zip64 form.
    zip64_from: u64,
}

impl Writer {
    /// An empty archive whose members will all carry `timestamp`.
    pub fn new(timestamp: Timestamp) -> Self {
        Self { out: Vec::new(), written: Vec::new(), names: HashSet::new(), timestamp, zip64_from: u64::from(IN_ZIP64) }
    }

    /// Adds a member. Its data starts at a multiple of `alignment` bytes (a power of two up to 4096).
    ///
    /// # Errors
    /// `FILE_ARGUMENT` for a duplicate or unsafe name or a wrong alignment, `FILE_LIMIT` without memory.
    pub fn add(&mut self, name: &str, data: &[u8], alignment: u16) -> Result<()> {
        self.add_with(name, data.len() as u64, alignment, |out| {
            out.extend_from_slice(data);
            Ok(())
        })
    }

    /// Adds a member of `size` bytes that `fill` appends in place, so that large data need not exist twice.
    ///
    /// # Errors
    /// As [`Writer::add`], those of `fill`, and `FILE_ARGUMENT` when `fill` appends another number of bytes.
    pub fn add_with(
        &mut self,
        name: &str,
        size: u64,
        alignment: u16,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let refused = |reason: &str| Error::argument(format!("the member cannot be written: {reason}")).in_member(name);
        name::check(name).map_err(refused)?;
        if !alignment.is_power_of_two() || alignment > 4096 {
            return Err(refused("its alignment must be a power of two up to 4096"));
        }
        let name_length = u16::try_from(name.len()).map_err(|_| refused("its name is longer than 65535 bytes"))?;
        let taken = name.trim_end_matches('/').to_owned();
        if !self.names.insert(taken) {
            return Err(refused("another member has this name"));
        }
        // With the room for everything that follows if this is the last member, a large one is not moved later.
        let directory: u64 = self.written.iter().map(|member| CENTRAL_ROOM + member.name.len() as u64).sum();
        let headers = 2 * (CENTRAL_ROOM + u64::from(name_length)) + u64::from(alignment) + END_ROOM;
        make_room(&mut self.out, size.saturating_add(headers + directory), "the archive")?;

        let offset = self.out.len() as u64;
        let flags = if name.is_ascii() { 0 } else { FLAG_UTF8 };
        let wide = size >= self.zip64_from;
        let header_length = 30 + u64::from(name_length) + if wide { 20 } else { 0 };
        let padding = padding(offset + header_length, u64::from(alignment));

        self.out.extend_from_slice(&LOCAL_HEADER);
        self.put16(if wide { VERSION_ZIP64 } else { VERSION });
        self.put16(flags);
        self.put16(0);
        self.put16(self.timestamp.time);
        self.put16(self.timestamp.date);
        let crc_at = self.out.len();
        self.put32(0);
        let narrow = if wide { IN_ZIP64 } else { size as u32 };
        self.put32(narrow);
        self.put32(narrow);
        self.put16(name_length);
        self.put16(if wide { 20 } else { 0 } + padding);
        self.out.extend_from_slice(name.as_bytes());
        if wide {
            self.put16(ZIP64_EXTRA);
            self.put16(16);
            self.put64(size);
            self.put64(size);
        }
        if padding > 0 {
            self.put16(ALIGNMENT_EXTRA);
            self.put16(padding - 4);
            self.put16(alignment);
            self.out.resize(self.out.len() + usize::from(padding) - 6, 0);
        }
        let data_at = self.out.len();
        let filled = fill(&mut self.out).and_then(|()| {
            if self.out.len() as u64 == data_at as u64 + size {
                Ok(())
            } else {
                Err(refused("its data has not the announced size"))
            }
        });
        if let Err(error) = filled {
            // The archive stays as it was before the call.
            self.out.truncate(offset as usize);
            self.names.remove(name.trim_end_matches('/'));
            return Err(error);
        }
        let data = self.out.get(data_at..).unwrap_or_default();
        let mut crc = Crc::new();
        crc.update(data);
        self.out[crc_at..crc_at + 4].copy_from_slice(&crc.sum().to_le_bytes());
        self.written.push(Written { name: name.to_owned(), flags, crc32: crc.sum(), size, offset });
        Ok(())
    }

    /// Appends the central directory and returns the archive.
    ///
    /// # Errors
    /// `FILE_LIMIT` without memory.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        let written = std::mem::take(&mut self.written);
        let room: u64 = written.iter().map(|member| CENTRAL_ROOM + member.name.len() as u64).sum();
        make_room(&mut self.out, room + END_ROOM, "the central directory")?;
        let directory = self.out.len() as u64;
        for member in &written {
            self.central_header(member);
        }
        let length = self.out.len() as u64 - directory;
        let count = written.len() as u64;
        let wide = directory >= self.zip64_from || length >= self.zip64_from || count >= u64::from(IN_ZIP64_SHORT);
        if wide {
            let record = self.out.len() as u64;
            self.out.extend_from_slice(&ZIP64_END_RECORD);
            self.put64(ZIP64_END_LENGTH - 12);
            self.put16(MADE_ON_UNIX | VERSION_ZIP64);
            self.put16(VERSION_ZIP64);
            self.put64(0);
            self.put64(count);
            self.put64(count);
            self.put64(length);
            self.put64(directory);
            self.out.extend_from_slice(&ZIP64_LOCATOR);
            self.put32(0);
            self.put64(record);
            self.put32(1);
        }
        self.out.extend_from_slice(&END_RECORD);
        self.put32(0);
        let short = if wide { IN_ZIP64_SHORT } else { count as u16 };
        self.put16(short);
        self.put16(short);
        self.put32(if wide { IN_ZIP64 } else { length as u32 });
        self.put32(if wide { IN_ZIP64 } else { directory as u32 });
        self.put16(0);
        Ok(self.out)
    }

    fn central_header(&mut self, member: &Written) {
        let (wide_size, wide_offset) = (member.size >= self.zip64_from, member.offset >= self.zip64_from);
        let wide_bytes = if wide_size { 16 } else { 0 } + if wide_offset { 8 } else { 0 };
        let version = if wide_bytes > 0 { VERSION_ZIP64 } else { VERSION };
        self.out.extend_from_slice(&CENTRAL_HEADER);
        self.put16(MADE_ON_UNIX | version);
        self.put16(version);
        self.put16(member.flags);
        self.put16(0);
        self.put16(self.timestamp.time);
        self.put16(self.timestamp.date);
        self.put32(member.crc32);
        let narrow = if wide_size { IN_ZIP64 } else { member.size as u32 };
        self.put32(narrow);
        self.put32(narrow);
        self.put16(member.name.len() as u16);
        self.put16(if wide_bytes > 0 { wide_bytes + 4 } else { 0 });
        self.put16(0);
        self.put32(0);
        self.put32(ATTRIBUTES);
        self.put32(if wide_offset { IN_ZIP64 } else { member.offset as u32 });
        self.out.extend_from_slice(member.name.as_bytes());
        if wide_bytes > 0 {
            self.put16(ZIP64_EXTRA);
            self.put16(wide_bytes);
            if wide_size {
                self.put64(member.size);
                self.put64(member.size);
            }
            if wide_offset {
                self.put64(member.offset);
            }
        }
    }

    fn put16(&mut self, value: u16) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn put32(&mut self, value: u32) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }

    fn put64(&mut self, value: u64) {
        self.out.extend_from_slice(&value.to_le_bytes());
    }
}

/// Bytes of extra field that move `position` to a multiple of `alignment`: none, or at least the 6 of an empty one.
fn padding(position: u64, alignment: u64) -> u16 {
    let missing = position.next_multiple_of(alignment) - position;
    let padded = match missing {
        0 => 0,
        1..6 => missing + alignment.max(6).next_multiple_of(alignment),
        enough => enough,
    };
    padded as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zip::Archive;
    use crate::{ErrorCode, Limits};

    #[test]
    fn aligns_data_at_every_position() {
        for alignment in [1, 2, 4, 8, 64, 4096_u16] {
            for position in 0..200 {
                let padding = padding(position, u64::from(alignment));
                assert!(padding == 0 || padding >= 6);
                assert_eq!((position + u64::from(padding)) % u64::from(alignment), 0);
            }
        }
    }

    #[test]
    fn zip64_round_trips_from_any_size() {
        for zip64_from in 0..200 {
            let mut writer = Writer::new(Timestamp::default());
            writer.zip64_from = zip64_from;
            writer.add("a", &[1; 50], 1).unwrap();
            writer.add("å/b", &[2; 100], 64).unwrap();
            writer.add("c", &[], 8).unwrap();
            let bytes = writer.finish().unwrap();
            let limits = Limits::default();
            let archive = Archive::parse(&bytes, &limits).unwrap();
            let mut budget = limits.budget(0);
            assert_eq!(archive.read("a", &mut budget).unwrap(), vec![1; 50]);
            assert_eq!(archive.read("å/b", &mut budget).unwrap(), vec![2; 100]);
            assert_eq!(archive.find("å/b").unwrap().offset() % 64, 0);
            assert_eq!(archive.members().len(), 3);
        }
    }

    #[test]
    fn refuses_what_readers_would_refuse() {
        let mut writer = Writer::new(Timestamp::default());
        writer.add("a", b"", 1).unwrap();
        for (name, alignment) in [("a", 1), ("a/", 1), ("../b", 1), ("", 1), ("b", 3), ("c", 8192)] {
            let error = writer.add(name, b"", alignment).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Argument, "{name}");
        }
        assert!(Timestamp::new(1979, 1, 1, 0, 0, 0).is_err());
        assert_eq!(Timestamp::new(1980, 1, 1, 0, 0, 1).unwrap(), Timestamp::default());
    }
}
