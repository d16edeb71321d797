//! Has every code that a person can meet a page that says what to do?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::collections::BTreeSet;
use std::path::Path;

use chatferry::{catalogue, reasons};
use chatferry_tests::{Folder, page, repository};
use insta::assert_snapshot;
use regex::Regex;

/// The codes of mistakes in the sources of ours, such as `pipeline::unknown-key`.
fn of_mistakes() -> BTreeSet<String> {
    fn gather(folder: &Path, code: &Regex, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                gather(&path, code, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("text");
                let text = text.split("#[cfg(test)]").next().unwrap_or_default();
                found.extend(code.captures_iter(text).map(|found| found[1].to_owned()));
            }
        }
    }
    let code = Regex::new(r#""([a-z]+::[a-z]+(?:-[a-z]+)*)""#).expect("a sound pattern");
    let mut found = BTreeSet::new();
    for below in ["crates", "connectors"] {
        for entry in std::fs::read_dir(repository().join(below)).expect("a folder") {
            gather(
                &entry.expect("an entry").path().join("src"),
                &code,
                &mut found,
            );
        }
    }
    found
}

/// The exit codes that the help lists.
fn of_exits() -> BTreeSet<String> {
    let help = Folder::new().run(&["--help"]).expect(0).out;
    let listed = help.split("Exit codes:").nth(1).expect("a list").to_owned();
    let code = Regex::new(r"(?m)^  (\d+)  ").expect("a sound pattern");
    let codes = code.captures_iter(&listed);
    codes.map(|code| format!("exit-{}", &code[1])).collect()
}

#[test]
fn every_code_has_its_page_and_every_page_its_code() {
    let mistakes = of_mistakes();
    let exits = of_exits();
    let reasons: BTreeSet<String> = reasons::all().map(str::to_owned).collect();
    for (kind, codes, least) in [
        ("mistakes", &mistakes, 70),
        ("exit codes", &exits, 11),
        ("reasons", &reasons, 70),
    ] {
        println!("{} {kind}", codes.len());
        assert!(codes.len() >= least, "{kind} are not found: {codes:?}");
    }
    let codes: BTreeSet<String> = mistakes.into_iter().chain(exits).chain(reasons).collect();
    let told: Vec<&str> = catalogue::all().map(|entry| entry.code).collect();
    let pages: BTreeSet<String> = told.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(told.len(), pages.len(), "a code is told of twice");

    let untold: Vec<_> = codes.difference(&pages).collect();
    assert!(
        untold.is_empty(),
        "write a section in docs/errors of {untold:?}"
    );
    let unknown: Vec<_> = pages.difference(&codes).collect();
    assert!(
        unknown.is_empty(),
        "docs/errors tells of {unknown:?}, which nobody can meet"
    );
}

#[test]
fn every_page_says_what_happened_and_what_to_do() {
    let pages = repository().join("docs/errors");
    for entry in catalogue::all() {
        let parts: Vec<(&str, String)> = entry.parts().collect();
        let titles: Vec<&str> = parts.iter().map(|(title, _)| *title).collect();
        let whole = ["What happened", "Why", "What to do"];
        let short = ["What happened", "What to do"];
        assert!(
            titles == whole || titles == short,
            "{}: {titles:?}",
            entry.code
        );
        for (title, words) in parts {
            assert!(
                words.len() >= 8 && words.ends_with(['.', '?']),
                "{}: {title}",
                entry.code
            );
        }
        assert!(repository().join(entry.page).is_file(), "{}", entry.page);
    }
    let told: BTreeSet<&str> = catalogue::all().map(|entry| entry.page).collect();
    for file in std::fs::read_dir(pages).expect("a folder") {
        let name = file.expect("an entry").file_name();
        let name = format!("docs/errors/{}", name.to_str().expect("text"));
        assert!(
            name.ends_with("README.md") || told.contains(name.as_str()),
            "{name} is not shown"
        );
    }
}

#[test]
fn a_code_is_explained_in_the_terminal() {
    let folder = Folder::new();
    let shown = |arguments: &[&str]| page::of(&folder.run(arguments).expect(0).out, &folder);
    assert_snapshot!(
        "explain_mistake",
        shown(&["explain", "pipeline::environment"])
    );
    assert_snapshot!("explain_api", shown(&["explain", "err_exception"]));
    assert_snapshot!("explain_exit", shown(&["explain", "4"]));
    let all = shown(&["explain"]);
    for entry in catalogue::all() {
        assert!(all.contains(&format!("  {}\n", entry.code)), "{all}");
    }
    let json = folder
        .run(&["explain", "text-empty", "--format", "json"])
        .expect(0);
    let json = chatferry_tests::account::json(&json);
    assert_eq!(json["code"], "text-empty");
    assert_eq!(json["page"], "docs/errors/rules.md");
    assert!(
        json["remedy"]
            .as_str()
            .is_some_and(|text| text.contains("[flow.skip]"))
    );

    let unknown = folder.run(&["explain", "text-emtpy"]).expect(2);
    assert!(
        unknown.err.contains("there is no code `text-emtpy`"),
        "{}",
        unknown.err
    );
    assert!(
        unknown.err.contains("did you mean `text-empty`?"),
        "{}",
        unknown.err
    );
}
