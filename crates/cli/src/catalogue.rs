//! The catalogue of errors: what each code means, out of the pages under `docs/errors`.
//!
//! A page has a section for each code: its heading is the code, and its paragraphs say what
//! happened, why, and what to do. That every code has its section, and every section its code, is a
//! test of the program from outside.

/// A page, with its place in the repository.
macro_rules! page {
    ($name:literal) => {
        (
            concat!("docs/errors/", $name),
            include_str!(concat!("../../../docs/errors/", $name)),
        )
    };
}

/// The pages, each with its place in the repository.
const PAGES: [(&str, &str); 7] = [
    page!("pipeline.md"),
    page!("sql.md"),
    page!("sources.md"),
    page!("cometchat.md"),
    page!("rules.md"),
    page!("api.md"),
    page!("exit-codes.md"),
];

/// A code and what there is to say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code.
    pub code: &'static str,
    /// The page that it stands on, in the repository.
    pub page: &'static str,
    /// The page's title.
    pub title: &'static str,
    text: &'static str,
}

impl Entry {
    /// What happened, why, and what to do: a title and words of each.
    pub fn parts(&self) -> impl Iterator<Item = (&'static str, String)> {
        let paragraphs = self.text.split("\n\n");
        paragraphs.filter_map(|paragraph| {
            let (title, words) = paragraph.trim().strip_prefix('*')?.split_once(".*")?;
            let words: Vec<&str> = words.split_whitespace().collect();
            Some((title, without_links(&words.join(" "))))
        })
    }
}

/// Every code, page by page.
pub fn all() -> impl Iterator<Item = Entry> {
    PAGES.into_iter().flat_map(|(page, text)| {
        let mut sections = text.split("\n## ");
        let title = sections.next().and_then(|text| text.lines().next());
        let title = title.unwrap_or_default().trim_start_matches("# ");
        sections.filter_map(move |section| {
            let (code, text) = section.split_once('\n')?;
            Some(Entry {
                code,
                page,
                title,
                text,
            })
        })
    })
}

/// What there is to say of a code; an exit code may be a number alone.
#[must_use]
pub fn find(code: &str) -> Option<Entry> {
    let is_exit = |known: &str| known.strip_prefix("exit-") == Some(code);
    all().find(|entry| entry.code.eq_ignore_ascii_case(code) || is_exit(entry.code))
}

/// Markdown without the targets of its links.
fn without_links(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, link)) = rest.split_once('[') {
        plain.push_str(before);
        let named = link.split_once("](");
        let named = named.and_then(|(name, to)| Some((name, to.split_once(')')?.1)));
        match named {
            Some((name, after)) if !name.contains(['[', ']']) => {
                plain.push_str(name);
                rest = after;
            }
            _ => {
                plain.push('[');
                rest = link;
            }
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lose_their_targets_and_nothing_else_is_lost() {
        let text = "see [files](../files.md), `[flow.skip]` and `[\"a\"]` (or not)";
        let plain = "see files, `[flow.skip]` and `[\"a\"]` (or not)";
        assert_eq!(without_links(text), plain);
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        assert_eq!(find("err_exception").unwrap().code, "ERR_EXCEPTION");
        assert_eq!(find("9").unwrap().code, "exit-9");
        assert_eq!(find("exit-9").unwrap().code, "exit-9");
        assert_eq!(find("no such code"), None);
    }
}
