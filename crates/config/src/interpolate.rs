//! The environment inside a text: `${NAME}` and `${NAME:-default}`.
//!
//! This happens after the file is parsed, so that a value can never change its structure.

use chatferry_core::Span;

/// A text with the environment put in, and what stood in the way.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Interpolated {
    pub(crate) text: String,
    /// What could not be put in, each with its place in the raw text.
    pub(crate) gaps: Vec<Gap>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) why: Why,
    pub(crate) at: Span,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// The environment has no variable of this name.
    Missing(String),
    /// No `}` follows.
    Unclosed,
    /// What stands between the braces is not a name.
    NotAName,
}

/// What stands for a variable that a check can do without.
pub(crate) const PLACEHOLDER: &str = "placeholder";

/// Puts the environment into a text. `$${` is a literal `${`.
pub(crate) fn interpolate(raw: &str, environment: &dyn Fn(&str) -> Option<String>) -> Interpolated {
    let mut out = Interpolated::default();
    let mut done = 0;
    while let Some(found) = raw[done..].find("${") {
        let start = done + found;
        if raw[done..start].ends_with('$') {
            out.text.push_str(&raw[done..start - 1]);
            out.text.push_str("${");
            done = start + 2;
            continue;
        }
        out.text.push_str(&raw[done..start]);
        let Some(length) = raw[start..].find('}') else {
            out.gaps.push(Gap {
                why: Why::Unclosed,
                at: start..start + 2,
            });
            done = start + 2;
            continue;
        };
        let end = start + length + 1;
        let inside = &raw[start + 2..end - 1];
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_name(name) {
            out.gaps.push(Gap {
                why: Why::NotAName,
                at: start..end,
            });
        } else {
            match (environment(name), default) {
                // As in a shell, `:-` also stands in for a variable that is empty.
                (Some(value), None) => out.text.push_str(&value),
                (Some(value), Some(_)) if !value.is_empty() => out.text.push_str(&value),
                (_, Some(default)) => out.text.push_str(default),
                (None, None) => {
                    out.text.push_str(PLACEHOLDER);
                    out.gaps.push(Gap {
                        why: Why::Missing(name.to_owned()),
                        at: start..end,
                    });
                }
            }
        }
        done = end;
    }
    out.text.push_str(&raw[done..]);
    out
}

/// Whether a text can be the name of a source, view, or variable: letters, digits and `_`, not
/// starting with a digit.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_user_ada(raw: &str) -> Interpolated {
        interpolate(raw, &|name| match name {
            "USER" => Some("ada".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        })
    }

    #[test]
    fn a_variable_is_put_in() {
        assert_eq!(with_user_ada("x ${USER} y ${USER}").text, "x ada y ada");
        assert_eq!(
            with_user_ada("no $USER here, no $").text,
            "no $USER here, no $"
        );
    }

    #[test]
    fn a_default_stands_in_for_a_variable_that_is_missing_or_empty() {
        assert_eq!(with_user_ada("${NOBODY:-bob}").text, "bob");
        assert_eq!(with_user_ada("${EMPTY:-bob}").text, "bob");
        assert_eq!(with_user_ada("${USER:-bob}").text, "ada");
        assert_eq!(with_user_ada("[${EMPTY}${NOBODY:-}]").text, "[]");
    }

    #[test]
    fn what_a_variable_holds_is_not_read_again() {
        let out = interpolate("${A}", &|_| Some("${B}".into()));
        assert_eq!((out.text.as_str(), out.gaps.len()), ("${B}", 0));
    }

    #[test]
    fn two_dollars_write_a_literal_brace() {
        assert_eq!(with_user_ada("$${USER}").text, "${USER}");
        assert!(with_user_ada("$${USER").gaps.is_empty());
    }

    #[test]
    fn what_cannot_be_put_in_has_a_place() {
        let gaps = with_user_ada("é${NOBODY} ${} ${").gaps;
        let found: Vec<(&Why, Span)> = gaps.iter().map(|gap| (&gap.why, gap.at.clone())).collect();
        let missing = Why::Missing("NOBODY".into());
        assert_eq!(
            found,
            [
                (&missing, 2..11),
                (&Why::NotAName, 12..15),
                (&Why::Unclosed, 16..18)
            ]
        );
    }
}
