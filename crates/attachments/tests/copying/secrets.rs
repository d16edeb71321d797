//! Tokens open files, and are nowhere else than in the request to the one host that they are for.

use chatferry_attachments::{Reason, shown};

use crate::setup::{Migration, failed};
use chatferry_testkit::host::{Host, answer, file, page};

/// The bytes of every file below a folder.
fn everything(folder: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend_from_slice(path.to_str().unwrap().as_bytes());
        if path.is_dir() {
            all.extend(everything(&path));
        } else {
            all.extend(std::fs::read(&path).unwrap());
        }
    }
    all
}

fn holds(all: &[u8], secret: &str) -> bool {
    all.windows(secret.len())
        .any(|window| window == secret.as_bytes())
}

#[tokio::test]
async fn a_token_opens_the_files_of_its_host_and_goes_to_no_other() {
    let other = Host::of(&[("/b.png", b"two"), ("/c.png", b"three")]).await;
    let elsewhere = other.url("/c.png");
    let host = Host::new(move |asked| {
        if !asked
            .head
            .to_ascii_lowercase()
            .contains("authorization: bearer hunter2")
        {
            return page();
        }
        match asked.path.as_str() {
            "/c.png" => answer(302, &[("Location", &elsewhere)], b""),
            _ => file(b"one"),
        }
    })
    .await;
    let urls = [host.url("/a.png"), other.url("/b.png"), host.url("/c.png")];

    let migration = Migration::of(&[&host, &other]);
    let account = migration.copy(&urls[..1]).await;
    assert_eq!(failed(&account, Reason::Page), 1, "without the token");

    let migration = migration.with_header("Authorization", "Bearer hunter2");
    let account = migration.copy(&urls).await;
    assert_eq!((account.found, account.copied), (3, 3), "{account:?}");
    assert_eq!(migration.contents(&urls[2]).await, b"three");
    for asked in other.asked() {
        assert!(!asked.head.contains("hunter2"), "{}", asked.head);
    }
    assert_eq!(other.asked().len(), 2);

    let all = everything(migration.path());
    assert!(holds(&all, "127.0.0.1"), "the map tells where files were");
    assert!(!holds(&all, "hunter2"));
}

#[tokio::test]
async fn a_secret_in_a_url_is_sent_and_kept_nowhere() {
    let host = Host::new(|asked| match asked.path.as_str() {
        "/a.png?t=hunter2" => file(b"one"),
        _ => answer(404, &[], b""),
    })
    .await;
    let migration = Migration::of(&[&host]);
    let url = host.url("/a.png?t=hunter2");
    let gone = host.url("/gone.png?t=hunter2");
    let account = migration.copy(&[url.clone(), gone]).await;
    assert_eq!((account.copied, failed(&account, Reason::NotFound)), (1, 1));
    assert_eq!(migration.contents(&url).await, b"one");
    assert!(!holds(&everything(migration.path()), "hunter2"));
    assert!(!format!("{account:?}").contains("hunter2"));
    assert!(!format!("{:?}", migration.settings()).contains("hunter2"));
    assert_eq!(shown(&url), host.url("/a.png"));
}
