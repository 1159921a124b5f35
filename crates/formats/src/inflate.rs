//! Deflate under a known size.

use flate2::{Decompress, FlushDecompress, Status};

use crate::error::{Error, Result};
use crate::memory::{make_room, with_room};

/// Deflate makes at most 1032 bytes from one (RFC 1951: 258 bytes per 2-bit symbol pair).
const MAX_RATIO: u64 = 1032;

/// How the stream is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapper {
    /// None, as in zip members.
    Raw,
    /// zlib's header and Adler-32, as in HDF5's gzip filter.
    Zlib,
}

/// Decodes `input`, which must be exactly one stream of exactly `size` decoded bytes. The caller has checked `size`
/// against a budget; output beyond it is never produced.
pub(crate) fn inflate(input: &[u8], size: u64, wrapper: Wrapper) -> Result<Vec<u8>> {
    if size > (input.len() as u64).saturating_mul(MAX_RATIO) {
        return Err(Error::invalid(format!(
            "{} bytes of deflate data cannot hold the {size} bytes announced",
            input.len()
        )));
    }
    let mut out = with_room(size, "decoded data")?;
    let mut stream = Decompress::new(wrapper == Wrapper::Zlib);
    loop {
        let (read, written) = (stream.total_in(), stream.total_out());
        let rest = input.get(read as usize..).unwrap_or_default();
        if written == size && out.capacity() == out.len() {
            // One byte of room tells a stream that ends here from one that goes on.
            make_room(&mut out, 1, "decoded data")?;
        }
        let status = stream
            .decompress_vec(rest, &mut out, FlushDecompress::None)
            .map_err(|error| Error::invalid(format!("deflate data is damaged: {error}")))?;
        if stream.total_out() > size {
            return Err(Error::invalid(format!("deflate data goes on beyond the {size} bytes announced")));
        }
        if status == Status::StreamEnd {
            break;
        }
        if stream.total_in() == read && stream.total_out() == written {
            return Err(Error::truncated("deflate data ends inside the stream"));
        }
    }
    if out.len() as u64 != size {
        return Err(Error::invalid(format!("deflate data holds {} bytes, {size} were announced", out.len())));
    }
    if stream.total_in() != input.len() as u64 {
        return Err(Error::invalid(format!(
            "{} bytes follow the end of the deflate data",
            input.len() as u64 - stream.total_in()
        )));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, ZlibEncoder};

    use super::*;
    use crate::ErrorCode;

    fn raw(data: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn decodes_exactly_the_announced_size() {
        for length in [0, 1, 31, 32, 33, 100_000] {
            let data: Vec<u8> = (0..length).map(|k: u32| (k.wrapping_mul(k) >> 3) as u8).collect();
            let packed = raw(&data);
            let size = u64::from(length);
            assert_eq!(inflate(&packed, size, Wrapper::Raw).unwrap(), data);
            assert!(inflate(&packed, size + 1, Wrapper::Raw).is_err());
            if size > 0 {
                assert!(inflate(&packed, size - 1, Wrapper::Raw).is_err());
            }
            let mut trailing = packed.clone();
            trailing.push(0);
            assert!(inflate(&trailing, size, Wrapper::Raw).is_err());
            assert!(inflate(&packed[..packed.len() - 1], size, Wrapper::Raw).is_err());
        }
    }

    #[test]
    fn zlib_checks_its_checksum() {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"hello hello hello").unwrap();
        let mut packed = encoder.finish().unwrap();
        assert_eq!(inflate(&packed, 17, Wrapper::Zlib).unwrap(), b"hello hello hello");
        *packed.last_mut().unwrap() ^= 1;
        assert!(inflate(&packed, 17, Wrapper::Zlib).is_err());
    }

    #[test]
    fn refuses_an_impossible_size_before_allocating() {
        let error = inflate(&raw(b"x"), 1 << 60, Wrapper::Raw).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Invalid);
    }
}
