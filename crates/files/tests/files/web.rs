//! Files on web servers.

use chatferry_files::{Address, Rest, Root, Template};
use chatferry_testkit::servers::{self, Bucket, S3};

use crate::proxy::{Fault, Proxy};
use crate::workshop::{bytes, gz, shown, tar, zip};

/// Where a file of the bucket is on the web, by that host: where its path begins, and the rest.
async fn web(server: &S3, bucket: &Bucket, name: &str, host: &str) -> (Address, Template) {
    let url = bucket.signed_url(name).await.replace(server.host(), host);
    let (address, rest) = Address::split(&url).unwrap().unwrap();
    let Rest::Literal(rest) = rest else {
        panic!("nothing in a web address is a wildcard")
    };
    (address, Template::literal(&rest))
}

/// What a person sees of a file on the web.
async fn seen(server: &S3, bucket: &Bucket, name: &str, host: &str) -> String {
    let (address, template) = web(server, bucket, name, host).await;
    let root = Root::open(&address).unwrap();
    let text = crate::workshop::shown_by(&root, &template);
    assert!(
        !text.contains("Signature"),
        "no signature is in a message: {text}"
    );
    text.replace(bucket.name(), "BUCKET").replace(host, "HOST")
}

#[tokio::test]
async fn a_file_is_read_by_its_address() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    bucket.put("a b/x.jsonl", "{}\n").await;
    bucket.put("a b/x.jsonl.gz", gz(b"{}\n")).await;
    bucket.put("empty.jsonl", "").await;
    let mut text = String::new();
    for name in ["a b/x.jsonl", "a b/x.jsonl.gz", "empty.jsonl", "none.jsonl"] {
        text.push_str(&seen(server, &bucket, name, server.host()).await);
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn an_address_that_is_only_good_for_reading_is_not_asked_about() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    bucket.put("x.jsonl", "{}\n").await;
    let proxy = Proxy::to(server.host(), |_, head| match head.starts_with("HEAD") {
        true => Fault::Answer("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n"),
        false => Fault::None,
    });
    assert_eq!(
        seen(server, &bucket, "x.jsonl", proxy.host()).await,
        "BUCKET/x.jsonl: \"{}\\n\"\n"
    );
}

#[tokio::test]
async fn a_server_that_gives_no_parts_is_read_from_the_beginning_again() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    let long: Vec<u8> = (0..400_000_u32)
        .flat_map(u32::to_be_bytes)
        .map(|byte| byte | 0x80)
        .collect();
    bucket.put("long.bin", long.clone()).await;
    let proxy = Proxy::to(server.host(), |number, head| {
        match head.starts_with("HEAD") {
            true => Fault::None,
            // The first is asked for a part, and gives all; the next ones break off.
            false if (2..4).contains(&number) => Fault::CutWhole(number * 300_000),
            false => Fault::Whole,
        }
    });
    let (address, template) = web(server, &bucket, "long.bin", proxy.host()).await;
    let root = Root::open(&address).unwrap();
    let listing = root.list(&template).unwrap();
    let mut opener = root.opener().unwrap();
    let input = opener.open(&listing.files[0]).unwrap();
    let (read, failure) = crate::workshop::bytes_read(input, &listing.files[0]);
    assert!(failure.is_none(), "{failure:?} {:?}", proxy.requests());
    assert!(read == long);
    let parts = root.ranges(&listing.files[0]).unwrap();
    assert!(parts.read(1_000_000..1_000_100).unwrap() == long[1_000_000..1_000_100]);
}

#[tokio::test]
async fn archives_on_the_web_are_read_where_they_lie_if_that_can_be() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    bucket.put("a.zip", zip(&[("a.json", b"one")])).await;
    bucket.put("a.tgz", gz(&tar(&[("a.json", b"one")]))).await;
    let whole = Proxy::to(server.host(), |_, _| Fault::Whole);
    let mut text = String::new();
    for host in [server.host(), whole.host()] {
        for archive in ["a.zip", "a.tgz"] {
            let url = bucket
                .signed_url(archive)
                .await
                .replace(server.host(), host);
            let address = Address::parse(&url, "/".as_ref()).unwrap();
            let root = Root::open(&address).unwrap();
            text.push_str(&shown(&root, "*.json"));
        }
    }
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn a_web_server_does_not_tell_what_it_has() {
    let address = Address::parse("https://me:hunter2@host.invalid/logs", "/".as_ref()).unwrap();
    let root = Root::open(&address).unwrap();
    insta::assert_snapshot!(shown(&root, "*.jsonl"));
    assert_eq!(format!("{root:?}").find("hunter2"), None);
}

#[tokio::test]
async fn a_server_that_does_not_allow_it_is_told_from_one_that_has_it_not() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    bucket.put("x.jsonl", "{}\n").await;
    let address = format!("http://{}/{}/", server.host(), bucket.name());
    let root = Root::open(&Address::parse(&address, "/".as_ref()).unwrap()).unwrap();
    let text = shown(&root, "x.jsonl");
    insta::assert_snapshot!(
        text.replace(bucket.name(), "BUCKET")
            .replace(server.host(), "HOST")
    );
    let plain = bytes_of(server, &bucket).await;
    assert_eq!(plain, b"{}\n");
}

async fn bytes_of(server: &S3, bucket: &Bucket) -> Vec<u8> {
    let (address, _) = web(server, bucket, "x.jsonl", server.host()).await;
    let root = Root::open(&address).unwrap();
    bytes(&root, &format!("{}/x.jsonl", bucket.name()))
}
