//! Any part of a file.

use chatferry_core::source::SourceErrorKind;
use proptest::prelude::*;

use crate::workshop::{Workshop, gz, tar, template, zip};

/// The same file in a folder, compressed, and in archives.
fn everywhere(contents: &[u8]) -> Vec<(Workshop, &'static str, &'static str)> {
    vec![
        (Workshop::with("a.bin", contents), ".", "a.bin"),
        (Workshop::with("a.bin.gz", gz(contents)), ".", "a.bin.gz"),
        (
            Workshop::with("a.zip", zip(&[("a.bin", contents)])),
            "a.zip",
            "a.bin",
        ),
        (
            Workshop::with("a.tar", tar(&[("a.bin", contents)])),
            "a.tar",
            "a.bin",
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_range_has_the_bytes_that_stand_there(
        contents in prop::collection::vec(any::<u8>(), 0..5_000),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
    ) {
        let contents = [b"=".to_vec(), contents].concat();
        let range = |(a, b): &(prop::sample::Index, prop::sample::Index)| {
            let (a, b) = (a.index(contents.len() + 1), b.index(contents.len() + 1));
            a.min(b)..a.max(b)
        };
        let wanted: Vec<_> = cuts.iter().map(range).collect();
        let ranges: Vec<_> = wanted.iter().map(|range| range.start as u64..range.end as u64).collect();
        for (workshop, root, path) in everywhere(&contents) {
            let root = workshop.root(root);
            let listing = root.list(&template(path)).unwrap();
            let file = root.ranges(&listing.files[0]).unwrap();
            prop_assert_eq!(file.len(), contents.len() as u64);
            let read = file.read_all(&ranges).unwrap();
            for (range, bytes) in wanted.iter().zip(read) {
                prop_assert_eq!(&bytes[..], &contents[range.clone()]);
            }
        }
    }
}

#[test]
fn a_file_that_shrinks_is_noticed() {
    let workshop = Workshop::with("a.bin", [1; 1000]);
    let root = workshop.root(".");
    let listing = root.list(&template("a.bin")).unwrap();
    let file = root.ranges(&listing.files[0]).unwrap();
    workshop.write("a.bin", [1; 10]);
    let error = file.read(500..600).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Changed);
}

#[test]
fn a_copy_of_what_is_damaged_is_an_error_with_its_place() {
    let packed = gz(&[7; 100_000]);
    let workshop = Workshop::with("a.bin.gz", &packed[..packed.len() - 9]);
    let root = workshop.root(".");
    let listing = root.list(&template("a.bin.gz")).unwrap();
    let error = root.ranges(&listing.files[0]).unwrap_err();
    insta::assert_snapshot!(chatferry_testkit::reading::error_shown(&error));
}
