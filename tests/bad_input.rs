//! What does a person get to read who gives the program something bad?
//!
//! Each case ends in a message that names the place and the remedy, in the right exit code, and
//! never in a panic.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::io::Write;

use chatferry_tests::{Ended, Folder, Served, unlimited};
use flate2::Compression;
use flate2::write::GzEncoder;

const GOOD: &str = "{\"id\":\"u1\",\"name\":\"One\"}\n";

/// A pipeline of users out of one file, which sends to nobody unless told.
fn pipeline(folder: &Folder, source: &str, url: &str) -> String {
    let text = format!(
        "name = \"bad\"\n[cometchat]\nbase_url = \"{url}\"\napi_key = \"key\"\nrequests_per_minute = \"off\"\n\
         [sources.s]\nconnector = \"json\"\n{source}\n\
         [[flow]]\nentity = \"users\"\nfrom = \"s.records\"\n[flow.fields]\nuid = \"id\"\nname = \"name\"\n"
    );
    folder.write("pipeline.toml", text)
}

const NOBODY: &str = "http://127.0.0.1:9/v3";

/// Makes sure of the exit code, of what is said, and that nothing panicked.
#[track_caller]
fn says(ended: Ended, code: i32, words: &[&str]) {
    let ended = ended.expect(code);
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    let said = ended.said();
    for word in words {
        assert!(said.contains(word), "it lacks `{word}`: {said}");
    }
}

/// A rehearsal of a file with these contents ends so.
#[track_caller]
fn file_ends(name: &str, contents: impl AsRef<[u8]>, code: i32, words: &[&str]) {
    let folder = Folder::new();
    folder.write(name, contents);
    let pipeline = pipeline(&folder, &format!("path = \"{name}\""), NOBODY);
    says(folder.run(&["rehearse", &pipeline]), code, words);
}

/// A run over a good line and these bytes delivers the good line, rejects the other by this rule,
/// and names its place and a remedy.
#[track_caller]
fn second_line_is_rejected(line: impl AsRef<[u8]>, rule: &str) {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    folder.write(
        "users.jsonl",
        [GOOD.as_bytes(), line.as_ref(), b"\n"].concat(),
    );
    let pipeline = pipeline(&folder, "path = \"users.jsonl\"", served.url());
    says(
        folder.run(&["run", &pipeline]),
        7,
        &[rule, "chatferry failures"],
    );
    says(
        folder.run(&["status", &pipeline]),
        0,
        &[rule, "users.jsonl, line 2"],
    );
    assert_eq!(served.counts().users, 1);
}

#[test]
fn no_file() {
    let folder = Folder::new();
    let pipeline = pipeline(&folder, "path = \"nowhere.jsonl\"", NOBODY);
    says(
        folder.run(&["check", &pipeline]),
        4,
        &["nowhere.jsonl", "there is no such file", "help:"],
    );
}

#[test]
fn an_empty_file() {
    file_ends(
        "empty.jsonl",
        "",
        3,
        &["there is no column called `id`", "help:"],
    );
}

#[test]
fn a_folder_instead_of_a_file() {
    let folder = Folder::new();
    folder.write("things.jsonl/inside.txt", "");
    let pipeline = pipeline(&folder, "path = \"things.jsonl\"", NOBODY);
    says(
        folder.run(&["check", &pipeline]),
        4,
        &["things.jsonl", "it is a folder", "help:"],
    );
}

#[test]
fn a_binary_file() {
    let bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
    file_ends(
        "picture.jsonl",
        bytes,
        4,
        &["picture.jsonl", "it is a binary file", "help:"],
    );
}

#[test]
fn a_gz_that_breaks_off() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    for number in 0..20_000_u64 {
        writeln!(
            encoder,
            r#"{{"id":"u{number}","name":"N{}"}}"#,
            number * 7_919
        )
        .expect("memory");
    }
    let mut whole = encoder.finish().expect("memory");
    whole.truncate(whole.len() - 500);
    file_ends(
        "cut.jsonl.gz",
        whole,
        4,
        &["cut.jsonl.gz", "breaks off", "line ", "help:"],
    );
}

#[test]
fn a_zip_that_breaks_off() {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive
        .start_file("users.jsonl", zip::write::SimpleFileOptions::default())
        .expect("memory");
    archive
        .write_all(GOOD.repeat(1_000).as_bytes())
        .expect("memory");
    let mut whole = archive.finish().expect("memory").into_inner();
    whole.truncate(whole.len() - 40);
    let folder = Folder::new();
    folder.write("cut.zip", whole);
    let pipeline = pipeline(
        &folder,
        "root = \"cut.zip\"\npath = \"users.jsonl\"",
        NOBODY,
    );
    says(
        folder.run(&["check", &pipeline]),
        4,
        &["cut.zip", "cut off or damaged", "help:"],
    );
}

#[test]
fn one_value_over_many_lines() {
    file_ends(
        "pretty.jsonl",
        "{\n \"id\": \"u1\"\n}\n",
        4,
        &["pretty.jsonl", "line 1", "format = \"document\""],
    );
}

#[test]
fn a_line_that_is_not_utf_8() {
    second_line_is_rejected(b"{\"id\":\"u2\",\"name\":\"\xff\xfe\"}", "malformed");
}

#[test]
fn a_line_of_100_megabytes() {
    let line = format!("{{\"id\":\"u2\",\"name\":\"{}\"}}", "x".repeat(100_000_000));
    second_line_is_rejected(line, "record-too-long");
}

#[test]
fn a_number_that_is_none() {
    second_line_is_rejected(r#"{"id":"u2","name":NaN}"#, "malformed");
}

#[test]
fn ten_thousand_levels() {
    let line = format!(
        "{{\"id\":\"u2\",\"deep\":{}{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    second_line_is_rejected(line, "malformed");
}

#[test]
fn a_key_that_stands_twice() {
    second_line_is_rejected(r#"{"id":"u2","id":"u3","name":"Two"}"#, "duplicate-key");
}

#[test]
fn a_number_beyond_64_bits_keeps_its_digits() {
    const LARGE: &str = "123456789012345678901234567890";
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    folder.write(
        "users.jsonl",
        format!("{{\"id\":{LARGE},\"name\":\"One\"}}\n"),
    );
    let pipeline = pipeline(&folder, "path = \"users.jsonl\"", served.url());
    says(folder.run(&["run", &pipeline]), 0, &[]);
    assert_eq!(served.stored().users[0]["uid"], LARGE);
}

#[test]
fn no_pipeline_file() {
    says(
        Folder::new().run(&["check", "nowhere.toml"]),
        3,
        &["nowhere.toml", "no such file", "help:"],
    );
}

#[test]
fn a_binary_pipeline_file() {
    let folder = Folder::new();
    let bytes: Vec<u8> = (0..=255).collect();
    let path = folder.write("pipeline.toml", bytes);
    says(
        folder.run(&["check", &path]),
        3,
        &["pipeline.toml", "byte 128 is not UTF-8", "help:"],
    );
}

#[test]
fn an_empty_pipeline_file() {
    let folder = Folder::new();
    let path = folder.write("pipeline.toml", "");
    says(
        folder.run(&["check", &path]),
        3,
        &["`[cometchat]`", "no source", "no flow", "`name`", "help:"],
    );
}

/// A run with this ledger ends so, and sends nothing.
#[track_caller]
fn ledger_ends(ledger: &str, folder: &Folder, words: &[&str]) {
    let served = Served::new(unlimited());
    folder.write("users.jsonl", GOOD);
    let pipeline = pipeline(folder, "path = \"users.jsonl\"", served.url());
    says(
        folder.run(&["run", &pipeline, "--ledger", ledger]),
        6,
        words,
    );
    assert_eq!(served.counts().requests, 0);
}

#[test]
fn a_folder_as_the_ledger() {
    let folder = Folder::new();
    folder.write("things/inside", "");
    ledger_ends(
        &folder.file("things"),
        &folder,
        &["things", "cannot be opened", "--ledger"],
    );
}

#[test]
fn a_ledger_where_no_file_can_be() {
    let folder = Folder::new();
    let file = folder.write("file", "");
    ledger_ends(
        &format!("{file}/ledger"),
        &folder,
        &["file/ledger", "not a directory", "--ledger"],
    );
}

#[test]
fn the_database_of_another_program_as_the_ledger() {
    let folder = Folder::new();
    let path = folder.file("other.db");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        use sqlx::{ConnectOptions, Connection};
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true);
        let mut connection = options.connect().await.expect("a new database");
        sqlx::query("CREATE TABLE theirs (x)")
            .execute(&mut connection)
            .await
            .expect("a table");
        connection.close().await.expect("a file");
    });
    let before = std::fs::read(&path).expect("a file");
    ledger_ends(&path, &folder, &["other.db", "another program", "--ledger"]);
    let untouched = std::fs::read(&path).expect("a file") == before;
    assert!(untouched, "it is theirs");
}

#[test]
fn a_picture_as_the_ledger() {
    let folder = Folder::new();
    let path = folder.write("picture.png", b"\x89PNG\r\n\x1a\n".repeat(200));
    ledger_ends(&path, &folder, &["picture.png", "not a ledger", "--ledger"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let folder = Folder::new();
    // A link, since the lock stands beside the ledger and has no business among devices.
    let link = folder.path().join("full");
    std::os::unix::fs::symlink("/dev/full", &link).expect("a link can be made");
    ledger_ends(
        &folder.file("full"),
        &folder,
        &["the disk is full", "make room"],
    );
}

#[test]
fn a_ledger_before_the_first_run() {
    let folder = Folder::new();
    let pipeline = pipeline(&folder, "path = \"users.jsonl\"", NOBODY);
    says(
        folder.run(&["status", &pipeline]),
        6,
        &["pipeline.ledger", "no such file", "chatferry run"],
    );
}

#[test]
fn words_that_are_not_known() {
    let folder = Folder::new();
    folder.write("users.jsonl", GOOD);
    let pipeline = pipeline(&folder, "path = \"users.jsonl\"", NOBODY);
    let cases: [(&[&str], i32, &[&str]); 9] = [
        (
            &["preview", &pipeline, "--flow", "nope"],
            2,
            &["`nope`", "the flows are users"],
        ),
        (
            &["check", &pipeline, "--set", "cometchat.in_fligth=1"],
            3,
            &["in_fligth", "did you mean `in_flight`"],
        ),
        (
            &["check", &pipeline, "--set", "nope"],
            2,
            &["path.to.key=value"],
        ),
        (
            &["check", &pipeline, "--set", "a.b=1"],
            3,
            &["no key `a`", "its keys are"],
        ),
        (
            &["rehearse", &pipeline, "--switch", "nope=1"],
            2,
            &["no switch `nope`", "key-mismatch"],
        ),
        (
            &["rehearse", &pipeline, "--switch", "poison=x"],
            2,
            &["`poison`", "abort, record"],
        ),
        (
            &["simulate", "--fault", "nope"],
            2,
            &["`nope` is no fault", "reset-stored"],
        ),
        (
            &["simulate", "--requests-per-minute", "0"],
            2,
            &["--requests-per-minute", "`off`"],
        ),
        (&["ruin"], 2, &["ruin", "--help"]),
    ];
    for (arguments, code, words) in cases {
        says(folder.run(arguments), code, words);
    }
}
