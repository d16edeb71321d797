//! Stores: a real one that speaks S3, and some that cannot be used.

use std::path::Path;

use chatferry_attachments::{Account, Ended};
use chatferry_core::Secret;
use chatferry_testkit::servers::s3;
use tokio::sync::watch;

use crate::setup::{Migration, PUBLIC};
use chatferry_testkit::host::{Host, answer, file};

/// More than one part, and not a whole number of them.
const LARGE: usize = 20_000_001;

#[tokio::test(flavor = "multi_thread")]
async fn files_are_put_into_a_bucket_with_what_they_are_served_as() {
    let server = s3().await;
    let bucket = server.bucket().await;
    let large: Vec<u8> = (0..LARGE)
        .map(|at| u8::try_from(at % 251).unwrap())
        .collect();
    let sent = large.clone();
    let host = Host::new(move |asked| match asked.path.as_str() {
        "/page.svg" => answer(200, &[("Content-Type", "image/svg+xml")], b"<svg/>"),
        "/a.png" => file(b"one"),
        _ => file(&sent),
    })
    .await;
    let mut migration = Migration::of(&[&host]);
    migration.said.to = Some(format!("s3://{}/chat/files", bucket.name()));
    let settings = server.settings().into_iter();
    migration.table.storage = settings
        .map(|(name, value)| (name.to_owned(), None, Secret::Value(value)))
        .collect();
    let urls = ["/a.png", "/page.svg", "/large.bin", "/again.bin"].map(|path| host.url(path));
    let account = migration.copy(&urls).await;
    assert_eq!((account.copied, account.same), (3, 1), "{account:?}");
    assert_eq!(account.bytes, 3 + 6 + LARGE as u64);

    for (url, contents, media_type, disposition) in [
        (&urls[0], b"one".as_slice(), Some("image/png"), None),
        (
            &urls[1],
            b"<svg/>",
            Some("image/svg+xml"),
            Some("attachment"),
        ),
        (&urls[2], &large, None, None),
    ] {
        let name = name_of(&migration, url).await;
        let stored = bucket.get(&format!("chat/files/{name}")).await;
        assert!(stored.contents == contents, "{url}");
        if let Some(media_type) = media_type {
            assert_eq!(stored.media_type.as_deref(), Some(media_type), "{url}");
        }
        assert_eq!(stored.disposition.as_deref(), disposition, "{url}");
    }

    // What is in the bucket is found there, also by whoever has lost the map.
    std::fs::remove_file(migration.map_path()).unwrap();
    let account = migration.copy(&urls).await;
    assert_eq!((account.copied, account.same, account.bytes), (0, 4, 0));
}

async fn name_of(migration: &Migration, url: &str) -> String {
    match migration.whereabouts(url).await {
        chatferry_core::Whereabouts::At(copy) => copy
            .strip_prefix(PUBLIC)
            .unwrap()
            .trim_start_matches('/')
            .to_owned(),
        other => panic!("{url} is {other:?}"),
    }
}

async fn trouble(migration: &Migration, urls: &[String]) -> (Account, String, String) {
    let (_stop, stopped) = watch::channel(false);
    match migration.copy_until(urls, stopped).await {
        (account, Ended::Store(error)) => {
            let help = error.help.clone().unwrap_or_default();
            (account, error.to_string(), help)
        }
        (_, other) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_is_not_there_ends_it_at_once() {
    let server = s3().await;
    let host = Host::new(|_| file(b"one")).await;
    let mut migration = Migration::of(&[&host]);
    migration.table.at_once = std::num::NonZeroU64::new(1);
    migration.said.to = Some("s3://nobody-has-this/chat".to_owned());
    let settings = server.settings().into_iter();
    migration.table.storage = settings
        .map(|(name, value)| (name.to_owned(), None, Secret::Value(value)))
        .collect();
    let urls: Vec<String> = (0..50)
        .map(|number| host.url(&format!("/{number}.png")))
        .collect();
    let (account, said, help) = trouble(&migration, &urls).await;
    assert!(
        said.contains("there is no s3://nobody-has-this/chat"),
        "{said}"
    );
    assert!(help.contains("spelling of the bucket"), "{help}");
    assert_eq!(account.pending, 50);
    assert_eq!(host.asked().len(), 1, "no file is fetched in vain");
}

#[tokio::test]
async fn a_store_that_fails_waits_for_no_host() {
    let busy = Host::new(|_| answer(429, &[("Retry-After", "3000")], b"")).await;
    let host = Host::new(|_| file(b"one")).await;
    let mut migration = Migration::of(&[&busy, &host]);
    // The folder is there and the name of the copy is taken by a folder that is not empty.
    let sha = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    let taken = migration.path().join("store/76").join(format!("{sha}.png"));
    std::fs::create_dir_all(taken.join("in the way")).unwrap();
    migration.table.at_once = std::num::NonZeroU64::new(2);
    let urls = [busy.url("/a.png"), host.url("/b.png")];
    let (account, said, _) = trouble(&migration, &urls).await;
    assert!(said.starts_with("cannot put files into"), "{said}");
    assert_eq!(account.pending, 2);
}

#[tokio::test]
async fn what_was_copied_stays_in_one_store() {
    let host = Host::new(|_| file(b"one")).await;
    let mut migration = Migration::of(&[&host]);
    let urls = [host.url("/a.png")];
    migration.copy(&urls).await;
    migration.said.to = Some(migration.path().join("other").to_str().unwrap().to_owned());
    let (_, said, help) = trouble(&migration, &urls).await;
    assert!(said.contains("what was copied before is in"), "{said}");
    assert!(help.contains("name the same store again"), "{help}");
}

#[tokio::test]
async fn it_is_told_what_is_not_said() {
    let mut migration = Migration::of(&[]);
    migration.said.public = None;
    let (_, said, _) = trouble(&migration, &[]).await;
    assert!(said.contains("under which URL"), "{said}");
    migration.said.to = None;
    let (_, said, _) = trouble(&migration, &[]).await;
    assert!(said.contains("where to"), "{said}");
    migration.said.to = Some("https://cdn.example.com/chat".to_owned());
    migration.said.public = Some(PUBLIC.to_owned());
    let (_, said, help) = trouble(&migration, &[]).await;
    assert!(said.contains("a web server only gives files"), "{said}");
    assert!(help.contains("s3://bucket/path"), "{help}");
}

#[tokio::test]
async fn a_folder_that_may_not_be_made_is_told() {
    let mut migration = Migration::of(&[]);
    let file = migration.path().join("file");
    std::fs::write(&file, "").unwrap();
    migration.said.to = Some(file.join("store").to_str().unwrap().to_owned());
    let (_, said, _) = trouble(&migration, &[]).await;
    assert!(said.starts_with("cannot put files into"), "{said}");
    assert!(!Path::new(&file).is_dir());
}
