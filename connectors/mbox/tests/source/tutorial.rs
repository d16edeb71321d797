//! Is the connector of the tutorial the one that is here, to the letter?

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The blocks of code in the tutorial that say which file they are of, joined by file.
fn told() -> BTreeMap<String, String> {
    let page = repository().join("docs/new-connector.md");
    let page = fs::read_to_string(page).expect("the tutorial");
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some((_, file)) = line.split_once("file=") else {
            continue;
        };
        let code = lines.by_ref().take_while(|line| *line != "```");
        let text = told.entry(file.to_owned()).or_default();
        code.for_each(|line| *text += &format!("{line}\n"));
    }
    told
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The text without empty lines, which may stand between two blocks or not.
fn without_empty_lines(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_tutorial_tells_every_line_of_the_connector() {
    let told = told();
    let mut files: Vec<String> = ["Cargo.toml", "tests/source/settings.rs"]
        .map(|file| format!("connectors/mbox/{file}"))
        .to_vec();
    let sources = repository().join("connectors/mbox/src");
    for file in fs::read_dir(sources).expect("the sources") {
        let name = file.expect("a file").file_name();
        files.push(format!("connectors/mbox/src/{}", name.display()));
    }
    for file in files {
        let there = fs::read_to_string(repository().join(&file)).expect("a file");
        let said = told.get(&file).map_or("", String::as_str);
        assert!(
            without_empty_lines(said) == without_empty_lines(&there),
            "docs/new-connector.md tells another {file}"
        );
    }
}

#[test]
fn what_the_tutorial_tells_of_other_files_stands_there() {
    for (file, code) in told() {
        let there = fs::read_to_string(repository().join(&file)).expect("a file of the tutorial");
        let there = without_empty_lines(&there);
        assert!(
            there.contains(&without_empty_lines(&code)),
            "{file} holds no such lines:\n{code}"
        );
    }
}
