//! Files that the HDF5 writer makes, read back. `check_with_h5py.py` reads the same files: with `FERROGRAPH_WRITE_TO`
//! set to a folder, these tests leave them there.

#![allow(clippy::cast_possible_truncation, reason = "sizes of test data are small")]

mod common;

use std::borrow::Cow;

use common::{describe, parse};
use ferrograph_formats::ElementType::{
    Bf16, Bool, F16, F32, F64, FixedString, I8, I16, I32, I64, U8, U16, U32, U64, VariableString,
};
use ferrograph_formats::ErrorCode;
use ferrograph_formats::hdf5::{Object, Writer};
use serde_json::json;

fn keep(name: &str, bytes: &[u8]) {
    if let Ok(folder) = std::env::var("FERROGRAPH_WRITE_TO") {
        std::fs::write(std::path::Path::new(&folder).join(name), bytes).unwrap();
    }
}

#[test]
fn all_element_types_and_shapes_round_trip() {
    let mut writer = Writer::new();
    let types = [Bool, I8, I16, I32, I64, U8, U16, U32, U64, F16, Bf16, F32, F64];
    for element_type in types {
        let size = element_type.size().unwrap() as usize;
        let data: Vec<u8> = (0..6 * size).map(|k| if element_type == Bool { k % 2 } else { k } as u8).collect();
        writer.dataset(&format!("types/{}", element_type.name()), element_type, &[2, 3], data.clone()).unwrap();
        writer.dataset(&format!("scalars/{}", element_type.name()), element_type, &[], data[..size].to_vec()).unwrap();
    }
    writer.dataset("empty", F32, &[3, 0, 2], Vec::new()).unwrap();
    writer.group("a/b/c").unwrap();
    writer.attribute("a/b/c", "name", "hällo").unwrap();
    writer.attribute("a/b/c", "empty", "").unwrap();
    writer.attribute("", "ünï", "root").unwrap();
    let bytes = writer.finish().unwrap();
    keep("types.h5", &bytes);

    let file = parse(&bytes);
    let tree = describe(&file, &bytes);
    assert_eq!(tree["types/float32"]["hex"], "000102030405060708090a0b0c0d0e0f1011121314151617");
    assert_eq!(tree["types/bool"], json!({"attributes": {}, "type": "bool", "shape": [2, 3], "hex": "000100010001"}));
    assert_eq!(tree["scalars/bfloat16"]["attributes"], json!({"dtype": "bfloat16"}));
    assert_eq!(tree["empty"], json!({"attributes": {}, "type": "float32", "shape": [3, 0, 2], "hex": ""}));
    assert_eq!(tree["a/b/c"]["attributes"], json!({"name": "hällo", "empty": ""}));
    assert_eq!(tree[""]["attributes"], json!({"ünï": "root"}));
    assert_eq!(file.datasets().count(), 2 * types.len() + 1);
    for dataset in file.datasets() {
        let name = dataset.path().rsplit('/').next().unwrap();
        assert!(name == dataset.element_type().name() || name == "empty", "{name}");
        // Borrowed and at a multiple of 64 bytes of the file.
        if let Cow::Borrowed(data) = dataset.read(&bytes).unwrap()
            && !data.is_empty()
        {
            assert_eq!((data.as_ptr() as usize - bytes.as_ptr() as usize) % 64, 0);
        }
    }
}

#[test]
fn groups_of_any_size_round_trip_in_byte_order() {
    // Sizes around the limits of symbol nodes (8) and of B-tree nodes (32 of them), and three levels.
    for count in [0_u32, 1, 7, 8, 9, 255, 256, 257, 1000, 8193] {
        let mut writer = Writer::new();
        writer.group("many").unwrap();
        for k in 0..count {
            writer.dataset(&format!("many/{k}"), U32, &[], k.to_le_bytes().to_vec()).unwrap();
        }
        let bytes = writer.finish().unwrap();
        keep(&format!("many_{count}.h5"), &bytes);
        let file = parse(&bytes);
        let names: Vec<&str> = file.datasets().map(|dataset| &dataset.path()["many/".len()..]).collect();
        let mut sorted: Vec<String> = (0..count).map(|k| k.to_string()).collect();
        sorted.sort();
        assert_eq!(names, sorted);
        for dataset in file.datasets() {
            let value = u32::from_le_bytes(dataset.read(&bytes).unwrap()[..].try_into().unwrap());
            assert_eq!(dataset.path(), format!("many/{value}"));
        }
    }
}

#[test]
fn many_and_long_texts_fill_several_heaps() {
    let mut writer = Writer::new();
    // Every length leaves another rest in its collection; the last is longer than a collection.
    let lengths: Vec<usize> = (0..400).chain([4064, 4072, 4073, 4080, 4081, 100_000]).collect();
    for &length in &lengths {
        let path = format!("g{length}");
        writer.group(&path).unwrap();
        writer.attribute(&path, "name", &"å".repeat(length / 2)).unwrap();
        writer.attribute(&path, "second", "x").unwrap();
    }
    let bytes = writer.finish().unwrap();
    keep("texts.h5", &bytes);
    let file = parse(&bytes);
    for &length in &lengths {
        let group = file.get(&format!("g{length}")).unwrap();
        assert_eq!(group.text_attribute("name"), Some("å".repeat(length / 2).as_str()));
        assert_eq!(group.text_attribute("second"), Some("x"));
    }
}

#[test]
fn the_same_content_gives_the_same_bytes() {
    let write = |paths: &[&str]| {
        let mut writer = Writer::new();
        for path in paths {
            writer.group(path).unwrap();
        }
        writer.finish().unwrap()
    };
    let bytes = write(&["b", "a/x", "c"]);
    assert_eq!(bytes, write(&["b", "a/x", "c"]));
    let objects = |bytes: &[u8]| parse(bytes).objects().iter().map(|o| o.path().to_owned()).collect::<Vec<_>>();
    assert_eq!(objects(&bytes), objects(&write(&["c", "a", "b", "a/x"])));
}

#[test]
fn refuses_what_cannot_be_written() {
    let mut writer = Writer::new();
    writer.dataset("a/data", F32, &[2], vec![0; 8]).unwrap();
    let deep = ["g"; 101].join("/");
    for path in ["a/data", "a", "", "a/data/x", "/x", "x/", "x//y", "x/./y", "..", "x\0y", &deep, &"n".repeat(5000)] {
        let error = writer.dataset(path, U8, &[], vec![0]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Argument, "{path:?}: {error}");
    }
    for (element_type, shape, length) in [
        (F32, vec![2], 7),
        (F32, vec![1 << 40, 1 << 40], 0),
        (I8, vec![1; 33], 1),
        (VariableString, vec![], 16),
        (FixedString(4), vec![], 4),
    ] {
        let error = writer.dataset("new", element_type, &shape, vec![0; length]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::Argument, "{error}");
    }
    assert!(writer.group("a/data").is_err());
    for (path, name, text) in [("none", "n", "t"), ("a", "", "t"), ("a", "n\0", "t"), ("a", "n", "t\0")] {
        assert_eq!(writer.attribute(path, name, text).unwrap_err().code(), ErrorCode::Argument);
    }
    writer.attribute("a", "n", "t").unwrap();
    assert_eq!(writer.attribute("a", "n", "t").unwrap_err().code(), ErrorCode::Argument);
    let bytes = writer.finish().unwrap();
    let paths: Vec<_> = parse(&bytes).objects().iter().map(|object| object.path().to_owned()).collect();
    assert_eq!(paths, ["", "a", "a/data"], "refused calls leave nothing behind");
    assert!(matches!(parse(&bytes).get("a/data"), Some(Object::Dataset(_))));
}
