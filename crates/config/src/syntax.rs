//! What is wrong with a text that is not TOML, in a person's words.

use std::ops::Range;

use chatferry_core::{Mistake, Span};
use toml::de::Error;

use crate::suggest::quoted;

/// Whether the rest of the document can be trusted in spite of the error.
pub(crate) fn is_duplicate(error: &Error) -> bool {
    error.message().starts_with("duplicate key")
}

/// The errors, without those that only follow from another: later ones on the same line, and all
/// after something that is not closed.
pub(crate) fn mistakes(text: &str, errors: &[Error]) -> Vec<Mistake> {
    let mut errors: Vec<(Span, &Error)> = errors
        .iter()
        .map(|error| (visible(text, error.span()), error))
        .collect();
    errors.sort_by_key(|(at, _)| at.start);
    let mut mistakes: Vec<Mistake> = Vec::new();
    let mut read_to = 0;
    for (at, error) in errors {
        let same_line = !mistakes.is_empty() && !text[read_to..at.start].contains('\n');
        read_to = at.start;
        if same_line {
            continue;
        }
        let mistake = mistake(text, at, error);
        let unclosed = mistake.code == UNCLOSED;
        mistakes.push(mistake);
        if unclosed {
            break;
        }
    }
    mistakes
}

const SYNTAX: &str = "pipeline::syntax";
const UNCLOSED: &str = "pipeline::unclosed";

/// What the parser says, by how it begins, and what we say instead.
struct Words {
    parser: &'static str,
    code: &'static str,
    message: &'static str,
    label: &'static str,
    help: &'static str,
}

const fn words(
    parser: &'static str,
    code: &'static str,
    message: &'static str,
    label: &'static str,
    help: &'static str,
) -> Words {
    Words {
        parser,
        code,
        message,
        label,
        help,
    }
}

const NO_QUOTES: &str = "string values must be quoted";
const NESTED: &str = "tables or lists are nested too deeply";
const NO_KEY: &str = "a key has letters, digits, `_` and `-`; put any other in quotes";

#[rustfmt::skip]
const KNOWN: [Words; 14] = [
    words(NO_QUOTES, SYNTAX, "text needs quotes", "no quotes",
        "write \"text\"; only numbers, `true` and `false` go without"),
    words("invalid boolean", SYNTAX, "this is no value", "neither text nor a number",
        "write `true` or `false` in small letters"),
    words("missing comma", UNCLOSED, "a comma is missing, or a list is not closed", "a comma or `]` is due",
        "put a comma between items, and close the list with `]`"),
    words("unclosed", UNCLOSED, "a bracket is not closed", "the closing bracket is missing",
        "close what is opened on this line or above"),
    words("missing escaped value", SYNTAX, "this backslash begins nothing known", "an unknown escape",
        "a backslash is written `\\\\`, or as it is between single quotes: 'a\\d'"),
    words("invalid escape", SYNTAX, "this backslash begins nothing known", "an unknown escape",
        "a backslash is written `\\\\`, or as it is between single quotes: 'a\\d'"),
    words("key with no value", SYNTAX, "this line is not `key = value`", "no `=`",
        "write `key = value`, or `# …` for a comment"),
    words("unexpected key or value", SYNTAX, "the line goes on after its value", "not expected here",
        "each key stands on a line of its own; text that holds ' stands in \" or '''"),
    words("invalid unquoted key", SYNTAX, "this is no key", "not a key", NO_KEY),
    words("unquoted keys cannot be empty", SYNTAX, "this is no key", "not a key", NO_KEY),
    words("cannot recurse", SYNTAX, NESTED, "the 80th level", "no pipeline needs that many"),
    words("recursion limit", SYNTAX, NESTED, "the 80th level", "no pipeline needs that many"),
    words("invalid string", UNCLOSED, "these quotes are not closed", "the closing quotes are missing",
        "close the quotes; text over several lines stands between \"\"\" and \"\"\""),
    words("control character", SYNTAX, "a control character stands in this text", "this character",
        "write it as `\\u0000` with its number, or take it out"),
];

const NOTHING: Words = words(
    "",
    SYNTAX,
    "a value is missing",
    "nothing follows",
    "write text in quotes, or a number",
);

const TYPOGRAPHIC: Words = words(
    "",
    SYNTAX,
    "these quotes are for prose",
    "typographic quotes",
    "write \"text\" with the plain quotes of a keyboard",
);

fn mistake(text: &str, at: Span, error: &Error) -> Mistake {
    let here = &text[at.clone()];
    if is_duplicate(error) {
        return duplicate(here, at);
    }
    let parser = match error.message() {
        says if !says.starts_with("invalid") || !says.contains(" string") => says,
        says if says.contains("visible") => "control character",
        _ => "invalid string",
    };
    let known = if !parser.starts_with(NO_QUOTES) {
        KNOWN.iter().find(|words| parser.starts_with(words.parser))
    } else if here.trim_matches(['=', ' ']).is_empty() {
        Some(&NOTHING)
    } else if here.contains(['“', '”', '‘', '’']) {
        Some(&TYPOGRAPHIC)
    } else {
        KNOWN.first()
    };
    match known {
        Some(Words {
            code,
            message,
            label,
            help,
            ..
        }) => Mistake::error(code, *message, Some(at))
            .label(*label)
            .help(*help),
        None => {
            let (what, expected) = parser
                .split_once(", ")
                .unwrap_or((parser, "not as TOML has it"));
            Mistake::error(SYNTAX, what, Some(at)).label(expected)
        }
    }
}

fn duplicate(key: &str, at: Span) -> Mistake {
    let help = match key {
        "flow" => "write `[[flow]]` before the tables that belong to it, such as `[flow.fields]`",
        _ => "keep one of the two",
    };
    let message = format!("{} is already there", quoted(key));
    Mistake::error("pipeline::duplicate-key", message, Some(at))
        .label("written a second time")
        .help(help)
}

/// A place that can be underlined: within the text, whole characters, at least one if there is
/// one on the line.
fn visible(text: &str, span: Option<Span>) -> Span {
    let Range { start, end } = span.unwrap_or(0..text.find('\n').unwrap_or(text.len()));
    let start = text.floor_char_boundary(start.min(text.len()));
    let end = text.ceil_char_boundary(end.clamp(start, text.len()));
    if start < end {
        return start..end;
    }
    let next = text[start..]
        .chars()
        .next()
        .filter(|c| !matches!(c, '\n' | '\r'));
    let before = text[..start]
        .chars()
        .next_back()
        .filter(|c| !matches!(c, '\n' | '\r'));
    match (next, before) {
        (Some(next), _) => start..start + next.len_utf8(),
        (None, Some(before)) => start - before.len_utf8()..start,
        (None, None) => start..start,
    }
}
