//! Files written by Keras and h5py read as h5py reads them.

mod common;

use common::{ARCHIVES, HDF5, describe, fixture, oracle, parse};
use ferrograph_formats::archive::{read_model_archive, read_weights};
use ferrograph_formats::zip::Method;
use ferrograph_formats::{ElementType, ErrorCode, Limits};

#[test]
fn hdf5_files_read_as_h5py_reads_them() {
    for name in HDF5 {
        let bytes = fixture(name);
        assert_eq!(describe(&parse(&bytes), &bytes), oracle(name), "{name}");
    }
}

#[test]
fn keras_archives_read_as_python_reads_them() {
    for name in ARCHIVES {
        let bytes = fixture(name);
        let model = read_model_archive(&bytes, &Limits::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = oracle(name);
        assert_eq!(model.config_json, expected["config"], "{name}");
        assert_eq!(model.metadata_json, expected["metadata"], "{name}");
        assert_eq!(describe(model.weights.file(), model.weights.bytes()), expected["weights"], "{name}");
    }
}

#[test]
fn weights_are_found_by_path_with_their_layers_name() {
    let bytes = fixture("mixed.keras");
    let model = read_model_archive(&bytes, &Limits::default()).unwrap();
    assert_eq!(model.weights.group_name("layers/lstm/cell/vars"), Some("lstm_cell"));
    let kernel = model.weights.tensor("layers/lstm/cell/vars/0").unwrap();
    assert_eq!((kernel.element_type, kernel.shape.as_slice()), (ElementType::F32, [4, 12].as_slice()));
    assert!(matches!(kernel.data, std::borrow::Cow::Borrowed(_)), "stored weights are not copied");
    let iterations = model.weights.tensor("optimizer/vars/0").unwrap();
    assert_eq!((iterations.shape.len(), iterations.data[0]), (0, 1));
    assert_eq!(model.weights.tensors().count(), model.weights.paths().count());
    let error = model.weights.tensor("layers/nothing/vars/0").unwrap_err();
    assert_eq!((error.code(), error.path()), (ErrorCode::MissingTensor, Some("/layers/nothing/vars/0")));
}

#[test]
fn other_members_are_left_until_asked_for() {
    let bytes = fixture("deflated.keras");
    let mut model = read_model_archive(&bytes, &Limits::default()).unwrap();
    assert_eq!(model.member("assets/layers/lookup/vocabulary.txt").unwrap(), b"a\nb\n".as_slice());
    assert_eq!(model.members().count(), 4);
    assert_eq!(model.member("assets/none").unwrap_err().code(), ErrorCode::MissingMember);
}

#[test]
fn weights_alone_read_without_a_copy() {
    let bytes = fixture("dense.weights.h5");
    let weights = read_weights(&bytes, &Limits::default()).unwrap();
    let paths: Vec<&str> = weights.paths().collect();
    let expected = ["layers/dense/vars/0", "layers/dense/vars/1", "layers/dense_1/vars/0", "layers/dense_1/vars/1"];
    assert_eq!(paths, expected);
    for tensor in weights.tensors() {
        assert!(matches!(tensor.unwrap().data, std::borrow::Cow::Borrowed(_)));
    }
}

#[test]
fn link_order_of_the_file_is_kept() {
    let bytes = fixture("order.h5");
    let file = parse(&bytes);
    let paths: Vec<&str> = file.objects().iter().map(ferrograph_formats::hdf5::Object::path).collect();
    assert_eq!(paths, ["", "b", "a", "c"]);
}

#[test]
fn zip_directory_says_how_members_are_stored() {
    for (name, method) in [("dense.keras", Method::Stored), ("deflated.keras", Method::Deflated)] {
        let bytes = fixture(name);
        let archive = ferrograph_formats::zip::Archive::parse(&bytes, &Limits::default()).unwrap();
        for member in ["metadata.json", "config.json", "model.weights.h5"] {
            assert_eq!(archive.find(member).unwrap().method(), method, "{name}");
        }
        assert_eq!(archive.find("model.weights.h5").unwrap().size(), 12_568, "{name}");
    }
}
