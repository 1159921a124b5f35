//! Allocation that can be refused.

use crate::error::{Error, Result};

/// An empty vector with room for exactly `capacity` bytes.
pub(crate) fn with_room(capacity: u64, what: &str) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    make_room(&mut out, capacity, what)?;
    Ok(out)
}

/// Makes room for `additional` bytes more.
pub(crate) fn make_room(out: &mut Vec<u8>, additional: u64, what: &str) -> Result<()> {
    let refused = || Error::limit(format!("no memory for {additional} bytes of {what}"));
    let additional = usize::try_from(additional).map_err(|_| refused())?;
    out.try_reserve_exact(additional).map_err(|_| refused())
}
