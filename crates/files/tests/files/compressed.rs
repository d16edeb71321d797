//! Compressed files.

use crate::workshop::{PACKERS, Workshop, bytes, gz};

/// Some text that takes more than one block of any kind.
fn text() -> Vec<u8> {
    let lines = (0..60_000_u64).map(|n| format!("{{\"id\":{}}}\n", n.wrapping_mul(0x9e37_79b9)));
    lines.collect::<String>().into_bytes()
}

#[test]
fn every_ending_is_decompressed_in_whatever_case() {
    let text = text();
    for (ending, pack) in PACKERS {
        for name in [
            format!("a.jsonl.{ending}"),
            format!("A.JSONL.{ending}").to_uppercase(),
        ] {
            let workshop = Workshop::with(&name, pack(&text));
            assert!(bytes(&workshop.root("."), &name) == text, "{name}");
        }
    }
}

#[test]
fn streams_that_stand_one_behind_the_other_are_read_to_the_last() {
    for (ending, pack) in PACKERS {
        let name = format!("a.jsonl.{ending}");
        let packed = [pack(b"one\n"), pack(b""), pack(b"two\n"), pack(b"three\n")].concat();
        let workshop = Workshop::with(&name, packed);
        assert_eq!(
            bytes(&workshop.root("."), &name),
            b"one\ntwo\nthree\n",
            "{name}"
        );
    }
}

#[test]
fn what_breaks_off_or_is_damaged_gives_what_came_before() {
    let text = text();
    let mut shown = String::new();
    for (ending, pack) in PACKERS {
        let name = format!("a.jsonl.{ending}");
        let whole = pack(&text);
        let mut wrong = whole.clone();
        let middle = wrong.len() * 3 / 4;
        wrong[middle] ^= 0x10;
        let mut trailing = whole.clone();
        trailing.extend(b"something else");
        let cases = [
            ("cut", &whole[..whole.len() / 2]),
            ("cut at the very end", &whole[..whole.len() - 1]),
            ("wrong", &wrong),
            ("something behind it", &trailing),
        ];
        for (title, contents) in cases {
            let workshop = Workshop::with(&name, contents);
            let root = workshop.root(".");
            let listing = root.list(&crate::workshop::template(&name)).unwrap();
            let mut opener = root.opener().unwrap();
            let input = opener.open(&listing.files[0]).unwrap();
            let (read, failure) = crate::workshop::bytes_read(input, &listing.files[0]);
            let (error, damaged) = failure.expect("it is noticed");
            assert!(damaged, "{name}, {title}");
            // How much came before depends on how each kind is cut into blocks.
            assert!(read.len() <= text.len() && text.starts_with(&read) || title == "wrong");
            shown.push_str(&format!("{name}, {title}: {}\n", error.reason));
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn what_is_not_what_its_name_says_is_refused_with_advice() {
    let cases: [(&str, Vec<u8>); 8] = [
        ("a.gz", b"{}\n".to_vec()),
        ("empty.zst", Vec::new()),
        ("gz.jsonl", gz(b"{}")),
        ("zst.jsonl", crate::workshop::zst(b"{}")),
        ("bz2.jsonl", crate::workshop::bz2(b"{}")),
        ("xz.jsonl", crate::workshop::xz(b"{}")),
        ("zip.jsonl", crate::workshop::zip(&[("a", b"{}")])),
        ("tar.jsonl", crate::workshop::tar(&[("a", b"{}")])),
    ];
    let mut shown = String::new();
    for (name, contents) in cases {
        shown.push_str(&Workshop::with(name, contents).shown(".", name));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn text_that_only_begins_like_something_compressed_is_text() {
    for contents in ["BZh9 is a name\n", "PK,name\n", "Rar!\n", "7z\n"] {
        let workshop = Workshop::with("a.csv", contents);
        assert_eq!(bytes(&workshop.root("."), "a.csv"), contents.as_bytes());
    }
}
