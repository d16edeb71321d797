//! Files that are paths: of exports that have them beside them.

use std::fs;
use std::io::Write;

use chatferry_attachments::Reason;

use crate::setup::{Migration, failed};

#[tokio::test]
async fn files_of_a_folder_are_copied_and_nothing_outside_of_it() {
    let mut migration = Migration::of(&[]);
    let export = migration.path().join("export");
    fs::create_dir_all(export.join("photos")).unwrap();
    fs::write(export.join("photos/a b.png"), "one").unwrap();
    fs::write(export.join("photos/large.bin"), vec![7; 3_000_000]).unwrap();
    fs::write(migration.path().join("secret.txt"), "secret").unwrap();
    migration.said.root = Some(export);
    let urls = [
        "photos/a b.png",
        "./photos/a%20b.png",
        "photos/large.bin",
        "../secret.txt",
        "photos/gone.png",
        "photos",
    ]
    .map(str::to_owned);
    let account = migration.copy(&urls).await;
    assert_eq!((account.copied, account.same), (2, 1), "{account:?}");
    assert_eq!(failed(&account, Reason::Outside), 1);
    assert_eq!(failed(&account, Reason::NotFound), 2);
    assert_eq!(migration.contents(&urls[1]).await, b"one");
    assert_eq!(migration.contents(&urls[2]).await, vec![7; 3_000_000]);
    assert_eq!(migration.store().len(), 2);
}

#[tokio::test]
async fn files_of_an_archive_are_copied_as_they_are() {
    let mut migration = Migration::of(&[]);
    let path = migration.path().join("export.zip");
    let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    let compressed = b"\x1f\x8b\x08 nothing that could be unpacked";
    for (name, contents) in [
        ("data/a.png", b"one".as_slice()),
        ("data/logs.gz", compressed),
        ("data/large.bin", &[9; 2_500_000]),
    ] {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(name, options).unwrap();
        archive.write_all(contents).unwrap();
    }
    archive.finish().unwrap();
    migration.said.root = Some(path);
    let urls = [
        "data/large.bin",
        "data/logs.gz",
        "data/a.png",
        "data/gone.png",
    ]
    .map(str::to_owned);
    let account = migration.copy(&urls).await;
    assert_eq!(
        (account.copied, failed(&account, Reason::NotFound)),
        (3, 1),
        "{account:?}"
    );
    assert_eq!(migration.contents(&urls[0]).await, [9; 2_500_000]);
    assert_eq!(migration.contents(&urls[1]).await, compressed);
    assert_eq!(migration.contents(&urls[2]).await, b"one");
}
