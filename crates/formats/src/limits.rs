//! Limits on what reading one file may cost.

use crate::error::{Error, Result};

/// Limits of the readers. The defaults take every file that Keras writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Members in one archive. Default 4096.
    pub max_members: u64,
    /// Nesting of HDF5 groups, the root being 0. Default 100.
    pub max_depth: usize,
    /// Bytes in one HDF5 path. Default 4096.
    pub max_path: usize,
    /// Decoded bytes allowed per byte of the file. Default 4.
    pub decoded_factor: u64,
    /// Decoded bytes allowed whatever the size of the file. Default 64 MiB.
    pub decoded_floor: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_members: 4096, max_depth: 100, max_path: 4096, decoded_factor: 4, decoded_floor: 64 << 20 }
    }
}

impl Limits {
    /// The decoded bytes that a file of `length` bytes may come to.
    pub fn budget(&self, length: usize) -> Budget {
        let scaled = (length as u64).saturating_mul(self.decoded_factor);
        Budget { limit: scaled.saturating_add(self.decoded_floor), used: 0 }
    }
}

/// A running count of decoded bytes. One budget goes through all layers of one file, so that a compressed dataset in a
/// compressed member cannot multiply them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    limit: u64,
    used: u64,
}

impl Budget {
    /// A budget of `limit` bytes.
    pub const fn new(limit: u64) -> Self {
        Self { limit, used: 0 }
    }

    /// Takes `amount` bytes for `what`.
    ///
    /// # Errors
    /// `FILE_LIMIT` when fewer are left; nothing is taken then.
    pub fn charge(&mut self, amount: u64, what: &str) -> Result<()> {
        if amount > self.remaining() {
            return Err(Error::limit(format!(
                "{what} needs {amount} decoded bytes, {} of {} are left for this file",
                self.remaining(),
                self.limit
            )));
        }
        self.used += amount;
        Ok(())
    }

    /// The bytes left.
    pub const fn remaining(&self) -> u64 {
        self.limit - self.used
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;

    #[test]
    fn counts_down_and_refuses_without_taking() {
        let limits = Limits { decoded_floor: 10, ..Limits::default() };
        let mut budget = limits.budget(5);
        budget.charge(25, "a").unwrap();
        assert_eq!(budget.charge(6, "b").unwrap_err().code(), ErrorCode::Limit);
        assert_eq!(budget.remaining(), 5);
        assert_eq!(limits.budget(usize::MAX).remaining(), u64::MAX);
    }
}
