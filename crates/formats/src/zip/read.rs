//! Reading archives.

use std::borrow::Cow;
use std::collections::HashSet;

use flate2::Crc;

use super::central::{self, Entry};
use super::{end, local};
use crate::bytes::{Cursor, slice};
use crate::error::{Error, ErrorCode, Result};
use crate::inflate::{Wrapper, inflate};
use crate::limits::{Budget, Limits};

/// How a member's bytes are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// As they are.
    Stored,
    /// As one raw deflate stream.
    Deflated,
}

/// One file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    name: String,
    method: Method,
    size: u64,
    stored: u64,
    offset: u64,
    crc32: u32,
}

impl Member {
    /// The path inside the archive, such as `config.json`. A directory's ends with a slash.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the bytes are stored.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Decoded bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where the stored bytes start in the archive.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

/// An archive whose structure has been checked. The data of members is checked when they are read.
#[derive(Debug, Clone)]
pub struct Archive<'a> {
    bytes: &'a [u8],
    members: Vec<Member>,
}

impl<'a> Archive<'a> {
    /// Reads the directory of an archive.
    ///
    /// # Errors
    /// `FILE_TRUNCATED`, `FILE_INVALID`, `FILE_UNSUPPORTED` or `FILE_LIMIT`, as the module's description says.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self> {
        let directory = end::find(bytes)?;
        if directory.members > limits.max_members {
            return Err(Error::limit(format!(
                "the archive has {} members, at most {} are read",
                directory.members, limits.max_members
            )));
        }
        let raw = slice(bytes, directory.offset, directory.length, "central directory")?;
        let mut cursor = Cursor::new(raw, directory.offset, "central directory");
        let mut entries = Vec::new();
        for _ in 0..directory.members {
            entries.push(central::read(&mut cursor)?);
        }
        if cursor.remaining() > 0 {
            return Err(Error::invalid(format!(
                "the central directory holds more than its {} members",
                directory.members
            ))
            .at(cursor.offset()));
        }
        let mut names = HashSet::with_capacity(entries.len());
        for entry in &entries {
            // `a` and `a/` would be the same path on a disk.
            if !names.insert(entry.name.trim_end_matches('/')) {
                return Err(Error::invalid("two members have this name").in_member(&entry.name));
            }
        }
        let members = entries.iter().map(|entry| member(bytes, entry)).collect::<Result<Vec<_>>>()?;
        check_gapless(&entries, &members, directory.offset)?;
        Ok(Self { bytes, members })
    }

    /// The members in the order of the central directory.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member called `name`.
    pub fn find(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The content of the member called `name`, borrowed when it is stored. Its CRC-32 is verified. Inflated bytes are
    /// charged to `budget`.
    ///
    /// # Errors
    /// `FILE_MISSING_MEMBER`, `FILE_LIMIT`, `FILE_CHECKSUM`, or `FILE_INVALID` and `FILE_TRUNCATED` for deflate data that
    /// is not one stream of the announced size.
    pub fn read(&self, name: &str, budget: &mut Budget) -> Result<Cow<'a, [u8]>> {
        let Some(member) = self.find(name) else {
            return Err(Error::new(
                ErrorCode::MissingMember,
                format!("the archive has no member '{}'", name.escape_debug()),
            )
            .in_member(name));
        };
        self.decode(member, budget).map_err(|error| error.in_member(name))
    }

    fn decode(&self, member: &Member, budget: &mut Budget) -> Result<Cow<'a, [u8]>> {
        let stored = slice(self.bytes, member.offset, member.stored, "member data")?;
        let content = match member.method {
            Method::Stored => Cow::Borrowed(stored),
            Method::Deflated => {
                budget.charge(member.size, "the member")?;
                Cow::Owned(inflate(stored, member.size, Wrapper::Raw)?)
            }
        };
        let mut crc = Crc::new();
        crc.update(&content);
        if crc.sum() == member.crc32 {
            return Ok(content);
        }
        Err(Error::new(
            ErrorCode::Checksum,
            format!("the CRC-32 is {:08x}, {:08x} was announced", crc.sum(), member.crc32),
        ))
    }
}

/// Checks one entry against its local header.
fn member(bytes: &[u8], entry: &Entry<'_>) -> Result<Member> {
    let wrong = |error: Error| Err(error.at(entry.local_offset).in_member(&entry.name));
    let offset = local::data_offset(bytes, entry)?;
    let method = match entry.method {
        0 => Method::Stored,
        8 => Method::Deflated,
        other => {
            return wrong(Error::unsupported(format!(
                "compression method {other}, stored (0) and deflated (8) are read"
            )));
        }
    };
    if method == Method::Stored && entry.stored != entry.size {
        return wrong(Error::invalid(format!(
            "stored without compression in {} bytes but announced with {}",
            entry.stored, entry.size
        )));
    }
    if entry.name.ends_with('/') && (entry.size, entry.stored) != (0, 0) {
        return wrong(Error::invalid("a directory with content"));
    }
    Ok(Member { name: entry.name.clone(), method, size: entry.size, stored: entry.stored, offset, crc32: entry.crc32 })
}

/// Members must follow each other from the first byte to the central directory, so that no byte is hidden or shared.
fn check_gapless(entries: &[Entry<'_>], members: &[Member], directory: u64) -> Result<()> {
    let mut extents: Vec<_> = entries.iter().zip(members).map(|(entry, member)| (entry.local_offset, member)).collect();
    extents.sort_unstable_by_key(|&(start, _)| start);
    let mut expected = 0;
    for (start, member) in extents {
        if start != expected {
            return Err(Error::invalid(format!(
                "the local header is at byte {start}, the data before it ends at byte {expected}"
            ))
            .at(start)
            .in_member(&member.name));
        }
        expected = match member.offset.checked_add(member.stored) {
            Some(end) if end <= directory => end,
            _ => {
                return Err(Error::truncated(format!(
                    "{} bytes of data reach past byte {directory}, where the central directory starts",
                    member.stored
                ))
                .at(member.offset)
                .in_member(&member.name));
            }
        };
    }
    if expected != directory {
        return Err(Error::invalid(format!(
            "{} bytes before the central directory belong to no member",
            directory - expected
        ))
        .at(expected));
    }
    Ok(())
}
