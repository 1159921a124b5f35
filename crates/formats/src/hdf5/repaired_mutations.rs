//! Mutations of version 2 files with their checksums made right again: without that, a checksum would end nearly every
//! one of them before the parts behind it are tried.

use super::checksum::lookup3;
use super::{File, SIGNATURE};
use crate::Limits;

const FILES: [&[u8]; 3] = [
    include_bytes!("../../tests/fixtures/v2.h5"),
    include_bytes!("../../tests/fixtures/v3.h5"),
    include_bytes!("../../tests/fixtures/order.h5"),
];
const MUTATIONS: usize = 20_000;

/// The blocks of a sound file that end with a checksum: start and length without it.
fn guarded(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut blocks = Vec::new();
    if bytes.starts_with(&SIGNATURE) && bytes[8] >= 2 {
        blocks.push((0, 44));
    }
    for start in 0..bytes.len() - 8 {
        if !matches!(&bytes[start..start + 4], b"OHDR" | b"OCHK") {
            continue;
        }
        // The length is where the checksum fits.
        let fits = |length: &usize| {
            let end = start + length;
            bytes.get(end..end + 4) == Some(&lookup3(&bytes[start..end]).to_le_bytes())
        };
        blocks.extend((4..bytes.len() - start).find(fits).map(|length| (start, length)));
    }
    blocks
}

fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) as usize
}

#[test]
fn mutated_headers_are_values_or_errors() {
    let limits = Limits::default();
    for (seed, good) in FILES.into_iter().enumerate() {
        let blocks = guarded(good);
        assert!(!blocks.is_empty());
        let mut state = seed as u64;
        let mut accepted = 0;
        for _ in 0..MUTATIONS {
            let mut bytes = good.to_vec();
            for _ in 0..=random(&mut state) % 3 {
                let (start, length) = blocks[random(&mut state) % blocks.len()];
                let at = start + random(&mut state) % length;
                match random(&mut state) % 3 {
                    0 => bytes[at] ^= 1 << (random(&mut state) % 8),
                    1 => bytes[at] = random(&mut state) as u8,
                    _ => {
                        let end = (at + 8).min(start + length);
                        let fill = [0, 1, 255][random(&mut state) % 3];
                        bytes[at..end].fill(fill);
                    }
                }
            }
            for &(start, length) in &blocks {
                let sum = lookup3(&bytes[start..start + length]);
                bytes[start + length..start + length + 4].copy_from_slice(&sum.to_le_bytes());
            }
            if let Ok(file) = File::parse(&bytes, &limits) {
                let read = file.datasets().filter(|dataset| dataset.read(&bytes).is_ok()).count();
                accepted += usize::from(read <= file.objects().len());
            }
        }
        assert!(accepted > 0 && accepted < MUTATIONS, "{accepted}");
    }
}
