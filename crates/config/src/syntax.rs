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

fn mistake(text: &str, at: Span, error: &Error) -> Mistake {
    let words = error.message();
    let here = &text[at.clone()];
    let says = |start: &str| words.starts_with(start);
    let (code, message, label, help) = if is_duplicate(error) {
        let message = format!("{} is already there", quoted(here));
        let help = match here {
            "flow" => {
                "write `[[flow]]` before the tables that belong to it, such as `[flow.fields]`"
            }
            _ => "keep one of the two",
        };
        return Mistake::error("pipeline::duplicate-key", message, Some(at))
            .label("written a second time")
            .help(help);
    } else if says("string values must be quoted") && here.trim().trim_matches('=').is_empty() {
        (
            SYNTAX,
            "a value is missing",
            "nothing follows",
            "write text in quotes, or a number",
        )
    } else if says("string values must be quoted") && here.contains(['“', '”', '‘', '’']) {
        let help = "write \"text\" with the plain quotes of a keyboard";
        (
            SYNTAX,
            "these quotes are for prose",
            "typographic quotes",
            help,
        )
    } else if says("string values must be quoted") {
        (
            SYNTAX,
            "text needs quotes",
            "no quotes",
            "write \"text\"; only numbers, `true` and `false` go without",
        )
    } else if says("invalid boolean") {
        (
            SYNTAX,
            "this is no value",
            "neither text nor a number",
            "write `true` or `false` in small letters",
        )
    } else if says("missing comma") {
        let help = "put a comma between items, and close the list with `]`";
        (
            UNCLOSED,
            "a comma is missing, or a list is not closed",
            "a comma or `]` is due",
            help,
        )
    } else if says("unclosed") {
        (
            UNCLOSED,
            "a bracket is not closed",
            "the closing bracket is missing",
            "close what is opened on this line or above",
        )
    } else if says("invalid") && words.contains("string") && !words.contains("visible") {
        let help = "close the quotes; text over several lines stands between \"\"\" and \"\"\"";
        (
            UNCLOSED,
            "these quotes are not closed",
            "the closing quotes are missing",
            help,
        )
    } else if says("invalid") && words.contains("string") {
        (
            SYNTAX,
            "a control character stands in this text",
            "this character",
            "write it as `\\u0000` with its number, or take it out",
        )
    } else if says("missing escaped value") || says("invalid escape") {
        let help = "a backslash is written `\\\\`, or as it is between single quotes: 'a\\d'";
        (
            SYNTAX,
            "this backslash begins nothing known",
            "an unknown escape",
            help,
        )
    } else if says("key with no value") {
        (
            SYNTAX,
            "this line is not `key = value`",
            "no `=`",
            "write `key = value`, or `# …` for a comment",
        )
    } else if says("unexpected key or value") {
        let help = "each key stands on a line of its own; text that holds ' stands in \" or '''";
        (
            SYNTAX,
            "the line goes on after its value",
            "not expected here",
            help,
        )
    } else if says("invalid unquoted key") || says("unquoted keys cannot be empty") {
        let help = "a key has letters, digits, `_` and `-`; put any other in quotes";
        (SYNTAX, "this is no key", "not a key", help)
    } else if says("cannot recurse") || says("recursion limit") {
        (
            SYNTAX,
            "tables or lists are nested too deeply",
            "the 80th level",
            "no pipeline needs that many",
        )
    } else {
        let (what, expected) = words
            .split_once(", ")
            .unwrap_or((words, "not as TOML has it"));
        return Mistake::error(SYNTAX, what, Some(at)).label(expected);
    };
    Mistake::error(code, message, Some(at))
        .label(label)
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
