//! Which URLs are to be copied at all.

use url::Url;

/// Which URLs are to be copied at all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// Hosts whose URLs stay as they are, in small letters, with `*` for any part of a name.
    keep: Vec<String>,
    /// What the URLs of copies begin with, with the slash behind it.
    public: Option<String>,
}

/// Why a URL is copied, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concern {
    /// It is a file of a host.
    Web,
    /// It is a path: a file that lies beside the pipeline, or wherever paths begin.
    Path,
    /// It stays as it is, since its host is to be kept.
    Kept,
    /// It is no concern of ours: a copy already, or nothing that could be fetched.
    None,
}

impl Scope {
    pub(crate) fn new(keep: &[String], public: Option<&Url>) -> Self {
        Self {
            keep: keep.iter().map(|host| host.to_ascii_lowercase()).collect(),
            public: public.map(|url| format!("{}/", url.as_str().trim_end_matches('/'))),
        }
    }

    /// Whether a URL is to be copied.
    pub(crate) fn concern(&self, url: &str) -> Concern {
        let url = url.trim();
        if url.is_empty() {
            return Concern::None;
        }
        if self
            .public
            .as_deref()
            .is_some_and(|public| url.starts_with(public))
        {
            return Concern::None;
        }
        match Url::parse(url) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => {
                let host = parsed.host_str().unwrap_or_default();
                match self.keep.iter().any(|pattern| matches(pattern, host)) {
                    true => Concern::Kept,
                    false => Concern::Web,
                }
            }
            // `data:`, `mxc://`, `C:\…`: the rules on URLs tell of these.
            Ok(_) => Concern::None,
            Err(url::ParseError::RelativeUrlWithoutBase) if !url.starts_with("//") => Concern::Path,
            Err(_) => Concern::None,
        }
    }
}

/// Whether a host fits a pattern in which `*` stands for anything.
fn matches(pattern: &str, host: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else {
        return pattern == host;
    };
    let Some(rest) = host.strip_prefix(before) else {
        return false;
    };
    // What the star stands for may be of any length.
    (0..=rest.len()).any(|at| rest.is_char_boundary(at) && matches(after, &rest[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_files_and_what_stays_are_told_apart() {
        let public = Url::parse("https://cdn.example.com/chat").expect("a URL");
        let keep = ["*.giphy.com".to_owned(), "Gravatar.com".to_owned()];
        let scope = Scope::new(&keep, Some(&public));
        for (url, expected) in [
            ("https://files.slack.com/a", Concern::Web),
            ("HTTP://files.slack.com/a", Concern::Web),
            ("https://media.giphy.com/a", Concern::Kept),
            ("https://giphy.com/a", Concern::Web),
            ("https://gravatar.com/a", Concern::Kept),
            ("https://cdn.example.com/chat/ab/cd.png", Concern::None),
            ("https://cdn.example.com/chatter.png", Concern::Web),
            ("photos/photo_1.jpg", Concern::Path),
            ("./photos/photo_1.jpg", Concern::Path),
            ("/photos/photo_1.jpg", Concern::Path),
            ("//host/photo_1.jpg", Concern::None),
            ("mxc://host/a", Concern::None),
            ("data:image/png;base64,aaaa", Concern::None),
            ("file:///etc/passwd", Concern::None),
            ("", Concern::None),
        ] {
            assert_eq!(scope.concern(url), expected, "{url}");
        }
    }

    #[test]
    fn a_star_stands_for_any_part_of_a_host() {
        assert!(matches("a*c*e", "abcde"));
        assert!(matches("*", ""));
        assert!(!matches("a*c", "abcd"));
        assert!(!matches("*.example.com", "example.com"));
    }
}
