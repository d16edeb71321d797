//! Which files a path in the settings stands for, and what their paths say.

use regex::Regex;

/// A path as written in the settings: one file, or a pattern for many.
///
/// `*` stands for anything within one segment of the path, `?` for one character, `**` for any
/// number of folders, and `{name}` for anything within one segment that is to become the column
/// `name`. Nothing of these matches a segment that begins with a dot.
#[derive(Clone, Debug)]
pub struct Template {
    written: String,
    columns: Vec<String>,
    pattern: Option<Regex>,
}

/// What is wrong with a path.
#[derive(Debug, PartialEq, Eq)]
pub enum TemplateError {
    /// A `{` without a name and a `}` behind it.
    Placeholder,
    /// Two placeholders of this name.
    Twice(String),
    /// It is empty.
    Empty,
}

impl Template {
    /// The path as written.
    pub fn parse(written: &str) -> Result<Self, TemplateError> {
        let written = written.trim_start_matches("./");
        if written.is_empty() {
            return Err(TemplateError::Empty);
        }
        let mut columns: Vec<String> = Vec::new();
        let mut pattern = String::from("^");
        let segments: Vec<&str> = written.split('/').collect();
        for (at, segment) in segments.iter().enumerate() {
            let last = at + 1 == segments.len();
            if *segment == "**" {
                pattern.push_str(r"(?:[^/.][^/]*/)*");
                if last {
                    pattern.push_str(r"[^/.][^/]*");
                }
                continue;
            }
            segment_pattern(segment, &mut pattern, &mut columns)?;
            if !last {
                pattern.push('/');
            }
        }
        pattern.push('$');
        let many = written.contains(['*', '?', '{']);
        let pattern =
            many.then(|| Regex::new(&pattern).expect("what is not a wildcard was escaped"));
        Ok(Self {
            written: written.to_owned(),
            columns,
            pattern,
        })
    }

    /// A path that stands for itself, whatever characters are in it.
    pub fn literal(path: &str) -> Self {
        Self {
            written: path.to_owned(),
            columns: Vec::new(),
            pattern: None,
        }
    }

    /// As it was written.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The columns that it makes.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether it may stand for more than one file.
    pub fn is_pattern(&self) -> bool {
        self.pattern.is_some()
    }

    /// What a path says, one text for each of the columns; `None` when it does not match.
    pub fn parts(&self, path: &str) -> Option<Vec<String>> {
        match &self.pattern {
            None => (path == self.written).then(Vec::new),
            Some(pattern) => {
                let captures = pattern.captures(path)?;
                Some(
                    captures
                        .iter()
                        .skip(1)
                        .flatten()
                        .map(|part| part.as_str().into())
                        .collect(),
                )
            }
        }
    }

    /// The folder below which all its files are, with the slash behind it; may be empty.
    pub fn folder(&self) -> &str {
        let wildcard = self
            .written
            .find(['*', '?', '{'])
            .unwrap_or(self.written.len());
        let slash = self.written[..wildcard]
            .rfind('/')
            .map_or(0, |slash| slash + 1);
        &self.written[..slash]
    }

    /// How many folders deep below [`folder`](Self::folder) its files are; `None` for any depth.
    pub fn depth(&self) -> Option<usize> {
        let below = &self.written[self.folder().len()..];
        let segments: Vec<&str> = below.split('/').collect();
        (!segments.contains(&"**")).then_some(segments.len() - 1)
    }
}

fn segment_pattern(
    segment: &str,
    pattern: &mut String,
    columns: &mut Vec<String>,
) -> Result<(), TemplateError> {
    let mut rest = segment;
    while let Some(character) = rest.chars().next() {
        // Nobody means the hidden files by `*`.
        let begins = rest.len() == segment.len();
        rest = &rest[character.len_utf8()..];
        match character {
            '*' if begins => pattern.push_str(r"(?:[^/.][^/]*?)?"),
            '*' => pattern.push_str(r"[^/]*?"),
            '?' if begins => pattern.push_str(r"[^/.]"),
            '?' => pattern.push_str(r"[^/]"),
            '{' => {
                let (name, behind) = rest.split_once('}').ok_or(TemplateError::Placeholder)?;
                let named = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
                    && name.chars().all(|c| c.is_alphanumeric() || c == '_');
                if !named {
                    return Err(TemplateError::Placeholder);
                }
                if columns.iter().any(|column| column == name) {
                    return Err(TemplateError::Twice(name.to_owned()));
                }
                columns.push(name.to_owned());
                pattern.push_str(if begins {
                    r"([^/.][^/]*?)"
                } else {
                    r"([^/]+?)"
                });
                rest = behind;
            }
            _ => pattern.push_str(&regex::escape(character.encode_utf8(&mut [0; 4]))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(template: &str, path: &str) -> Option<Vec<String>> {
        Template::parse(template)
            .expect("a good template")
            .parts(path)
    }

    #[test]
    fn placeholders_become_what_stands_there() {
        let said = parts(
            "export/{channel}/{date}.json",
            "export/general/2016-01-01.json",
        );
        assert_eq!(said, Some(vec!["general".into(), "2016-01-01".into()]));
        assert_eq!(
            parts("{channel}-{date}.json", "a-b-c.json"),
            Some(vec!["a".into(), "b-c".into()])
        );
        assert_eq!(parts("{channel}/{date}.json", "general/x/y.json"), None);
        assert_eq!(
            parts("*/{date}.json", "チャネル/y.json"),
            Some(vec!["y".into()])
        );
    }

    #[test]
    fn wildcards_stay_within_their_segment_and_leave_hidden_files_alone() {
        assert!(parts("*.json", "a.json").is_some());
        assert!(parts("*.json", ".a.json").is_none());
        assert!(parts("*.json", "a/b.json").is_none());
        assert!(parts("**/*.json", "b.json").is_some());
        assert!(parts("**/*.json", "a/b/c.json").is_some());
        assert!(parts("**", "a/b/c.json").is_some());
        assert!(parts("**/*.json", "a/.git/c.json").is_none());
        assert!(parts("x/**/a?.json", "x/a1.json").is_some());
        assert!(parts("a+b.json", "aab.json").is_none());
    }

    #[test]
    fn the_folder_to_look_through_is_as_small_as_can_be() {
        let look = |template: &str| {
            let template = Template::parse(template).expect("a good template");
            (template.folder().to_owned(), template.depth())
        };
        assert_eq!(look("a/b/*.json"), ("a/b/".into(), Some(0)));
        assert_eq!(look("{a}/{b}.json"), (String::new(), Some(1)));
        assert_eq!(look("a/**/b.json"), ("a/".into(), None));
        assert_eq!(look("/a/x*.json"), ("/a/".into(), Some(0)));
    }

    #[test]
    fn a_placeholder_needs_a_name_of_its_own() {
        let error = |template| Template::parse(template).expect_err("a bad template");
        assert_eq!(error("{a"), TemplateError::Placeholder);
        assert_eq!(error("{}.json"), TemplateError::Placeholder);
        assert_eq!(error("{a}/{a}.json"), TemplateError::Twice("a".into()));
        assert_eq!(error(""), TemplateError::Empty);
    }
}
