//! `.keras` archives written and read back.

mod common;

use std::borrow::Cow;

use common::{ARCHIVES, describe, fixture, oracle};
use ferrograph_formats::archive::{
    NewModelArchive, WEIGHTS, WeightTable, read_model_archive, read_weights, write_model_archive, write_weights,
};
use ferrograph_formats::hdf5::Object;
use ferrograph_formats::zip::{Archive, Method, Timestamp};
use ferrograph_formats::{ElementType, ErrorCode, Limits, NamedTensor};

fn table<'a>(weights: &'a ferrograph_formats::archive::Weights<'_>) -> WeightTable<'a> {
    let groups = weights.file().objects().iter().filter(|object| matches!(object, Object::Group(_)));
    WeightTable {
        groups: groups
            .map(|group| (group.path().to_owned(), group.text_attribute("name").map(str::to_owned)))
            .collect(),
        tensors: weights.tensors().collect::<Result<_, _>>().unwrap(),
    }
}

#[test]
fn archives_of_keras_round_trip() {
    for name in ARCHIVES {
        let bytes = fixture(name);
        let model = read_model_archive(&bytes, &Limits::default()).unwrap();
        let weights = table(&model.weights);
        let written = write_model_archive(&NewModelArchive {
            config_json: &model.config_json,
            metadata_json: &model.metadata_json,
            weights: &weights,
            extra: &[("assets/a/vocabulary.txt", b"x\n")],
            timestamp: Timestamp::new(2026, 11, 20, 10, 30, 59).unwrap(),
        })
        .unwrap();
        if let Ok(folder) = std::env::var("FERROGRAPH_WRITE_TO") {
            std::fs::write(std::path::Path::new(&folder).join(name), &written).unwrap();
        }
        let mut again = read_model_archive(&written, &Limits::default()).unwrap();
        let expected = oracle(name);
        assert_eq!(again.config_json, expected["config"]);
        assert_eq!(again.metadata_json, expected["metadata"]);
        assert_eq!(describe(again.weights.file(), again.weights.bytes()), expected["weights"], "{name}");
        assert_eq!(again.member("assets/a/vocabulary.txt").unwrap(), b"x\n".as_slice());

        let archive = Archive::parse(&written, &Limits::default()).unwrap();
        assert!(archive.members().iter().all(|member| member.method() == Method::Stored));
        assert_eq!(archive.find(WEIGHTS).unwrap().offset() % 64, 0);
    }
}

#[test]
fn weights_alone_round_trip() {
    let bytes = fixture("dense.weights.h5");
    let weights = read_weights(&bytes, &Limits::default()).unwrap();
    let written = write_weights(&table(&weights)).unwrap();
    let again = read_weights(&written, &Limits::default()).unwrap();
    assert_eq!(describe(again.file(), again.bytes()), oracle("dense.weights.h5"));
}

#[test]
fn wrong_input_is_named() {
    let write = |weights: &WeightTable<'_>, extra: &[(&str, &[u8])]| {
        write_model_archive(&NewModelArchive {
            config_json: "{}",
            metadata_json: "{}",
            weights,
            extra,
            timestamp: Timestamp::default(),
        })
    };
    let weights = WeightTable {
        groups: Vec::new(),
        tensors: vec![NamedTensor {
            path: "layers/dense/vars/0".to_owned(),
            element_type: ElementType::F32,
            shape: vec![3],
            data: Cow::Owned(vec![0; 8]),
        }],
    };
    let error = write(&weights, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "float32 of shape [3] takes 12 bytes, received 8 (member 'model.weights.h5', path '/layers/dense/vars/0')"
    );
    let empty = WeightTable::default();
    for name in ["config.json", "../x", "/x"] {
        assert_eq!(write(&empty, &[(name, b"")]).unwrap_err().code(), ErrorCode::Argument, "{name}");
    }
    let bytes = write(&empty, &[]).unwrap();
    assert_eq!(read_model_archive(&bytes, &Limits::default()).unwrap().weights.paths().count(), 0);
}
