//! Hosts that throttle, break off, lie and send elsewhere.

use chatferry_attachments::Reason;
use chatferry_config::attachments::Missing;
use chatferry_core::Whereabouts;
use tokio::sync::watch;

use crate::setup::{Migration, PUBLIC, failed};
use chatferry_testkit::host::{Host, answer, file, page, status};

#[tokio::test]
async fn the_same_contents_lie_there_once_and_every_record_finds_them() {
    let host = Host::of(&[
        ("/a.png", b"one"),
        ("/b.PNG", b"two"),
        ("/again/c.gif", b"one"),
    ])
    .await;
    let migration = Migration::of(&[&host]);
    let urls = ["/a.png", "/b.PNG", "/again/c.gif", "/a.png#again"].map(|path| host.url(path));
    let account = migration.copy(&urls).await;
    assert_eq!(
        (account.found, account.copied, account.same, account.bytes),
        (3, 2, 1, 6)
    );
    assert_eq!(migration.store().values().sum::<u64>(), 6);
    assert_eq!(migration.contents(&urls[0]).await, b"one");
    assert_eq!(migration.contents(&urls[1]).await, b"two");
    assert_eq!(
        migration.whereabouts(&urls[0]).await,
        migration.whereabouts(&urls[2]).await
    );
    let Whereabouts::At(url) = migration.whereabouts(&urls[0]).await else {
        panic!("it is copied");
    };
    let sha = "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed";
    let name = url.strip_prefix(PUBLIC).unwrap();
    assert!(
        [format!("/76/{sha}.png"), format!("/76/{sha}.gif")].contains(&name.to_owned()),
        "{url}"
    );

    let account = migration.copy(&urls).await;
    assert_eq!(
        (account.there, account.copied),
        (3, 0),
        "nothing is copied twice"
    );
    assert_eq!(host.asked().len(), 3);
}

#[tokio::test]
async fn a_host_that_throttles_and_fails_is_asked_until_it_gives() {
    let host = Host::new(|asked| match asked.before {
        0 => answer(429, &[("Retry-After", "0")], b""),
        1 => answer(503, &[("Retry-After", "0")], b""),
        2..8 => status(429),
        8 => status(500),
        9 => answer(200, &[("Content-Length", "99")], b"half"),
        _ => file(b"whole"),
    })
    .await;
    let migration = Migration::of(&[&host]);
    let url = host.url("/a.bin");
    let account = migration.copy(std::slice::from_ref(&url)).await;
    assert_eq!((account.copied, account.lacking()), (1, 0));
    assert_eq!(host.asked().len(), 11);
    assert_eq!(migration.contents(&url).await, b"whole");
}

#[tokio::test]
async fn what_breaks_off_each_time_has_failed_and_leaves_nothing() {
    let host = Host::new(|_| answer(200, &[("Content-Length", "99")], b"half")).await;
    let migration = Migration::of(&[&host]);
    let account = migration.copy(&[host.url("/a.bin")]).await;
    assert_eq!(failed(&account, Reason::BrokenOff), 1);
    assert_eq!(host.asked().len(), 4, "as often as patience says");
    assert!(migration.store().is_empty());
}

#[tokio::test]
async fn what_has_another_checksum_than_announced_has_failed() {
    // Of "hello".
    let host = Host::new(|asked| match asked.path.as_str() {
        "/right.bin" => answer(
            200,
            &[("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==")],
            b"hello",
        ),
        "/wrong.bin" => answer(
            200,
            &[("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==")],
            b"hallo",
        ),
        _ => {
            let digest = "SHA-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
            answer(200, &[("Digest", digest)], b"hallo")
        }
    })
    .await;
    let migration = Migration::of(&[&host]);
    let urls = ["/right.bin", "/wrong.bin", "/wrong.sha"].map(|path| host.url(path));
    let account = migration.copy(&urls).await;
    assert_eq!((account.copied, failed(&account, Reason::Checksum)), (1, 2));
    assert_eq!(migration.store().len(), 1);
}

#[tokio::test]
async fn a_page_to_sign_in_is_no_file() {
    let host = Host::new(|asked| match asked.path.as_str() {
        "/page.html" => page(),
        // Some say that a page is a picture.
        "/b.png" => answer(
            200,
            &[("Content-Type", "image/png")],
            b"\n<!doctype HTML><html>",
        ),
        _ => page(),
    })
    .await;
    let migration = Migration::of(&[&host]);
    let urls = ["/a.png", "/b.png", "/page.html"].map(|path| host.url(path));
    let account = migration.copy(&urls).await;
    assert_eq!((account.copied, failed(&account, Reason::Page)), (1, 2));
    assert_eq!(
        migration.whereabouts(&urls[0]).await,
        Whereabouts::Lacking("page-instead")
    );
    assert!(Reason::Page.advice().contains("[attachments.hosts"));
}

#[tokio::test]
async fn a_host_that_refuses_everything_is_left_alone() {
    let host = Host::new(|_| status(403)).await;
    let mut migration = Migration::of(&[&host]);
    migration.table.at_once = std::num::NonZeroU64::new(1);
    let urls: Vec<String> = (0..20)
        .map(|number| host.url(&format!("/{number}.png")))
        .collect();
    let account = migration.copy(&urls).await;
    assert_eq!(failed(&account, Reason::Denied), 3);
    let given_up = account.given_up.get(&Reason::Denied).map(|it| it.files);
    assert_eq!(given_up, Some(17));
    assert_eq!(host.asked().len(), 3);
    assert_eq!(account.lacking(), 20);
    assert_eq!(
        migration.whereabouts(&urls[19]).await,
        Whereabouts::Lacking("never-tried")
    );
}

#[tokio::test]
async fn files_that_are_gone_are_no_reason_to_leave_a_host_alone() {
    let host = Host::new(|asked| match asked.path.as_str() {
        "/last.png" => file(b"last"),
        _ => status(404),
    })
    .await;
    let mut migration = Migration::of(&[&host]);
    migration.table.at_once = std::num::NonZeroU64::new(1);
    let mut urls: Vec<String> = (0..9)
        .map(|number| host.url(&format!("/{number}.png")))
        .collect();
    urls.push(host.url("/last.png"));
    let account = migration.copy(&urls).await;
    assert_eq!((account.copied, failed(&account, Reason::NotFound)), (1, 9));

    migration.table.missing = Missing::Keep;
    assert_eq!(migration.whereabouts(&urls[0]).await, Whereabouts::Left);
}

#[tokio::test]
async fn a_file_without_an_end_does_not_fill_the_disk() {
    let host = Host::new(|asked| match asked.path.as_str() {
        // Says how large it is, or does not.
        "/a.bin" => answer(200, &[("Content-Length", "99999999")], &[0; 1_000]),
        _ => {
            let mut answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
            answer.extend_from_slice(&[0; 4_000_000]);
            answer
        }
    })
    .await;
    let mut migration = Migration::of(&[&host]);
    migration.table.largest = Some(2_000_000);
    let account = migration
        .copy(&["/a.bin", "/b.bin"].map(|path| host.url(path)))
        .await;
    assert_eq!(failed(&account, Reason::TooLarge), 2);
    assert!(migration.store().is_empty());
}

#[tokio::test]
async fn redirects_are_followed_within_reason() {
    let host = Host::new(|asked| match asked.path.as_str() {
        "/a.png" => answer(302, &[("Location", "/b/c.png?d")], b""),
        "/b/c.png?d" => file(b"there"),
        "/file" => answer(302, &[("Location", "file:///etc/passwd")], b""),
        "/inside" => answer(302, &[("Location", "http://169.254.169.254/latest")], b""),
        _ => answer(307, &[("Location", "/circle")], b""),
    })
    .await;
    let migration = Migration::of(&[&host]);
    let urls = ["/a.png", "/file", "/inside", "/circle"].map(|path| host.url(path));
    let account = migration.copy(&urls).await;
    assert_eq!(account.copied, 1);
    assert_eq!(failed(&account, Reason::Redirects), 2);
    assert_eq!(failed(&account, Reason::Inside), 1);
    assert_eq!(migration.contents(&urls[0]).await, b"there");
}

#[tokio::test]
async fn no_record_has_us_look_into_our_own_network() {
    let host = Host::of(&[("/a.png", b"secret")]).await;
    let migration = Migration::of(&[]);
    let port = host.name().split(':').nth(1).unwrap().to_owned();
    let urls = [host.url("/a.png"), format!("http://localhost:{port}/a.png")];
    let account = migration.copy(&urls).await;
    assert_eq!(failed(&account, Reason::Inside), 2);
    assert!(host.asked().is_empty());
}

#[tokio::test]
async fn hosts_may_be_left_as_they_are() {
    let host = Host::of(&[("/a.png", b"one")]).await;
    let mut migration = Migration::of(&[&host]);
    migration.table.keep = vec!["*.giphy.com".to_owned()];
    let gif = "https://media.giphy.com/a.gif".to_owned();
    let account = migration.copy(&[host.url("/a.png"), gif.clone()]).await;
    assert_eq!((account.found, account.copied, account.kept), (2, 1, 1));
    assert_eq!(migration.whereabouts(&gif).await, Whereabouts::AsWritten);
}

#[tokio::test]
async fn an_unreachable_host_has_failed() {
    let host = Host::of(&[]).await;
    let migration = Migration::of(&[&host]);
    let url = host.url("/a.png");
    drop(host);
    // Until the task that listens has ended, the port may still be open.
    tokio::task::yield_now().await;
    let (_stop, stopped) = watch::channel(false);
    let (account, _) = migration.copy_until(&[url], stopped).await;
    assert_eq!(account.lacking(), 1);
    assert!(account.adds_up());
}
