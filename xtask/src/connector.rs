//! The skeleton of a new connector.
//!
//! It reads lines of text, so that it compiles, can be run and passes its tests before anything in
//! it is changed.

use std::fs;
use std::path::Path;

/// Where the name goes, as people write it.
const NAME: &str = "{{name}}";
/// Where it goes as Rust writes it.
const CRATE: &str = "{{crate}}";

/// The files of the connector's folder.
const FILES: [(&str, &str); 6] = [
    ("Cargo.toml", include_str!("../connector/Cargo.toml.in")),
    ("src/lib.rs", include_str!("../connector/src/lib.rs.in")),
    (
        "src/settings.rs",
        include_str!("../connector/src/settings.rs.in"),
    ),
    ("src/lines.rs", include_str!("../connector/src/lines.rs.in")),
    (
        "src/source.rs",
        include_str!("../connector/src/source.rs.in"),
    ),
    (
        "tests/source.rs",
        include_str!("../connector/tests/source.rs.in"),
    ),
];
/// Its page of documentation.
const PAGE: &str = include_str!("../connector/page.md.in");
/// The program's list of what it is made of, and that of its connectors.
const PROGRAM: [&str; 2] = ["crates/cli/Cargo.toml", "crates/cli/src/connectors.rs"];

/// Writes a new connector into the repository, and says what to do next.
///
/// # Errors
///
/// When the name cannot be one, or something stands in the way. Nothing is written then, unless
/// it is the disk that stands in the way.
pub fn new(repository: &Path, name: &str) -> Result<String, String> {
    check(name)?;
    let folder = repository.join("connectors").join(name);
    let page = repository.join(format!("docs/connectors/{name}.md"));
    for taken in [&folder, &page] {
        if taken.exists() {
            let taken = taken.display();
            return Err(format!("{taken} is there already; choose another name"));
        }
    }
    let [manifest, list] = PROGRAM.map(|file| repository.join(file));
    let needed = format!("chatferry-{name} = {{ path = \"../../connectors/{name}\" }}");
    let listed = format!("    {}::register(&mut connectors);", crate_name(name));
    let manifest_text = with_line(&read(&manifest)?, &needed, "chatferry-", &manifest)?;
    let list_text = with_line(&read(&list)?, &listed, "    chatferry_", &list)?;

    for (file, template) in FILES {
        write(&folder.join(file), &filled(template, name))?;
    }
    write(&page, &filled(PAGE, name))?;
    write(&manifest, &manifest_text)?;
    write(&list, &list_text)?;
    Ok(format!(
        "wrote connectors/{name} and docs/connectors/{name}.md, and a line each into\n{}.\n\
         It reads lines of text. Next: `cargo test -p chatferry-{name}`, then make it read what you \
         want;\ndocs/new-connector.md goes through that step by step.",
        PROGRAM.join(" and ")
    ))
}

fn check(name: &str) -> Result<(), String> {
    let letters = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    match letters && begins && !name.ends_with('-') {
        true => Ok(()),
        false => Err(format!(
            "`{name}` cannot be a connector's name: it takes small letters, digits and dashes, and \
             begins with a letter"
        )),
    }
}

fn crate_name(name: &str) -> String {
    format!("chatferry_{}", name.replace('-', "_"))
}

fn filled(template: &str, name: &str) -> String {
    template
        .replace(NAME, name)
        .replace(CRATE, &crate_name(name))
}

/// The text with a line more, among those that begin alike and are in order.
fn with_line(text: &str, line: &str, alike: &str, file: &Path) -> Result<String, String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let is_alike = |other: &&str| other.starts_with(alike) && !other.contains("cometchat");
    // What an attribute is about stays behind it.
    let has_attribute = |at: usize| at > 0 && lines[at - 1].trim_start().starts_with("#[");
    let later = |(at, other): (usize, &&str)| {
        (is_alike(other) && *other > line && !has_attribute(at)).then_some(at)
    };
    let later = lines.iter().enumerate().find_map(later);
    let last = lines.iter().rposition(is_alike).map(|last| last + 1);
    let Some(place) = later.or(last) else {
        let file = file.display();
        return Err(format!("{file} has no line that begins with `{alike}`"));
    };
    lines.insert(place, line);
    Ok(lines.join("\n") + "\n")
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    fs::write(path, text).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates() {
        for name in ["mbox", "s3-logs", "x2"] {
            assert_eq!(check(name), Ok(()));
        }
        for name in ["", "Mbox", "2x", "a_b", "a/b", "-a", "a-", "ä"] {
            assert!(check(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_name_is_written_as_it_must_be_wherever_it_stands() {
        let text = filled("{{name}} {{crate}}", "s3-logs");
        assert_eq!(text, "s3-logs chatferry_s3_logs");
    }

    #[test]
    fn a_line_goes_among_those_that_are_like_it() {
        let text = "[x]\na-1\na-3\nb\n";
        let with = |line| with_line(text, line, "a-", Path::new("x"));
        assert_eq!(with("a-2"), Ok("[x]\na-1\na-2\na-3\nb\n".to_owned()));
        assert_eq!(with("a-4"), Ok("[x]\na-1\na-3\na-4\nb\n".to_owned()));
        let text = "#[x]\na-3\na-5\n";
        let with = with_line(text, "a-2", "a-", Path::new("x"));
        assert_eq!(with, Ok("#[x]\na-3\na-2\na-5\n".to_owned()));
        assert!(with_line(text, "c-1", "c-", Path::new("x")).is_err());
    }
}
