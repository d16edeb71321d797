//! Does the workspace keep the promises of its structure?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, MetadataCommand};
use chatferry_tests::repository;

/// Lines that a file of ours may have.
const LONGEST: usize = 700;

/// The packages of the workspace: where each is, and on which of ours it depends. What only its own
/// tests need does not count.
struct Packages(BTreeMap<String, (PathBuf, Vec<String>)>);

impl Packages {
    fn read() -> Self {
        let metadata = MetadataCommand::new()
            .manifest_path(repository().join("Cargo.toml"))
            .no_deps()
            .other_options(["--offline".to_owned()])
            .exec()
            .expect("cargo describes the workspace");
        let is_ours = |name: &str| {
            metadata
                .packages
                .iter()
                .any(|package| *package.name == name)
        };
        let packages = metadata.packages.iter().map(|package| {
            let needed = package
                .dependencies
                .iter()
                .filter(|needed| needed.kind != DependencyKind::Development);
            let ours = needed
                .map(|needed| needed.name.clone())
                .filter(|name| is_ours(name))
                .collect();
            let folder = package
                .manifest_path
                .parent()
                .expect("a manifest is in a folder");
            (
                package.name.to_string(),
                (folder.as_std_path().to_owned(), ours),
            )
        });
        Self(packages.collect())
    }

    fn needs(&self, name: &str) -> &[String] {
        &self
            .0
            .get(name)
            .unwrap_or_else(|| panic!("there is no {name}"))
            .1
    }

    fn connectors(&self) -> Vec<(&str, &Path)> {
        let below = repository().join("connectors");
        let all = self
            .0
            .iter()
            .filter(|(_, (folder, _))| folder.starts_with(&below));
        all.map(|(name, (folder, _))| (name.as_str(), folder.as_path()))
            .collect()
    }
}

/// The Rust files below a folder of the repository, each with its path and its text.
fn sources(below: &str) -> Vec<(String, String)> {
    fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                gather(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    gather(&repository().join(below), &mut found);
    let name = |path: &Path| {
        path.strip_prefix(repository())
            .expect("it is in there")
            .display()
            .to_string()
    };
    found
        .into_iter()
        .map(|path| (name(&path), std::fs::read_to_string(&path).expect("text")))
        .collect()
}

/// All sources of crates and connectors.
fn ours() -> Vec<(String, String)> {
    ["crates", "connectors"]
        .into_iter()
        .flat_map(sources)
        .collect()
}

/// The text without its comments and without what follows `#[cfg(test)]`.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The files with these words in their code, except below the places where they may stand.
fn with(words: &str, allowed: &[&str]) -> Vec<String> {
    let elsewhere = ours()
        .into_iter()
        .filter(|(path, _)| !allowed.iter().any(|allowed| path.starts_with(allowed)));
    elsewhere
        .filter(|(_, text)| code(text).contains(words))
        .map(|(path, _)| path)
        .collect()
}

#[test]
fn dependencies_point_one_way() {
    let packages = Packages::read();
    let allowed: [(&str, &[&str]); 16] = [
        ("chatferry-keys", &[]),
        ("chatferry-core", &[]),
        ("chatferry-simulator", &["chatferry-keys"]),
        ("chatferry-draft", &["chatferry-core"]),
        ("chatferry-engine", &["chatferry-core"]),
        ("chatferry-ledger", &["chatferry-core"]),
        ("chatferry-config", &["chatferry-core"]),
        ("chatferry-files", &["chatferry-core", "chatferry-config"]),
        (
            "chatferry-attachments",
            &["chatferry-core", "chatferry-config", "chatferry-files"],
        ),
        ("chatferry-child", &["chatferry-core", "chatferry-config"]),
        (
            "chatferry-records",
            &["chatferry-core", "chatferry-config", "chatferry-files"],
        ),
        ("chatferry-testkit", &["chatferry-config", "chatferry-core"]),
        (
            "chatferry-runtime",
            &["chatferry-core", "chatferry-keys", "chatferry-ledger"],
        ),
        ("chatferry-report", &["chatferry-core", "chatferry-runtime"]),
        (
            "chatferry-live",
            &[
                "chatferry-core",
                "chatferry-ledger",
                "chatferry-report",
                "chatferry-runtime",
            ],
        ),
        ("chatferry-tests", &["chatferry", "chatferry-simulator"]),
    ];
    for (name, allowed) in allowed {
        for needed in packages.needs(name) {
            assert!(
                allowed.contains(&needed.as_str()),
                "{name} may not depend on {needed}"
            );
        }
    }
    for (connector, _) in packages.connectors() {
        for needed in packages.needs(connector) {
            let allowed = [
                "chatferry-child",
                "chatferry-core",
                "chatferry-config",
                "chatferry-files",
                "chatferry-records",
            ];
            assert!(
                allowed.contains(&needed.as_str()),
                "{connector} may not depend on {needed}"
            );
        }
    }
}

#[test]
fn nothing_but_the_program_tests_and_benches_knows_a_connector() {
    let packages = Packages::read();
    let connectors: Vec<&str> = packages
        .connectors()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert!(connectors.contains(&"chatferry-json"), "{connectors:?}");
    for (name, (_, needs)) in &packages.0 {
        if !["chatferry", "chatferry-tests", "chatferry-benches"].contains(&name.as_str()) {
            let known: Vec<_> = needs
                .iter()
                .filter(|needed| connectors.contains(&needed.as_str()))
                .collect();
            assert!(known.is_empty(), "{name} may not depend on {known:?}");
        }
    }
}

#[test]
fn every_connector_has_its_table_of_contents_and_its_settings() {
    for (name, folder) in Packages::read().connectors() {
        for file in ["src/lib.rs", "src/settings.rs"] {
            assert!(folder.join(file).is_file(), "{name} has no {file}");
        }
    }
}

#[test]
fn only_the_pacer_makes_permits() {
    let makers = with(
        "Permit::issue(",
        &[
            "crates/runtime/src/pacer.rs",
            "crates/core/src/destination.rs",
            // What the destination does with one is tried without a pace.
            "connectors/cometchat/tests/",
        ],
    );
    assert_eq!(makers, [""; 0]);
}

#[test]
fn only_the_program_prints_or_exits() {
    for words in [
        "println!",
        "print!(",
        "eprintln!",
        "eprint!(",
        "process::exit",
    ] {
        // A measurement prints its figures.
        let programs = ["crates/cli/", "crates/ledger/examples/"];
        assert_eq!(with(words, &programs), [""; 0], "{words}");
    }
}

#[test]
fn nothing_is_left_to_be_done() {
    for words in ["todo!", "unimplemented!"] {
        assert_eq!(with(words, &[]), [""; 0], "{words}");
    }
}

#[test]
fn no_file_is_too_long_to_be_read_at_once() {
    for (path, text) in ours() {
        let lines = text.lines().count();
        assert!(lines <= LONGEST, "{path} has {lines} lines");
    }
}
