//! Does what the documentation tells people to type and open exist?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::path::{Path, PathBuf};

use chatferry_tests::{Folder, pipeline, repository};
use regex::Regex;

/// Every page of documentation: its path and its text.
fn pages() -> Vec<(PathBuf, String)> {
    fn gather(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                gather(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut found = vec![repository().join("README.md")];
    gather(&repository().join("docs"), &mut found);
    gather(&repository().join("pipelines"), &mut found);
    let text = |path: &PathBuf| std::fs::read_to_string(path).expect("a page is text");
    found
        .into_iter()
        .map(|path| {
            let text = text(&path);
            (path, text)
        })
        .collect()
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a sound pattern")
}

#[test]
fn setting_up_takes_two_commands_of_one_line() {
    let readme =
        std::fs::read_to_string(repository().join("README.md")).expect("there is a readme");
    let section = pattern(r"(?ms)^## Set-?up\n(.*?)(^## |\z)")
        .captures(&readme)
        .expect("it tells how to set up");
    let fences = pattern(r"(?ms)^```[a-z]*\n(.*?)^```");
    let commands: Vec<&str> = fences
        .captures_iter(&section[1])
        .map(|block| block.extract::<1>().1[0].trim())
        .collect();

    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        assert_eq!(command.lines().count(), 1, "{command}");
        assert!(
            !command.contains("&&") && !command.contains(';'),
            "{command} is more than one"
        );
        assert!(
            command.starts_with("cargo "),
            "{command} needs more than the toolchain"
        );
    }
}

#[test]
fn every_pipeline_that_is_named_is_there() {
    let named = pattern(r"pipelines/([a-z0-9][a-z0-9-]*)");
    let mut count = 0;
    for (page, text) in pages() {
        for name in named.captures_iter(&text) {
            let file = repository()
                .join("pipelines")
                .join(&name[1])
                .join("pipeline.toml");
            assert!(file.is_file(), "{} names {}", page.display(), &name[0]);
            count += 1;
        }
    }
    assert!(count > 0, "the documentation names no pipeline");
}

#[test]
fn every_link_leads_somewhere() {
    let link = pattern(r"\]\(([^)#]+)(#[^)]*)?\)");
    for (page, text) in pages() {
        for link in link.captures_iter(&text) {
            let to = &link[1];
            if !to.contains("://") {
                let folder = page.parent().expect("a page is in a folder");
                assert!(folder.join(to).exists(), "{} links to {to}", page.display());
            }
        }
    }
}

#[test]
fn every_ready_made_pipeline_is_in_order() {
    for entry in std::fs::read_dir(repository().join("pipelines")).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("names are text");
        let folder = repository().join("pipelines").join(name);
        let text = std::fs::read_to_string(folder.join("pipeline.toml")).expect("a pipeline");
        // Those of a server's database are checked where there is one, in `homegrown_*.rs`.
        if !text.contains("${LEGACY_DATABASE_URL}") {
            Folder::new().run(&["check", &pipeline(name)]).expect(0);
        }
        assert!(folder.join("README.md").is_file(), "{name} has no readme");
    }
}
