//! HDF5 features that are refused, in files that h5py wrote.

mod common;

use common::fixture;
use ferrograph_formats::ErrorCode::{Invalid, Unsupported};
use ferrograph_formats::Limits;
use ferrograph_formats::hdf5::File;
use ferrograph_formats::zip::Archive;

#[test]
fn every_refused_feature_has_its_code_place_and_reason() {
    let bytes = fixture("refused.zip");
    let limits = Limits::default();
    let archive = Archive::parse(&bytes, &limits).unwrap();
    let expected = [
        ("soft_link", Unsupported, "/", "soft link"),
        ("soft_link_latest", Unsupported, "/", "soft link"),
        ("external_link", Unsupported, "/", "external link"),
        ("external_storage", Unsupported, "/data", "external files"),
        ("virtual", Unsupported, "/data", "virtual"),
        ("cycle", Invalid, "/a/b/up", "contains itself"),
        ("hard_link", Unsupported, "/ok", "second hard link"),
        ("lzf", Unsupported, "/data", "filter 32000"),
        ("fletcher32", Unsupported, "/data", "fletcher32"),
        ("committed_type", Unsupported, "/data", "committed"),
        ("compound", Unsupported, "/data", "compound"),
        ("big_endian", Unsupported, "/data", "big-endian"),
        ("reference", Unsupported, "/data", "reference"),
        ("dense_links", Unsupported, "/", "fractal heap"),
        ("dense_attributes", Unsupported, "/ok", "fractal heap"),
        ("fixed_array", Unsupported, "/data", "fixed array"),
    ];
    assert_eq!(archive.members().len(), expected.len() + 1);
    for (name, code, path, reason) in expected {
        let file = archive.read(name, &mut limits.budget(bytes.len())).unwrap();
        let error = File::parse(&file, &limits).unwrap_err();
        assert_eq!((error.code(), error.path()), (code, Some(path)), "{name}: {error}");
        assert!(error.message().contains(reason), "{name}: {error}");
        assert!(error.offset().is_some(), "{name}: {error}");
    }
    let file = archive.read("user_block", &mut limits.budget(bytes.len())).unwrap();
    let error = File::parse(&file, &limits).unwrap_err();
    assert_eq!(error.code(), Unsupported, "{error}");
}
