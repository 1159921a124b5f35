//! What all parts of the HDF5 reader share: the bytes, the ranges already spoken for, the budget.

use std::collections::BTreeMap;

use crate::bytes::{Cursor, slice};
use crate::error::{Error, Result};
use crate::limits::{Budget, Limits};

/// Roughly what one claimed range costs in memory.
const CLAIM_COST: u64 = 64;

/// State of reading one file.
pub(super) struct Reader<'a, 'b> {
    /// The file up to the end that its superblock states.
    pub(super) bytes: &'a [u8],
    pub(super) limits: &'b Limits,
    pub(super) budget: &'b mut Budget,
    /// Start and end of every range that some structure has claimed.
    claimed: BTreeMap<u64, u64>,
}

impl<'a, 'b> Reader<'a, 'b> {
    pub(super) fn new(bytes: &'a [u8], limits: &'b Limits, budget: &'b mut Budget) -> Self {
        Self { bytes, limits, budget, claimed: BTreeMap::new() }
    }

    /// The `length` bytes at `offset`, which from now on belong to `what` alone. As nothing is read twice, the work
    /// for a file is bounded by its length, and no structure can contain itself.
    pub(super) fn claim(&mut self, offset: u64, length: u64, what: &'static str) -> Result<&'a [u8]> {
        let taken = slice(self.bytes, offset, length, what)?;
        if length == 0 {
            return Ok(taken);
        }
        let end = offset + length;
        let before = self.claimed.range(..end).next_back();
        if let Some((&other, &other_end)) = before
            && other_end > offset
        {
            return Err(Error::invalid(format!(
                "{what} of {length} bytes at byte {offset} overlaps bytes {other} to {other_end}, which something else uses"
            ))
            .at(offset));
        }
        self.budget.charge(CLAIM_COST, what)?;
        self.claimed.insert(offset, end);
        Ok(taken)
    }

    /// Claims a range and reads it from its start.
    pub(super) fn cursor(&mut self, offset: u64, length: u64, what: &'static str) -> Result<Cursor<'a>> {
        Ok(Cursor::new(self.claim(offset, length, what)?, offset, what))
    }

    /// Looks at bytes without claiming them, to learn how long a structure is.
    pub(super) fn peek(&self, offset: u64, length: u64, what: &'static str) -> Result<Cursor<'a>> {
        Ok(Cursor::new(slice(self.bytes, offset, length, what)?, offset, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    #[test]
    fn every_byte_belongs_to_one_structure() {
        let bytes = [0; 100];
        let limits = Limits::default();
        let mut budget = limits.budget(100);
        let mut reader = Reader::new(&bytes, &limits, &mut budget);
        reader.claim(10, 10, "a").unwrap();
        reader.claim(20, 10, "b").unwrap();
        reader.claim(0, 10, "c").unwrap();
        reader.claim(15, 0, "nothing").unwrap();
        for (offset, length) in [(10, 10), (9, 2), (29, 1), (0, 100), (5, 60), (19, 2)] {
            let error = reader.claim(offset, length, "d").unwrap_err();
            assert_eq!(error.code(), ErrorCode::Invalid, "{offset} {length}");
        }
        assert_eq!(reader.claim(90, 11, "e").unwrap_err().code(), ErrorCode::Truncated);
    }
}
