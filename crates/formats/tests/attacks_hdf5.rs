//! HDF5 files made to cost more than they should or to contradict themselves. Those with features that are refused are in
//! `refused.rs`.

#![allow(clippy::cast_possible_truncation, reason = "sizes of test data are small")]

mod common;

use common::{fixture, parse};
use ferrograph_formats::ElementType::{Bool, F32, U8};
use ferrograph_formats::ErrorCode::{Checksum, Invalid, Limit, Truncated, Unsupported};
use ferrograph_formats::hdf5::{File, Writer};
use ferrograph_formats::{Error, ErrorCode, Limits};

/// Parses and reads everything.
fn read(bytes: &[u8], limits: &Limits) -> Result<(), Error> {
    let file = File::parse(bytes, limits)?;
    for dataset in file.datasets() {
        dataset.read(bytes)?;
    }
    Ok(())
}

fn check(bytes: &[u8], code: ErrorCode, what: &str) {
    let error = read(bytes, &Limits::default()).expect_err(what);
    assert_eq!(error.code(), code, "{what}: {error}");
}

fn find(bytes: &[u8], wanted: &[u8], from: usize) -> usize {
    from + bytes[from..].windows(wanted.len()).position(|window| window == wanted).unwrap()
}

/// A file with the datasets `a` and `b` of 2 x 3 floats.
fn two() -> Vec<u8> {
    let mut writer = Writer::new();
    writer.dataset("a", F32, &[2, 3], vec![1; 24]).unwrap();
    writer.dataset("b", F32, &[2, 3], vec![2; 24]).unwrap();
    writer.finish().unwrap()
}

/// Where the layout message of the `nth` dataset holds its address; the size follows.
fn layout(bytes: &[u8], nth: usize) -> usize {
    let mut at = 0;
    for _ in 0..=nth {
        at = find(bytes, &[2, 2, 2, 1, 0, 0, 0, 0], at + 1);
    }
    find(bytes, &[3, 1], at) + 2
}

/// Where the dataspace of the `nth` dataset holds its extents.
fn extents(bytes: &[u8], nth: usize) -> usize {
    let mut at = 0;
    for _ in 0..=nth {
        at = find(bytes, &[1, 2, 1, 0, 0, 0, 0, 0], at + 1);
    }
    at + 8
}

fn put(mut bytes: Vec<u8>, at: usize, values: &[u64]) -> Vec<u8> {
    for (k, value) in values.iter().enumerate() {
        bytes[at + 8 * k..at + 8 * k + 8].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

#[test]
fn ranges_that_overlap_or_leave_the_file() {
    let good = two();
    let other = u64::from_le_bytes(good[layout(&good, 0)..][..8].try_into().unwrap());
    let at = layout(&good, 1);
    check(&put(good.clone(), at, &[other]), Invalid, "data of another dataset");
    check(&put(good.clone(), at, &[other + 8]), Invalid, "data that overlaps");
    check(&put(good.clone(), at, &[0]), Invalid, "the superblock as data");
    check(&put(good.clone(), at, &[good.len() as u64 - 8]), Truncated, "data past the end");
    check(&put(good.clone(), at, &[u64::MAX - 8]), Truncated, "data whose end overflows");
    check(&put(good.clone(), at + 8, &[20]), Invalid, "a size below the shape's");
    check(&put(good, at + 8, &[1 << 60]), Invalid, "a size above the shape's");
}

#[test]
fn shapes_that_explode() {
    let good = two();
    let at = extents(&good, 0);
    check(&put(good.clone(), at, &[1 << 40, 1 << 40]), Limit, "a shape beyond 2^64");
    check(&put(good.clone(), at, &[1 << 50, 1]), Invalid, "a petabyte in 24 bytes");
    // With matching size but no address, the petabyte would be the fill value.
    let bomb = put(good.clone(), at, &[1 << 50, 1]);
    let bomb = put(bomb, layout(&good, 0), &[u64::MAX, 1 << 52]);
    check(&bomb, Limit, "a petabyte of fill values");
    let zero = put(good.clone(), at, &[1 << 40, 0]);
    let zero = put(zero, layout(&good, 0), &[u64::MAX, 0]);
    assert!(read(&zero, &Limits::default()).is_ok(), "a zero extent beside a large one is no data");
    let mut rank = good.clone();
    rank[at - 7] = 33;
    check(&rank, Invalid, "rank 33");
    rank[at - 7] = 32;
    check(&rank, Truncated, "more axes than the message has room for");
}

#[test]
fn chunks_that_explode() {
    let good = fixture("chunked.h5");
    assert!(read(&good, &Limits::default()).is_ok());
    // The layout of 'gzip': version 3, chunked, 2 extents, address, chunk 40 of 4 bytes.
    let at = find(&good, &[40, 0, 0, 0, 4, 0, 0, 0], 0);
    let mut large = good.clone();
    large[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    check(&large, Limit, "a chunk of 16 GiB");
    let mut zero = good.clone();
    zero[at..at + 4].fill(0);
    check(&zero, Invalid, "a chunk of no elements");
    let mut element = good.clone();
    element[at + 4] = 8;
    check(&element, Invalid, "another size of elements");
    let mut short = good.clone();
    short[at] = 39;
    check(&short, Invalid, "a chunk shorter than its data");
    let tight = Limits { decoded_factor: 0, decoded_floor: 4096, ..Limits::default() };
    assert_eq!(read(&good, &tight).unwrap_err().code(), Limit);
}

#[test]
fn damaged_chunks() {
    let good = fixture("chunked.h5");
    // The only zlib streams of the file start so at level 9 and at level 4.
    let at = find(&good, &[0x78, 0xda], 0);
    for (offset, what) in [(0, "the header"), (5, "the stream")] {
        let mut bytes = good.clone();
        bytes[at + offset] ^= 0xff;
        assert_eq!(read(&bytes, &Limits::default()).unwrap_err().code(), Invalid, "{what}");
    }
}

#[test]
fn nesting_has_a_limit() {
    let mut writer = Writer::new();
    writer.group(&["g"; 100].join("/")).unwrap();
    let bytes = writer.finish().unwrap();
    assert_eq!(parse(&bytes).objects().len(), 101);
    let limits = Limits { max_depth: 99, ..Limits::default() };
    let error = File::parse(&bytes, &limits).unwrap_err();
    assert_eq!((error.code(), error.path()), (Limit, Some(format!("/{}", ["g"; 100].join("/")).as_str())));

    let mut writer = Writer::new();
    writer.group(&["long"; 20].join("/")).unwrap();
    let limits = Limits { max_path: 50, ..Limits::default() };
    assert_eq!(File::parse(&writer.finish().unwrap(), &limits).unwrap_err().code(), Limit);
}

#[test]
fn names_that_repeat_or_mislead() {
    let rename = |new: &[u8]| {
        let mut bytes = two();
        let at = find(&bytes, b"b\0\0\0\0\0\0\0", find(&bytes, b"HEAP", 0));
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    assert!(read(&rename(b"c"), &Limits::default()).is_ok());
    check(&rename(b"a"), Invalid, "two members with one name");
    check(&rename(b"\0"), Invalid, "an empty name");
    check(&rename(b"x/y"), Invalid, "a name with a slash");
    check(&rename(b"."), Invalid, "a dot");
    check(&rename(b".."), Invalid, "two dots");
    check(&rename(b"\xff"), Invalid, "not UTF-8");
}

#[test]
fn links_that_turn_back() {
    let mut writer = Writer::new();
    writer.group("a/b").unwrap();
    let bytes = writer.finish().unwrap();
    let root = u64::from_le_bytes(bytes[64..72].try_into().unwrap());
    // The entry of `b` in the symbol node of `a`: the name's offset 8, then the header's address.
    let last = bytes.windows(4).rposition(|window| window == b"SNOD").unwrap();
    let node = bytes[..last].windows(4).rposition(|window| window == b"SNOD").map_or(last, |_| last);
    check(&put(bytes.clone(), node + 16, &[root]), Invalid, "a group inside itself");
    // A B-tree whose node is its own child.
    let tree = find(&bytes, b"TREE", 0);
    let mut looped = put(bytes.clone(), tree + 32, &[tree as u64]);
    looped[tree + 5] = 1;
    check(&looped, Invalid, "a node inside itself");
    let mut level = bytes.clone();
    level[tree + 4] = 1;
    check(&level, Invalid, "a node of another kind");
    // A header that continues in itself.
    let mut continued = bytes;
    continued[root as usize + 16] = 0x10;
    let continued = put(continued, root as usize + 24, &[root + 16, 24]);
    check(&continued, Invalid, "a header that continues in itself");
}

#[test]
fn superblocks_that_lie() {
    let good = two();
    check(&good[..good.len() - 1], Truncated, "a byte less than announced");
    check(&put(good.clone(), 40, &[u64::MAX]), Truncated, "an end beyond the file");
    check(&put(good.clone(), 40, &[96]), Truncated, "an end before the root group");
    check(&put(good.clone(), 24, &[512]), Unsupported, "a base address");
    check(&put(good.clone(), 64, &[u64::MAX]), Truncated, "no root group");
    for (at, value, code) in [(8, 9, Unsupported), (13, 4, Unsupported), (14, 4, Unsupported), (0, 0, Invalid)] {
        let mut bytes = good.clone();
        bytes[at] = value;
        check(&bytes, code, "a changed superblock");
    }
    check(b"", Truncated, "nothing");
    check(b"\x89HDF", Truncated, "half a signature");
    check(b"text", Invalid, "text");
}

#[test]
fn checksums_of_the_new_format_are_verified() {
    for name in ["v2.h5", "v3.h5"] {
        let good = fixture(name);
        let mut bytes = good.clone();
        bytes[20] ^= 1;
        check(&bytes, Checksum, "superblock");
        let mut bytes = good.clone();
        let at = find(&good, b"OHDR", 0);
        bytes[at + 20] ^= 1;
        check(&bytes, Checksum, "object header");
    }
}

#[test]
fn references_to_texts_that_are_not_there() {
    let mut writer = Writer::new();
    writer.group("g").unwrap();
    writer.attribute("g", "name", "twelve bytes").unwrap();
    let good = writer.finish().unwrap();
    let at = find(&good, &[12, 0, 0, 0, 96, 0, 0, 0, 0, 0, 0, 0, 1], 0);
    for (offset, value, code, what) in [
        (0, 200, Invalid, "longer than the heap object"),
        (4, 97, Invalid, "not a collection"),
        (8, 127, Truncated, "a collection outside the file"),
        (12, 2, Invalid, "no such object"),
        (14, 1, Invalid, "an index above 65535"),
    ] {
        let mut bytes = good.clone();
        bytes[at + offset] = value;
        check(&bytes, code, what);
    }
}

#[test]
fn one_text_used_often_is_paid_for_each_time() {
    // 1000 attributes share one text of 1 MB in a file of little more than that.
    let mut writer = Writer::new();
    writer.attribute("", "text", &"x".repeat(1 << 20)).unwrap();
    for k in 0..1000 {
        writer.attribute("", &format!("a{k}"), "12345678").unwrap();
    }
    let mut bytes = writer.finish().unwrap();
    // Every reference: length 8, the collection, an index.
    let big = [&(1_u32 << 20).to_le_bytes()[..], &96_u64.to_le_bytes(), &1_u32.to_le_bytes()].concat();
    let mut replaced = 0;
    for at in (0..bytes.len() - 16).step_by(8) {
        let address = u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap());
        if bytes[at..at + 4] == [8, 0, 0, 0] && address > 1 << 20 && address < 1 << 21 && address % 8 == 0 {
            bytes[at..at + 16].copy_from_slice(&big);
            replaced += 1;
        }
    }
    assert!(replaced > 800, "{replaced}");
    check(&bytes, Limit, "a gigabyte of texts from a megabyte");
}

#[test]
fn booleans_are_zero_or_one() {
    let mut writer = Writer::new();
    writer.dataset("flags", Bool, &[3], vec![1, 0, 2]).unwrap();
    writer.dataset("bytes", U8, &[3], vec![1, 0, 2]).unwrap();
    let bytes = writer.finish().unwrap();
    let file = parse(&bytes);
    assert_eq!(file.dataset("flags").unwrap().read(&bytes).unwrap_err().code(), Invalid);
    assert!(file.dataset("bytes").unwrap().read(&bytes).is_ok());
}

#[test]
fn reading_from_other_bytes_than_were_parsed_is_an_error() {
    for name in ["dense.weights.h5", "chunked.h5"] {
        let bytes = fixture(name);
        let file = parse(&bytes);
        let failed = file.datasets().filter(|dataset| dataset.read(&bytes[..200]).is_err()).count();
        assert!(failed > 0, "{name}");
        for dataset in file.datasets() {
            let _ = dataset.read(&vec![0xff; bytes.len()]);
        }
    }
}
