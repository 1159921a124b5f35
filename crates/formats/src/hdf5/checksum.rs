//! Bob Jenkins' lookup3 hash, which guards the metadata of version 2 structures.

use crate::bytes::Cursor;
use crate::error::{Error, ErrorCode, Result};

fn mix(mut a: u32, mut b: u32, mut c: u32) -> (u32, u32, u32) {
    a = a.wrapping_sub(c) ^ c.rotate_left(4);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(6);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(8);
    b = b.wrapping_add(a);
    a = a.wrapping_sub(c) ^ c.rotate_left(16);
    c = c.wrapping_add(b);
    b = b.wrapping_sub(a) ^ a.rotate_left(19);
    a = a.wrapping_add(c);
    c = c.wrapping_sub(b) ^ b.rotate_left(4);
    b = b.wrapping_add(a);
    (a, b, c)
}

fn last(mut a: u32, mut b: u32, mut c: u32) -> u32 {
    c = (c ^ b).wrapping_sub(b.rotate_left(14));
    a = (a ^ c).wrapping_sub(c.rotate_left(11));
    b = (b ^ a).wrapping_sub(a.rotate_left(25));
    c = (c ^ b).wrapping_sub(b.rotate_left(16));
    a = (a ^ c).wrapping_sub(c.rotate_left(4));
    b = (b ^ a).wrapping_sub(a.rotate_left(14));
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// The hash of `bytes` with the initial value 0.
pub(super) fn lookup3(bytes: &[u8]) -> u32 {
    let start = 0xdead_beef_u32.wrapping_add(bytes.len() as u32);
    let (mut a, mut b, mut c) = (start, start, start);
    let mut rest = bytes;
    loop {
        let (block, after) = rest.split_at(rest.len().min(12));
        let mut padded = [0; 12];
        padded[..block.len()].copy_from_slice(block);
        let word = |k: usize| u32::from_le_bytes([padded[k], padded[k + 1], padded[k + 2], padded[k + 3]]);
        if block.is_empty() {
            return c;
        }
        a = a.wrapping_add(word(0));
        b = b.wrapping_add(word(4));
        c = c.wrapping_add(word(8));
        if after.is_empty() {
            return last(a, b, c);
        }
        (a, b, c) = mix(a, b, c);
        rest = after;
    }
}

/// Compares the checksum in the last four bytes of `block`, which lies at byte `at`, with that of the bytes before.
pub(super) fn verify(block: &[u8], at: u64, what: &'static str) -> Result<()> {
    let Some((covered, stored)) = block.split_last_chunk::<4>() else {
        return Err(Error::truncated(format!("{what} is too short for its checksum")).at(at));
    };
    let stored = Cursor::new(stored, at, what).u32()?;
    let computed = lookup3(covered);
    if stored == computed {
        return Ok(());
    }
    Err(Error::new(ErrorCode::Checksum, format!("{what}: the checksum is {computed:08x}, {stored:08x} was announced"))
        .at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from the self-test in Jenkins' lookup3.c (driver5).
    #[test]
    fn equals_the_published_values() {
        assert_eq!(lookup3(b""), 0xdead_beef);
        assert_eq!(lookup3(b"Four score and seven years ago"), 0x1777_0551);
    }
}
