//! Dataspaces: shapes.

use crate::bytes::Cursor;
use crate::error::{Error, Result};

/// The most axes that HDF5 allows.
const MAX_RANK: u8 = 32;

/// The shape of a dataset or attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dataspace {
    /// No elements at all, as h5py's `Empty`.
    Null,
    /// Extents; none for a scalar.
    Simple(Vec<u64>),
}

impl Dataspace {
    /// The extents; a null dataspace counts as `[0]`.
    pub(super) fn shape(self) -> Vec<u64> {
        match self {
            Self::Null => vec![0],
            Self::Simple(shape) => shape,
        }
    }
}

/// Reads a dataspace message.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Dataspace> {
    let at = cursor.offset();
    let version = cursor.version(&[1, 2])?;
    let rank = cursor.u8()?;
    let flags = cursor.u8()?;
    if rank > MAX_RANK {
        return Err(Error::invalid(format!("a dataspace of rank {rank}, HDF5 allows {MAX_RANK}")).at(at));
    }
    let kind = cursor.u8()?;
    if version == 1 {
        cursor.skip(4)?;
        if flags & 2 != 0 {
            return Err(Error::unsupported("a dataspace with permuted axes").at(at));
        }
    } else {
        match (kind, rank) {
            (0, 0) | (1, _) => {}
            (2, 0) => return Ok(Dataspace::Null),
            _ => return Err(Error::invalid(format!("a dataspace of class {kind} and rank {rank}")).at(at)),
        }
    }
    let shape = (0..rank).map(|_| cursor.u64()).collect::<Result<Vec<_>>>()?;
    Ok(Dataspace::Simple(shape))
}
