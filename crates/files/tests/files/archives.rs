//! Zip and tar archives: read as they lie there, without being unpacked.

use proptest::prelude::*;

use crate::workshop::{PACKERS, Workshop, gz, tar, zip, zip_with};

const MEMBERS: [(&str, &[u8]); 6] = [
    ("rooms/b/2.json", b"two"),
    ("rooms/a/1.json", b"one"),
    ("rooms/a/.hidden.json", b"no"),
    ("__MACOSX/rooms/a/1.json", b"no"),
    ("empty.json", b""),
    ("\u{30c1}\u{30e3}\u{30cd}\u{30eb}.json", b"katakana"),
];

/// The same members in each kind of archive.
fn archives(members: &[(&str, &[u8])]) -> Vec<(String, Vec<u8>)> {
    let tar = tar(members);
    let mut archives = vec![("a.zip".to_owned(), zip(members))];
    for (ending, pack) in PACKERS {
        archives.push((format!("a.tar.{ending}"), pack(&tar)));
    }
    archives.push(("a.tgz".to_owned(), gz(&tar)));
    archives.push(("A.TAR".to_owned(), tar));
    archives
}

/// The lines of a text, sorted.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn members_are_found_by_pattern_in_every_kind_of_archive() {
    for (name, contents) in archives(&MEMBERS) {
        let workshop = Workshop::with(&name, contents);
        assert_eq!(
            sorted(&workshop.shown(&name, "rooms/{room}/{number}.json")),
            [
                r#"rooms/a/1.json ["a", "1"]: "one""#,
                r#"rooms/b/2.json ["b", "2"]: "two""#
            ],
            "{name}"
        );
        assert_eq!(workshop.shown(&name, "empty.json"), "empty.json: \"\"\n");
        assert_eq!(
            workshop.root(&name).names().unwrap(),
            ["empty.json", "\u{30c1}\u{30e3}\u{30cd}\u{30eb}.json"]
        );
    }
}

#[test]
fn members_of_a_compressed_tar_are_read_in_the_order_in_which_they_stand() {
    let workshop = Workshop::with("a.tar.gz", gz(&tar(&MEMBERS)));
    assert_eq!(
        workshop.shown("a.tar.gz", "rooms/**/*.json"),
        "rooms/b/2.json: \"two\"\nrooms/a/1.json: \"one\"\n"
    );
    let workshop = Workshop::with("a.tar", tar(&MEMBERS));
    assert_eq!(
        workshop.shown("a.tar", "rooms/**/*.json"),
        "rooms/a/1.json: \"one\"\nrooms/b/2.json: \"two\"\n"
    );
}

#[test]
fn a_compressed_file_in_an_archive_is_decompressed() {
    for (ending, pack) in PACKERS {
        let (name, packed) = (format!("x/a.jsonl.{ending}"), pack(b"{}\n"));
        for (archive, contents) in archives(&[(&name, &packed)]) {
            let workshop = Workshop::with(&archive, contents);
            let shown = workshop.shown(&archive, "x/*");
            assert_eq!(shown, format!("{name}: \"{{}}\\n\"\n"), "{archive}");
        }
    }
}

#[test]
fn names_never_lead_out_of_their_archive() {
    let members: [(&str, &[u8]); 6] = [
        ("../../etc/passwd", b"climbs"),
        ("/absolute.json", b"absolute"),
        ("C:/drive.json", b"drive"),
        ("./dot/./a.json", b"dot"),
        ("x/../../up.json", b"up"),
        ("back\\slash.json", b"backslash"),
    ];
    for (name, contents) in archives(&members) {
        let workshop = Workshop::with(&name, contents);
        assert_eq!(
            sorted(&workshop.shown(&name, "**")),
            [
                "absolute.json: \"absolute\"",
                "back\\slash.json: \"backslash\"",
                "dot/a.json: \"dot\"",
                "drive.json: \"drive\"",
                "etc/passwd: \"climbs\"",
                "up.json: \"up\"",
            ],
            "{name}"
        );
    }
}

#[test]
fn backslashes_are_folders_where_windows_wrote_them() {
    let dos = zip::write::SimpleFileOptions::default().system(zip::System::Dos);
    let workshop = Workshop::with("a.zip", zip_with(&[("rooms\\a.json", b"one")], dos));
    assert_eq!(
        workshop.shown("a.zip", "rooms/*.json"),
        "rooms/a.json: \"one\"\n"
    );
}

#[test]
fn a_member_of_a_tar_that_comes_again_replaces_the_first() {
    let archive = tar(&[("a.json", b"old"), ("b.json", b"b"), ("a.json", b"new")]);
    for (name, contents) in [("a.tar.gz", gz(&archive)), ("a.tar", archive)] {
        let workshop = Workshop::with(name, contents);
        assert_eq!(
            sorted(&workshop.shown(name, "*.json")),
            ["a.json: \"new\"", "b.json: \"b\""]
        );
    }
}

#[test]
fn hard_links_of_a_tar_are_followed_and_other_links_are_not() {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(3);
    archive
        .append_data(&mut header, "a.json", &b"one"[..])
        .unwrap();
    let mut link = |kind, name, to| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        archive.append_link(&mut header, name, to).unwrap();
    };
    link(tar::EntryType::Link, "hard.json", "a.json");
    link(tar::EntryType::Symlink, "soft.json", "a.json");
    let workshop = Workshop::with("a.tgz", gz(&archive.into_inner().unwrap()));
    assert_eq!(
        workshop.shown("a.tgz", "*.json"),
        "a.json: \"one\"\nhard.json: \"one\"\n"
    );
}

#[test]
fn long_names_are_kept_whole() {
    let long = format!("{}/a.json", "x".repeat(180));
    for (name, contents) in archives(&[(&long, b"one")]) {
        let workshop = Workshop::with(&name, contents);
        assert_eq!(workshop.shown(&name, "{room}/a.json"), {
            let room = "x".repeat(180);
            format!("{long} [{room:?}]: \"one\"\n")
        });
    }
}

#[test]
fn an_archive_that_cannot_be_opened_is_an_error_with_advice() {
    let whole = zip(&MEMBERS);
    let archive = tar(&MEMBERS);
    let cases: [(&str, Vec<u8>); 7] = [
        ("cut.zip", whole[..whole.len() - 30].to_vec()),
        ("empty.zip", Vec::new()),
        ("text.tar", b"no archive at all ".repeat(100)),
        ("short.tar", b"no archive".to_vec()),
        ("plain.tar.gz", archive),
        ("text.tar.gz", gz(&b"no archive at all ".repeat(100))),
        ("messages.jsonl", b"{}\n".repeat(10)),
    ];
    let mut text = String::new();
    for (name, contents) in cases {
        let workshop = Workshop::with(name, contents);
        text.push_str(&workshop.shown(name, "**"));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_tar_that_breaks_off_gives_what_came_before_and_then_says_so() {
    let long = "x".repeat(100_000);
    let members: [(&str, &[u8]); 3] = [
        ("a.json", b"one"),
        ("b.json", long.as_bytes()),
        ("c.json", b"three"),
    ];
    let whole = tar(&members);
    let cuts = [
        ("within a member", 50_000),
        ("behind a member", 1024),
        ("before the end mark", whole.len() - 1024),
    ];
    let mut text = String::new();
    for (title, cut) in cuts {
        let plain = Workshop::with("a.tar", &whole[..cut]);
        let packed = Workshop::with("a.tar.gz", gz(&whole[..cut]));
        text.push_str(&format!("== {title}\n{}", plain.shown("a.tar", "*.json")));
        text.push_str(&format!(
            "-- packed\n{}",
            packed.shown("a.tar.gz", "*.json")
        ));
    }
    let packed = gz(&whole);
    let workshop = Workshop::with("a.tar.gz", &packed[..packed.len() / 2]);
    text.push_str("== packed, then cut\n");
    text.push_str(&workshop.shown("a.tar.gz", "*.json"));
    text.push_str("-- a file that is there in full\n");
    text.push_str(&workshop.shown("a.tar.gz", "a.json"));
    insta::assert_snapshot!(text);
}

#[test]
fn a_member_that_cannot_be_taken_out_is_named_with_what_to_do() {
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut wrong_sum = zip_with(&[("a.json", b"{\"id\":1}")], stored);
    let at = wrong_sum
        .windows(4)
        .position(|four| four == b"\"id\"")
        .unwrap();
    wrong_sum[at + 1] ^= 1;
    // The bit that says "encrypted", in both headers.
    let mut encrypted = zip(&[("a.json", b"{}")]);
    // The method that Windows uses for large files.
    let mut foreign = zip(&[("a.json", b"{}")]);
    let central = foreign
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    encrypted[6] |= 1;
    encrypted[central + 8] |= 1;
    foreign[8] = 9;
    foreign[central + 10] = 9;
    let damaged = |mut packed: Vec<u8>| {
        let at = packed.len() / 2;
        packed[at] ^= 0x55;
        packed
    };
    let text: String = (0..2_000).map(|n| format!("{{\"id\":{n}}}\n")).collect();
    let mut shown = String::new();
    for (title, contents) in [
        ("wrong sum", wrong_sum),
        ("encrypted", encrypted),
        ("deflate64", foreign),
        ("damaged", damaged(zip(&[("a.json", text.as_bytes())]))),
    ] {
        let workshop = Workshop::with("a.zip", contents);
        shown.push_str(&format!("== {title}\n{}", workshop.shown("a.zip", "*")));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn two_members_of_one_name_are_refused_in_a_zip() {
    let mut contents = zip(&[("a.json", b"one"), ("b.json", b"two")]);
    // What no tool makes on purpose: the second is renamed where it stands.
    for at in 0..contents.len() - 6 {
        if &contents[at..at + 6] == b"b.json" {
            contents[at] = b'a';
        }
    }
    let workshop = Workshop::with("a.zip", contents);
    insta::assert_snapshot!(workshop.shown("a.zip", "*"));
}

#[test]
fn an_archive_that_changes_is_looked_through_again() {
    let workshop = Workshop::with("a.zip", zip(&[("a.json", b"one")]));
    let root = workshop.root("a.zip");
    let listing = root.list(&crate::workshop::template("*")).unwrap();
    assert_eq!(listing, root.list(&crate::workshop::template("*")).unwrap());
    assert!(!listing.files[0].has_changed());
    workshop.write("a.zip", zip(&[("a.json", b"changed"), ("b.json", b"two")]));
    assert!(listing.files[0].has_changed());
    assert_ne!(listing, root.list(&crate::workshop::template("*")).unwrap());
    assert_eq!(
        crate::workshop::shown(&root, "*"),
        "a.json: \"changed\"\nb.json: \"two\"\n"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_archive_gives_the_bytes_that_were_put_into_it(
        contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3_000), 1..8),
        order in any::<prop::sample::Index>(),
    ) {
        // Bytes that look like something else are refused, and that is another test.
        let contents: Vec<Vec<u8>> = contents.into_iter().map(|bytes| [b"=".to_vec(), bytes].concat()).collect();
        let names: Vec<String> = (0..contents.len()).map(|n| format!("{n}.bin")).collect();
        let members: Vec<(&str, &[u8])> = names.iter().map(String::as_str).zip(contents.iter().map(Vec::as_slice)).collect();
        for (name, archive) in archives(&members) {
            let workshop = Workshop::with(&name, archive);
            let root = workshop.root(&name);
            let listing = root.list(&crate::workshop::template("{n}.bin")).unwrap();
            prop_assert_eq!(listing.files.len(), contents.len());
            // In order, and then one of them again, which may mean going back.
            let again = order.get(&listing.files);
            let mut opener = root.opener().unwrap();
            for file in listing.files.iter().chain([again]) {
                let (bytes, failure) = crate::workshop::bytes_read(opener.open(file).unwrap(), file);
                prop_assert!(failure.is_none(), "{:?}", failure);
                let number: usize = file.parts[0].parse().unwrap();
                prop_assert_eq!(&bytes, &contents[number]);
            }
        }
    }

    #[test]
    fn a_damaged_archive_never_panics_and_never_passes_for_whole(
        at in any::<prop::sample::Index>(),
        cut in any::<bool>(),
        kind in 0_usize..7,
    ) {
        let text: String = (0..300).map(|n| format!("{{\"id\":{n}}}\n")).collect();
        let members = [("a.json", text.as_bytes()), ("b.json", b"two".as_slice())];
        let (name, mut contents) = archives(&members).swap_remove(kind);
        let workshop = Workshop::with(&name, &contents);
        let whole = workshop.shown(&name, "**");
        let at = at.index(contents.len());
        if cut {
            contents.truncate(at);
        } else {
            contents[at] ^= 0x20;
        }
        workshop.write(&name, &contents);
        let damaged = workshop.shown(&name, "**");
        // A change of a plain tar's contents cannot be noticed: it has no sums.
        if cut && at < contents.len().saturating_sub(1024) {
            prop_assert!(damaged != whole);
        }
    }
}
