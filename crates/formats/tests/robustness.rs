//! Damaged files: whatever the bytes, a typed error or a value, within bounded memory.

#![allow(clippy::cast_possible_truncation, reason = "sizes of test data are small")]

mod common;

use common::{ARCHIVES, HDF5, Random, fixture};
use ferrograph_formats::Limits;
use ferrograph_formats::archive::{read_model_archive, read_weights};
use ferrograph_formats::hdf5::{File, Object};
use ferrograph_formats::zip::Archive;

/// Mutations of each fixture.
const MUTATIONS: usize = 20_000;
/// Resident memory that the whole run may reach. The budget of one file is 64 MiB and four times its length.
const MEMORY: u64 = 512 << 20;

/// Reads everything there is; returns whether all of it was read.
fn read_all(name: &str, bytes: &[u8]) -> bool {
    let limits = Limits::default();
    if is(name, "keras") {
        // Mutations of the archive itself mostly end at a CRC, so the weights are tried as well as they stand.
        match read_model_archive(bytes, &limits) {
            Ok(model) => model.weights.tensors().all(|tensor| tensor.is_ok()),
            Err(_) => false,
        }
    } else if is(name, "zip") {
        let Ok(archive) = Archive::parse(bytes, &limits) else { return false };
        let mut budget = limits.budget(bytes.len());
        archive.members().iter().all(|member| archive.read(member.name(), &mut budget).is_ok())
    } else {
        read_hdf5(bytes, &limits)
    }
}

fn is(name: &str, extension: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|found| found == extension)
}

fn read_hdf5(bytes: &[u8], limits: &Limits) -> bool {
    let Ok(file) = File::parse(bytes, limits) else { return false };
    let mut all = true;
    for object in file.objects() {
        if let Object::Dataset(dataset) = object {
            all &= if dataset.element_type().is_numeric() {
                dataset.read(bytes).is_ok()
            } else {
                dataset.texts(bytes).is_ok()
            };
        }
    }
    all
}

/// The fixtures, and the weights inside the archives by themselves.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let mut corpus: Vec<(String, Vec<u8>)> =
        ARCHIVES.iter().chain(&HDF5).chain(&["refused.zip"]).map(|&name| (name.to_owned(), fixture(name))).collect();
    let limits = Limits::default();
    for name in ARCHIVES {
        let bytes = fixture(name);
        let weights = read_model_archive(&bytes, &limits).unwrap().weights.bytes().to_vec();
        corpus.push((format!("{name}.h5"), weights));
    }
    corpus
}

/// Changes a few bytes, in the ways that parsers stumble over.
fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        let rest = bytes.len() - at;
        match random.below(8) {
            0 | 1 => bytes[at] ^= 1 << random.below(8),
            2 => bytes[at] = random.next() as u8,
            3 => {
                let length = rest.min(1 << random.below(4));
                bytes[at..at + length].fill(if random.below(2) == 0 { 0 } else { 255 });
            }
            4 => {
                // A number that could be an offset or length, on an 8-byte boundary of the file.
                let at = (at & !7).min(bytes.len().saturating_sub(8));
                let value = match random.below(4) {
                    0 => random.below(bytes.len() + 64) as u64,
                    1 => 1 << random.below(64),
                    2 => u64::MAX - random.below(64) as u64,
                    _ => random.below(300) as u64,
                };
                let length = bytes.len().min(8);
                bytes[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
            }
            5 => {
                // A structure copied over another one.
                let length = rest.min(1 + random.below(64));
                let from = random.below(bytes.len() - length + 1);
                bytes.copy_within(from..from + length, at);
            }
            6 if random.below(20) == 0 => bytes.truncate(at.max(1)),
            _ => {
                let at = (at & !3).min(bytes.len().saturating_sub(4));
                let length = bytes.len().min(4);
                bytes[at..at + length].copy_from_slice(&(random.below(70_000) as u32).to_le_bytes()[..length]);
            }
        }
    }
}

#[test]
fn truncated_files_are_errors() {
    for (name, bytes) in corpus() {
        assert!(is(&name, "zip") || read_all(&name, &bytes), "{name}");
        for length in (0..bytes.len()).step_by(64).chain([bytes.len() - 1]) {
            assert!(!read_all(&name, &bytes[..length]), "{name} cut to {length}");
        }
    }
}

#[test]
fn mutated_files_are_values_or_errors_in_bounded_memory() {
    for (index, (name, bytes)) in corpus().into_iter().enumerate() {
        let mut random = Random(index as u64);
        let mut accepted = 0_usize;
        for _ in 0..MUTATIONS {
            let mut damaged = bytes.clone();
            mutate(&mut damaged, &mut random);
            accepted += usize::from(read_all(&name, &damaged));
        }
        // Changed weights and padding are legal; a mutator that never leaves a file readable would test only the front.
        if !is(&name, "zip") && !is(&name, "keras") {
            assert!(accepted > MUTATIONS / 100, "{name}: {accepted}");
        }
        assert!(accepted < MUTATIONS, "{name}: {accepted}");
    }
    if let Some(peak) = peak_memory() {
        assert!(peak < MEMORY, "{peak} bytes");
    }
}

#[test]
fn noise_is_an_error() {
    let mut random = Random(1);
    let limits = Limits::default();
    for length in (0..2000).step_by(7) {
        let noise: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
        assert!(read_model_archive(&noise, &limits).is_err());
        assert!(read_weights(&noise, &limits).is_err());
    }
}

/// The most memory this process has had resident, where the system says so.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}
