//! What a person sees, without what differs from run to run.

use regex::Regex;

use crate::folder::{Folder, repository};

/// Columns that nothing is wider than.
const WIDEST: usize = 100;

/// A page with its times, durations, rates, ports and folders replaced by their names.
///
/// # Panics
///
/// When a line is wider than a page.
#[must_use]
pub fn of(text: &str, folder: &Folder) -> String {
    let repository = repository();
    let mut page = text.to_owned();
    for (path, name) in [(folder.path(), "[folder]"), (&*repository, "[repository]")] {
        page = page.replace(path.to_str().expect("paths of tests are text"), name);
    }
    for line in page.lines() {
        assert!(
            line.chars().count() <= WIDEST,
            "wider than {WIDEST} columns: {line}"
        );
    }
    for (pattern, name) in [
        (r"127\.0\.0\.1:\d+", "[address]"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)? UTC", "[time]"),
        (
            r"requests in [0-9.]+ (s|min \d+ s)",
            "requests in [duration]",
        ),
        (r"\d+ s ahead", "[some] s ahead"),
        (r#""seconds":[0-9.e-]+"#, r#""seconds":[duration]"#),
    ] {
        page = Regex::new(pattern)
            .expect("a sound pattern")
            .replace_all(&page, name)
            .into_owned();
    }
    page
}
