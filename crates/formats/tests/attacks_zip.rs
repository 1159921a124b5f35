//! Archives made to be understood in two ways, or to cost more than they should.

#![allow(clippy::cast_possible_truncation, reason = "sizes of test data are small")]

mod common;

use common::fixture;
use ferrograph_formats::ErrorCode::{Checksum, Invalid, Limit, MissingMember, Truncated, Unsupported};
use ferrograph_formats::archive::read_model_archive;
use ferrograph_formats::zip::{Archive, Timestamp, Writer};
use ferrograph_formats::{Error, ErrorCode, Limits};

const END: usize = 22;

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new(Timestamp::default());
    for (name, data) in members {
        writer.add(name, data, 1).unwrap();
    }
    writer.finish().unwrap()
}

fn two() -> Vec<u8> {
    archive(&[("aa", b"first"), ("bb", b"second")])
}

/// The error of parsing and reading everything.
fn refusal(bytes: &[u8], what: &str) -> Error {
    let limits = Limits::default();
    let read = || {
        let archive = Archive::parse(bytes, &limits)?;
        let mut budget = limits.budget(bytes.len());
        for member in archive.members() {
            archive.read(member.name(), &mut budget)?;
        }
        Ok(())
    };
    read().expect_err(what)
}

fn check(bytes: &[u8], code: ErrorCode, what: &str) {
    let error = refusal(bytes, what);
    assert_eq!(error.code(), code, "{what}: {error}");
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> usize {
    from + bytes[from..].windows(wanted.len()).position(|window| window == wanted).unwrap()
}

fn edited(at: impl Fn(&[u8]) -> usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = two();
    let at = at(&bytes);
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

fn local(bytes: &[u8]) -> usize {
    find(bytes, b"PK\x03\x04", 1)
}

fn central(bytes: &[u8]) -> usize {
    find(bytes, b"PK\x01\x02", 0)
}

fn end(bytes: &[u8]) -> usize {
    bytes.len() - END
}

/// Appends `extra` to the central directory's last entry.
fn with_central_extra(extra: &[u8]) -> Vec<u8> {
    let mut bytes = two();
    let at = find(&bytes, b"PK\x01\x02", central(&bytes) + 1);
    bytes[at + 30..at + 32].copy_from_slice(&(extra.len() as u16).to_le_bytes());
    let end_at = end(&bytes);
    let length = u32::from_le_bytes(bytes[end_at + 12..end_at + 16].try_into().unwrap()) + extra.len() as u32;
    bytes[end_at + 12..end_at + 16].copy_from_slice(&length.to_le_bytes());
    bytes.splice(end_at..end_at, extra.iter().copied());
    bytes
}

#[test]
fn names_that_differ_or_repeat() {
    check(&edited(|b| local(b) + 30, b"xx"), Invalid, "local name differs");
    check(&edited(|b| central(b) + 46, b"bb"), Invalid, "names repeat");
    let mut both = edited(|b| central(b) + 46, b"bb");
    both[30..32].copy_from_slice(b"bb");
    check(&both, Invalid, "names repeat in both places");
    for name in [b"..", b"/a", b"\\a", b"c:", b"a\0", b"./", b"\xc3\xa5", b"\xff\xff"] {
        let mut bytes = edited(|b| central(b) + 46, name);
        bytes[30..32].copy_from_slice(name);
        check(&bytes, Invalid, &name.escape_ascii().to_string());
    }
    let unicode_path = [&0x7075_u16.to_le_bytes()[..], &5_u16.to_le_bytes(), &[1, 0, 0, 0, 0]].concat();
    check(&with_central_extra(&unicode_path), Invalid, "a second name");
}

#[test]
fn headers_that_disagree() {
    for (offset, new, what) in [
        (6, &[0, 8][..], "flags"),
        (8, &[8, 0], "method"),
        (10, &[1, 0], "time"),
        (12, &[1, 1], "date"),
        (14, &[1, 2, 3, 4], "CRC"),
        (18, &[5, 0, 0, 0], "stored size"),
        (22, &[5, 0, 0, 0], "size"),
        (18, &[255; 8], "sizes in a zip64 field that is not there"),
    ] {
        check(&edited(|b| local(b) + offset, new), Invalid, what);
    }
    check(&edited(local, b"PK\x07\x08"), Invalid, "local signature");
    check(&edited(central, b"PK\x07\x08"), Invalid, "central signature");
    check(&edited(|b| central(b) + 42, &[1, 0, 0, 0]), Invalid, "offset");
    check(&edited(|b| central(b) + 42, &[0, 0, 0, 127]), Truncated, "offset outside");
}

#[test]
fn sizes_that_lie() {
    // Both headers say that 5 stored bytes are 4: stored but of another size.
    let mut bytes = edited(|b| central(b) + 24, &[4, 0, 0, 0]);
    bytes[22..26].copy_from_slice(&[4, 0, 0, 0]);
    check(&bytes, Invalid, "stored, but not in its size");
    // Both headers make the first member longer, over the header of the second.
    let mut bytes = edited(|b| central(b) + 20, &[9, 0, 0, 0, 9, 0, 0, 0]);
    bytes[18..26].copy_from_slice(&[9, 0, 0, 0, 9, 0, 0, 0]);
    check(&bytes, Invalid, "overlap");
    let mut bytes = edited(|b| central(b) + 20, &[0, 0, 0, 1, 0, 0, 0, 1]);
    bytes[18..26].copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
    check(&bytes, Truncated, "past the directory");
}

#[test]
fn flags_and_methods_that_are_not_read() {
    for (flags, code, what) in [
        (1_u16, Unsupported, "encrypted"),
        (1 << 6, Unsupported, "strongly encrypted"),
        (1 << 13, Unsupported, "hidden headers"),
        (1 << 3, Unsupported, "streamed"),
        (1 << 5, Unsupported, "patched"),
    ] {
        let mut bytes = edited(|b| central(b) + 8, &flags.to_le_bytes());
        bytes[6..8].copy_from_slice(&flags.to_le_bytes());
        check(&bytes, code, what);
    }
    let mut bytes = edited(|b| central(b) + 10, &[12, 0]);
    bytes[8..10].copy_from_slice(&[12, 0]);
    check(&bytes, Unsupported, "bzip2");
    check(&edited(|b| central(b) + 38, &0xa1ff_0000_u32.to_le_bytes()), Invalid, "symbolic link");
    check(&edited(|b| central(b) + 34, &[1, 0]), Unsupported, "another disk");
    check(&edited(|b| end(b) + 4, &[1, 0]), Unsupported, "another disk in the end record");
}

#[test]
fn bytes_that_belong_to_nothing() {
    let bytes = two();
    for extra in [&b"x"[..], b"PK\x05\x06", &bytes] {
        check(&[&bytes, extra].concat(), Invalid, "trailing data");
        check(&[extra, &bytes].concat(), Invalid, "prefixed data");
    }
    let mut commented = bytes.clone();
    let at = end(&commented);
    commented[at + 20] = 3;
    commented.extend_from_slice(b"abc");
    check(&commented, Invalid, "archive comment");
    // An end record inside a member whose comment would reach the end of the file.
    let tail = bytes.len() - find(&bytes, b"first", 0) + END - 5;
    let mut inner = b"PK\x05\x06".to_vec();
    inner.extend_from_slice(&[0; 16]);
    inner.extend_from_slice(&(tail as u16 - END as u16 + 5).to_le_bytes());
    let hidden = archive(&[("aa", &inner), ("bb", b"second")]);
    let reach = hidden.len() - find(&hidden, &inner, 0) - END;
    inner[20..22].copy_from_slice(&(reach as u16).to_le_bytes());
    check(&archive(&[("aa", &inner), ("bb", b"second")]), Invalid, "two end records");
    check(&edited(|b| end(b) + 10, &[1, 0]), Unsupported, "members on other disks");
    check(&edited(|b| end(b) + 8, &[1, 0, 1, 0]), Invalid, "a hidden member");
    check(&edited(|b| end(b) + 8, &[3, 0, 3, 0]), Truncated, "more members than listed");
    check(&edited(|b| central(b) + 32, &[1, 0]), Invalid, "member comment");
}

#[test]
fn zip64_that_lies() {
    let zip64 = |values: &[u64]| {
        let mut extra = [1_u16.to_le_bytes(), (values.len() as u16 * 8).to_le_bytes()].concat();
        extra.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        extra
    };
    check(&with_central_extra(&zip64(&[6])), Invalid, "a field that nothing refers to");
    check(&with_central_extra(&[1, 0, 200, 0]), Invalid, "a field past its header");
    check(&with_central_extra(&[zip64(&[]), zip64(&[])].concat()), Invalid, "two fields");
    let saturated = |extra: &[u8]| {
        let mut bytes = with_central_extra(extra);
        let at = find(&bytes, b"PK\x01\x02", central(&bytes) + 1);
        bytes[at + 20..at + 28].fill(255);
        bytes
    };
    assert!(Archive::parse(&saturated(&zip64(&[6, 6])), &Limits::default()).is_ok());
    check(&saturated(&zip64(&[6, 7])), Invalid, "another size");
    check(&saturated(&zip64(&[6])), Truncated, "a field too short");
    check(&saturated(&[]), Invalid, "no field");
    check(&saturated(&zip64(&[u64::MAX, u64::MAX])), Invalid, "a size of 2^64");
    check(&edited(|b| end(b) + 16, &[255; 4]), Invalid, "no zip64 end record");

    let bytes = two();
    let (directory, length) = (central(&bytes) as u64, (end(&bytes) - central(&bytes)) as u64);
    let with_record = |members: u64, length: u64, directory: u64, locator: u64| {
        let mut record = b"PK\x06\x06".to_vec();
        record.extend_from_slice(&44_u64.to_le_bytes());
        record.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for value in [members, members, length, directory] {
            record.extend_from_slice(&value.to_le_bytes());
        }
        record.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        record.extend_from_slice(&locator.to_le_bytes());
        record.extend_from_slice(&1_u32.to_le_bytes());
        let mut bytes = two();
        let at = end(&bytes);
        bytes.splice(at..at, record);
        bytes
    };
    let at = end(&bytes) as u64;
    assert!(Archive::parse(&with_record(2, length, directory, at), &Limits::default()).is_ok());
    check(&with_record(1, length, directory, at), Invalid, "another number of members");
    check(&with_record(2, length - 1, directory, at), Invalid, "another length");
    check(&with_record(2, length, directory + 1, at), Invalid, "another offset");
    check(&with_record(2, length, directory, at + 1), Invalid, "a locator that misses");
    check(&with_record(2, length, directory, u64::MAX), Invalid, "a locator that overflows");
}

#[test]
fn damage_is_noticed() {
    check(&edited(|b| find(b, b"second", 0), b"sXcond"), Checksum, "changed data");
    let bytes = two();
    for length in 0..bytes.len() {
        assert!(Archive::parse(&bytes[..length], &Limits::default()).is_err(), "cut to {length}");
    }
    check(&[], Truncated, "empty");
    check(&bytes[..bytes.len() - 30], Truncated, "cut");
    check(b"not a zip archive at all, only text", Invalid, "text");
}

/// One deflated member of `declared` bytes, with the deflate stream given.
fn deflated(name: &str, stream: &[u8], declared: u32, crc: u32) -> Vec<u8> {
    let mut bytes = archive(&[(name, stream)]);
    let directory = central(&bytes);
    for (at, method, crc_at, size_at) in [(0, 8, 14, 22), (directory, 10, 16, 24)] {
        bytes[at + method] = 8;
        bytes[at + crc_at..at + crc_at + 4].copy_from_slice(&crc.to_le_bytes());
        bytes[at + size_at..at + size_at + 4].copy_from_slice(&declared.to_le_bytes());
    }
    bytes
}

fn deflate(data: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bombs_stay_within_the_budget() {
    let zeros = vec![0; 80 << 20];
    let stream = deflate(&zeros);
    check(&deflated("a", &stream, 80 << 20, 0), Limit, "more than 64 MiB");
    check(&deflated("a", &stream, 1 << 20, 0), Invalid, "more than announced");
    check(&deflated("a", &stream, u32::MAX - 1, 0), Limit, "announced beyond the budget");
    check(&deflated("a", &stream[..1000], 60 << 20, 0), Invalid, "an impossible ratio");
    check(&deflated("a", &stream, 0, 0), Invalid, "announced empty");
    let limits = Limits { decoded_floor: 10, decoded_factor: 0, ..Limits::default() };
    let bytes = deflated("a", &deflate(b"abc"), 3, 0x3524_41c2);
    let archive = Archive::parse(&bytes, &limits).unwrap();
    let mut budget = limits.budget(bytes.len());
    for left in [7, 4, 1] {
        assert_eq!(archive.read("a", &mut budget).unwrap(), b"abc".as_slice());
        assert_eq!(budget.remaining(), left);
    }
    assert_eq!(archive.read("a", &mut budget).unwrap_err().code(), Limit);
}

#[test]
fn more_members_than_allowed() {
    let names: Vec<String> = (0..4097).map(|k| format!("m{k}")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
    check(&archive(&members), Limit, "4097 members");
    assert!(Archive::parse(&archive(&members[1..]), &Limits::default()).is_ok());
}

#[test]
fn model_archives_name_what_is_missing_or_wrong() {
    let read = |members: &[(&str, &[u8])]| read_model_archive(&archive(members), &Limits::default()).unwrap_err();
    let weights = fixture("dense.weights.h5");
    let all: [(&str, &[u8]); 3] = [("config.json", b"{}"), ("metadata.json", b"{}"), ("model.weights.h5", &weights)];
    assert!(read_model_archive(&archive(&all), &Limits::default()).is_ok());
    for missing in 0..3 {
        let rest: Vec<_> = all.iter().enumerate().filter(|&(k, _)| k != missing).map(|(_, &member)| member).collect();
        let error = read(&rest);
        assert_eq!((error.code(), error.member()), (MissingMember, Some(all[missing].0)));
    }
    let error = read(&[all[0], all[1], ("model.weights.npz", b"")]);
    assert_eq!((error.code(), error.member()), (Unsupported, Some("model.weights.npz")));
    let error = read(&[("config.json", b"\xff"), all[1], all[2]]);
    assert_eq!((error.code(), error.member(), error.offset()), (Invalid, Some("config.json"), Some(0)));
    let error = read(&[all[0], all[1], ("model.weights.h5", &weights[..weights.len() - 1])]);
    assert_eq!((error.code(), error.member()), (Truncated, Some("model.weights.h5")));
    let error = read_model_archive(&weights, &Limits::default()).unwrap_err();
    assert_eq!(error.code(), Unsupported);
}

#[test]
fn one_budget_for_the_archive_and_the_weights_in_it() {
    // Both layers are within their own means: the member inflates to what is allowed, its dataset would again.
    let mut writer = ferrograph_formats::hdf5::Writer::new();
    writer.dataset("big", ferrograph_formats::ElementType::U8, &[40 << 20], vec![0; 40 << 20]).unwrap();
    let mut weights = writer.finish().unwrap();
    // The layout message of the dataset: without an address, its 40 MiB are the fill value.
    let layout = find(&weights, &[3, 1], find(&weights, &[2, 2, 2, 1], 0));
    weights[layout + 2..layout + 10].fill(255);
    assert!(ferrograph_formats::hdf5::File::parse(&weights, &Limits::default()).is_ok());
    let mut crc = flate2::Crc::new();
    crc.update(&weights);
    let packed = deflated("model.weights.h5", &deflate(&weights), weights.len() as u32, crc.sum());
    let limits = Limits::default();
    let inner = Archive::parse(&packed, &limits).unwrap();
    let mut budget = limits.budget(packed.len());
    let content = inner.read("model.weights.h5", &mut budget).unwrap();
    let error = ferrograph_formats::hdf5::File::parse_within(&content, &limits, &mut budget).unwrap_err();
    assert_eq!(error.code(), Limit, "{error}");
}
