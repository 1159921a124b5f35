//! Bounds-checked little-endian reading.

use crate::error::{Error, Result};

/// The `length` bytes at `offset`, or an error that says which `what` does not fit.
pub(crate) fn slice<'a>(bytes: &'a [u8], offset: u64, length: u64, what: &str) -> Result<&'a [u8]> {
    let range = usize::try_from(offset).ok().zip(usize::try_from(length).ok());
    range.and_then(|(start, length)| bytes.get(start..start.checked_add(length)?)).ok_or_else(|| {
        Error::truncated(format!(
            "{what} of {length} bytes at byte {offset} reaches past the end, {} bytes",
            bytes.len()
        ))
        .at(offset)
    })
}

/// A position in a slice of a file that knows its place in that file.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    start: u64,
    position: usize,
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// Reads `bytes`, which lie at byte `start` of the file and are called `what` in errors.
    pub(crate) fn new(bytes: &'a [u8], start: u64, what: &'static str) -> Self {
        Self { bytes, start, position: 0, what }
    }

    /// The offset of the next byte in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.start + self.position as u64
    }

    pub(crate) fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let taken = self.position.checked_add(count).and_then(|end| self.bytes.get(self.position..end));
        let Some(taken) = taken else {
            return Err(Error::truncated(format!(
                "{} needs {count} bytes more, {} are left",
                self.what,
                self.remaining()
            ))
            .at(self.offset()));
        };
        self.position += count;
        Ok(taken)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<()> {
        self.take(count).map(|_| ())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        let mut out = [0; N];
        out.copy_from_slice(taken);
        Ok(out)
    }

    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// An unsigned integer of 1, 2, 4 or 8 bytes.
    pub(crate) fn uint(&mut self, width: usize) -> Result<u64> {
        let mut out = [0; 8];
        let taken = self.take(width)?;
        out.get_mut(..width)
            .ok_or_else(|| Error::invalid(format!("{}: integer of {width} bytes", self.what)))?
            .copy_from_slice(taken);
        Ok(u64::from_le_bytes(out))
    }

    /// Requires the four letters that start most structures.
    pub(crate) fn signature(&mut self, wanted: [u8; 4]) -> Result<()> {
        let at = self.offset();
        let found: [u8; 4] = self.array()?;
        if found == wanted {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{}: expected '{}', received '{}'",
            self.what,
            wanted.escape_ascii(),
            found.escape_ascii()
        ))
        .at(at))
    }

    /// Requires a version number among `known`.
    pub(crate) fn version(&mut self, known: &[u8]) -> Result<u8> {
        let at = self.offset();
        let version = self.u8()?;
        if known.contains(&version) {
            return Ok(version);
        }
        Err(Error::unsupported(format!("{} of version {version}, the versions read are {known:?}", self.what)).at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    #[test]
    fn stops_at_the_end_and_says_where() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5], 100, "thing");
        assert_eq!(cursor.u32().unwrap(), 0x0403_0201);
        let error = cursor.u16().unwrap_err();
        assert_eq!((error.code(), error.offset()), (ErrorCode::Truncated, Some(104)));
        assert_eq!(cursor.u8().unwrap(), 5);
        assert!(cursor.take(usize::MAX).is_err());
    }

    #[test]
    fn slices_do_not_overflow() {
        assert!(slice(&[0; 4], u64::MAX, u64::MAX, "x").is_err());
        assert!(slice(&[0; 4], 3, 2, "x").is_err());
        assert_eq!(slice(&[0; 4], 4, 0, "x").unwrap().len(), 0);
    }
}
