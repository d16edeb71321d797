//! Does a new connector pass its tests before anything in it is changed?

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use xtask::connector;

/// The name of the new connector: one that is written differently in each language.
const NAME: &str = "talk-lines";
/// Where a connector is made known to the program.
const PROGRAM: [&str; 2] = ["crates/cli/Cargo.toml", "crates/cli/src/connectors.rs"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package is in the repository")
}

/// A workspace like this one, with the same crates, and without any connector.
fn workspace() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let to = |path: &str| folder.path().join(path);
    let text = |path: &str| fs::read_to_string(repository().join(path)).expect("a file");
    fs::create_dir_all(to("crates/cli/src")).expect("a folder");
    fs::create_dir_all(to("docs/connectors")).expect("a folder");
    for file in PROGRAM.into_iter().chain(["Cargo.lock", "rustfmt.toml"]) {
        fs::write(to(file), text(file)).expect("a copy");
    }
    let line = |line: &str| match line.split(" = ").next() {
        Some("members") => "members = [\"connectors/*\"]\n".to_owned(),
        Some("default-members" | "exclude") => String::new(),
        _ => format!("{line}\n"),
    };
    let manifest: String = text("Cargo.toml").lines().map(line).collect();
    fs::write(to("Cargo.toml"), manifest).expect("a copy");
    for entry in fs::read_dir(repository().join("crates")).expect("the crates") {
        let path = entry.expect("a crate").path();
        let name = path.file_name().expect("a name");
        if name != "cli" {
            symlink(&path, folder.path().join("crates").join(name)).expect("a link");
        }
    }
    folder
}

/// Where this test was built, which is where other things are.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a program");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("it is in `target/debug/deps`");
    profile.parent().expect("it is in `target`").to_owned()
}

fn cargo(folder: &Path, arguments: &[&str]) {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let ended = Command::new(cargo)
        .args(arguments)
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target())
        .output()
        .expect("cargo can be run");
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(ended.status.success(), "cargo {arguments:?}:\n{said}");
}

#[test]
fn a_new_connector_passes_its_tests_untouched() {
    let folder = workspace();
    connector::new(folder.path(), NAME).expect("a new connector");

    cargo(
        folder.path(),
        &["fmt", "--package", "chatferry-talk-lines", "--check"],
    );
    cargo(
        folder.path(),
        &["test", "--offline", "--package", "chatferry-talk-lines"],
    );
}

#[test]
fn a_new_connector_is_two_lines_outside_its_own_folder() {
    let folder = workspace();
    connector::new(folder.path(), NAME).expect("a new connector");

    for (file, added) in PROGRAM.into_iter().zip([
        "chatferry-talk-lines = { path = \"../../connectors/talk-lines\" }",
        "    chatferry_talk_lines::register(&mut connectors);",
    ]) {
        let before = fs::read_to_string(repository().join(file)).expect("a file");
        let after = fs::read_to_string(folder.path().join(file)).expect("a file");
        let without: Vec<&str> = after.lines().filter(|line| *line != added).collect();
        assert_eq!(without, before.lines().collect::<Vec<_>>(), "{file}");
        assert_eq!(after.lines().count(), before.lines().count() + 1, "{file}");
    }
}

#[test]
fn nothing_is_written_over() {
    let folder = workspace();
    connector::new(folder.path(), NAME).expect("a new connector");
    let again = connector::new(folder.path(), NAME).expect_err("it is there");
    assert!(again.contains("is there already"), "{again}");
}
