//! Object stores: a server that speaks S3.

use chatferry_core::Secret;
use chatferry_core::source::SourceErrorKind;
use chatferry_files::{Address, Root};
use chatferry_testkit::reading::error_shown;
use chatferry_testkit::servers::{self, Bucket, PASSWORD, S3};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::proxy::{Fault, Faults, Proxy};
use crate::workshop::{bytes, bytes_read, gz, shown, tar, template, zip};

/// The root of that address at the server, reached by that host.
fn root_by(server: &S3, host: &str, address: &str) -> Root {
    let settings = server.settings().map(|(name, value)| {
        let value = match name {
            "endpoint" => format!("http://{host}"),
            _ => value,
        };
        (name.to_owned(), Secret::Value(value))
    });
    let address = Address::parse(address, "/".as_ref()).unwrap();
    Root::open(&address.with_storage(settings)).unwrap()
}

fn root(server: &S3, address: &str) -> Root {
    root_by(server, server.host(), address)
}

fn s3(bucket: &Bucket, below: &str) -> String {
    format!("s3://{}{below}", bucket.name())
}

/// A text without the name of the bucket.
fn nameless(text: &str, bucket: &str) -> String {
    assert!(!text.contains(PASSWORD), "no secret is in a message");
    text.replace(bucket, "BUCKET")
}

/// Bytes of which no two parts are alike.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0] | 0x80
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[tokio::test]
async fn objects_are_found_as_files_in_a_folder_are() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    for (name, contents) in [
        ("rooms/b/2.json", "two"),
        ("rooms/a/1.json", "one"),
        ("rooms/a/.hidden.json", "no"),
        ("rooms/a b/\u{30c1}+%25.json", "odd"),
        ("rooms.json", "rooms"),
        ("empty.json", ""),
    ] {
        bucket.put(name, contents).await;
    }
    let all = root(server, &s3(&bucket, ""));
    assert_eq!(
        shown(&all, "rooms/{room}/{number}.json"),
        "rooms/a b/\u{30c1}+%25.json [\"a b\", \"\u{30c1}+%25\"]: \"odd\"\n\
         rooms/a/1.json [\"a\", \"1\"]: \"one\"\n\
         rooms/b/2.json [\"b\", \"2\"]: \"two\"\n"
    );
    assert_eq!(shown(&all, "empty.json"), "empty.json: \"\"\n");
    assert_eq!(all.names().unwrap(), ["empty.json", "rooms.json"]);
    let below = root(server, &s3(&bucket, "/rooms/"));
    assert_eq!(shown(&below, "*/1.json"), "a/1.json: \"one\"\n");
    assert_eq!(shown(&below, "a/1.json"), "a/1.json: \"one\"\n");
    let text = shown(&all, "none.json") + &shown(&all, "none/*.json");
    insta::assert_snapshot!(nameless(&text, bucket.name()));
}

#[tokio::test]
async fn archives_and_compressed_files_are_read_where_they_lie() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    let long = noise(3_000_000);
    let members: [(&str, &[u8]); 3] = [("a.json", b"one"), ("long.bin", &long), ("z.json", b"two")];
    bucket.put("a.jsonl.gz", gz(b"{}\n")).await;
    bucket.put("a.zip", zip(&members)).await;
    bucket.put("a.tar", tar(&members)).await;
    bucket.put("a.tar.gz", gz(&tar(&members))).await;
    let all = root(server, &s3(&bucket, ""));
    assert_eq!(bytes(&all, "a.jsonl.gz"), b"{}\n");
    for archive in ["/a.zip", "/a.tar", "/a.tar.gz"] {
        let root = root(server, &s3(&bucket, archive));
        assert_eq!(
            shown(&root, "*"),
            "a.json: \"one\"\nlong.bin: 3000000 bytes\nz.json: \"two\"\n",
            "{archive}"
        );
        assert!(bytes(&root, "long.bin") == long, "{archive}");
    }
}

#[tokio::test]
async fn a_zip_is_not_fetched_for_one_of_its_members() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    let long = noise(20_000_000);
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let members: [(&str, &[u8]); 2] = [("long.bin", &long), ("z.json", b"two")];
    bucket
        .put("a.zip", crate::workshop::zip_with(&members, stored))
        .await;
    let proxy = Proxy::to(server.host(), |_, _| Fault::None);
    let root = root_by(server, proxy.host(), &s3(&bucket, "/a.zip"));
    assert_eq!(bytes(&root, "z.json"), b"two");
    let requests = proxy.requests();
    assert!(requests.len() < 12, "{requests:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_from_the_byte_that_it_reached() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    let long = noise(9_000_000);
    bucket.put("long.bin", long.clone()).await;
    // Two of three answers break off, each at another place, one of them at once.
    let proxy = Proxy::to(server.host(), |number, head| {
        match (head.starts_with("GET"), number % 3) {
            (true, 0) => Fault::Cut(number * 54_321),
            (true, 1) => Fault::Cut(0),
            _ => Fault::None,
        }
    });
    let root = root_by(server, proxy.host(), &s3(&bucket, ""));
    assert!(bytes(&root, "long.bin") == long);
    let requests = proxy.requests();
    let parts = requests
        .iter()
        .filter_map(|request| request.strip_prefix("GET ")?.split_once('-'));
    let parts: Vec<(&str, &str)> = parts.collect();
    // To the same end, from further on.
    let goes_on = |(from, to): &(&str, &str)| parts.iter().any(|(a, b)| b == to && a != from);
    let went_on = parts.iter().any(goes_on);
    assert!(went_on, "{requests:?}");
}

#[tokio::test]
async fn ranges_are_read_as_they_stand_and_near_ones_together() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    let long = noise(6_000_000);
    bucket.put("long.bin", long.clone()).await;
    bucket.put("long.bin.gz", gz(&long)).await;
    let proxy = Proxy::to(server.host(), |_, _| Fault::None);
    let root = root_by(server, proxy.host(), &s3(&bucket, ""));
    let listing = root.list(&template("long.bin*")).unwrap();
    let [plain, packed] = listing.files.as_slice() else {
        panic!("two files")
    };
    let plain = root.ranges(plain).unwrap();
    let packed = root.ranges(packed).unwrap();
    let before = proxy.requests().len();
    let near = [
        10..20,
        500_000..500_007,
        900_000..900_000,
        5_000_000..6_000_000,
    ];
    let read = plain.read_all(&near).unwrap();
    for (range, bytes) in near.iter().zip(read) {
        let (from, to) = (
            range.start.try_into().unwrap(),
            range.end.try_into().unwrap(),
        );
        assert!(bytes == long[from..to], "{range:?}");
    }
    let requests = proxy.requests().split_off(before);
    assert_eq!(requests.len(), 2, "{requests:?}");

    let ranges = prop::collection::vec((0_usize..6_000_000, 0_usize..3_000), 0..4);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(12));
    runner
        .run(&ranges, |ranges| {
            let ranges: Vec<_> = ranges
                .into_iter()
                .map(|(from, length)| from..(from + length).min(long.len()))
                .collect();
            let asked: Vec<_> = ranges
                .iter()
                .map(|r| r.start as u64..r.end as u64)
                .collect();
            for file in [&plain, &packed] {
                let read = file.read_all(&asked).unwrap();
                for (range, bytes) in ranges.iter().zip(read) {
                    prop_assert!(bytes == long[range.clone()]);
                }
            }
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn an_object_that_changes_is_noticed() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    bucket.put("a.jsonl", "{\"id\":1}\n").await;
    let root = root(server, &s3(&bucket, ""));
    let listing = root.list(&template("*.jsonl")).unwrap();
    assert_eq!(listing, root.list(&template("*.jsonl")).unwrap());
    let ranges = root.ranges(&listing.files[0]).unwrap();
    // As long as before.
    bucket.put("a.jsonl", "{\"id\":2}\n").await;
    assert_ne!(listing, root.list(&template("*.jsonl")).unwrap());
    let mut opener = root.opener().unwrap();
    let input = opener.open(&listing.files[0]);
    let error = match input {
        Ok(input) => bytes_read(input, &listing.files[0]).1.unwrap().0,
        Err(error) => error,
    };
    assert_eq!(error.kind, SourceErrorKind::Changed);
    let error = ranges.read(0..4).unwrap_err();
    assert_eq!(error.kind, SourceErrorKind::Changed);
    insta::assert_snapshot!(error_shown(&error));
}

#[tokio::test]
async fn what_a_store_refuses_is_told_with_what_to_do() {
    let server = servers::s3().await;
    let bucket = server.bucket().await;
    bucket.put("a.jsonl", "{}\n").await;
    let mut text = String::new();
    let missing = root(server, "s3://no-such-bucket");
    for path in ["*.jsonl", "a.jsonl"] {
        text.push_str(&format!("== no bucket, {path}\n{}", shown(&missing, path)));
    }
    let archive = root(server, &s3(&bucket, "/none.zip"));
    text.push_str(&format!("== no archive\n{}", shown(&archive, "*")));
    // What Amazon says, since this server knows neither regions nor rights nor clocks.
    let answers: [(&str, Faults); 6] = [
        ("another region", |_, _| {
            Fault::Answer(
                "HTTP/1.1 301 Moved Permanently\r\nConnection: close\r\n\
                 x-amz-bucket-region: eu-central-1\r\n\r\n<Error><Code>PermanentRedirect</Code>\
                 </Error>",
            )
        }),
        ("another region, by its signature", |_, _| {
            Fault::Answer(
                "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<Error>\
                 <Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region></Error>",
            )
        }),
        ("no right", |_, _| {
            Fault::Answer(
                "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<Error>\
                 <Code>AccessDenied</Code></Error>",
            )
        }),
        ("unknown key", |_, _| {
            Fault::Answer(
                "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<Error>\
                 <Code>InvalidAccessKeyId</Code></Error>",
            )
        }),
        ("expired", |_, _| {
            Fault::Answer(
                "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<Error>\
                 <Code>ExpiredToken</Code></Error>",
            )
        }),
        ("out of order", |_, _| {
            Fault::Answer(
                "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n<Error>\
                 <Code>ServiceUnavailable</Code></Error>",
            )
        }),
    ];
    for (title, answer) in answers {
        let proxy = Proxy::to(server.host(), answer);
        let root = root_by(server, proxy.host(), &s3(&bucket, ""));
        text.push_str(&format!("== {title}\n{}", shown(&root, "*.jsonl")));
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let root = root_by(server, &host, &s3(&bucket, ""));
    text.push_str(&format!("== nobody there\n{}", shown(&root, "*.jsonl")));
    insta::assert_snapshot!(nameless(&text, bucket.name()));
}

#[tokio::test]
async fn a_server_that_asks_who_one_is_refuses_strangers() {
    let server = S3::strict_after(2).await;
    let bucket = server.bucket().await;
    bucket.put("a.jsonl", "{}\n").await;
    let root = root(&server, &s3(&bucket, ""));
    insta::assert_snapshot!(nameless(&shown(&root, "*.jsonl"), bucket.name()));
}

#[tokio::test]
async fn a_server_that_goes_away_ends_reading_with_advice() {
    let server = S3::own().await;
    let bucket = server.bucket().await;
    bucket.put("a.jsonl", noise(1_000)).await;
    let root = root(&server, &s3(&bucket, ""));
    server.stop().await;
    let text = shown(&root, "a.jsonl");
    insta::assert_snapshot!(nameless(&text, bucket.name()));
}
