//! The line of the file that is shown with a mistake.

use std::ops::Range;

use chatferry_core::Span;
use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use crate::suggest;

/// One line of the file, cut to fit the screen, with nothing in it that a screen should not get:
/// no control characters, and no secret that was written into the file.
#[derive(Clone, Debug)]
pub(crate) struct Excerpt {
    file: String,
    /// Counted from 0, as the column is, in characters.
    line: usize,
    column: usize,
    shown: String,
    /// What is underlined of it.
    marked: Range<usize>,
}

/// What stands left of a line besides its number: ` │ ` and a space on either side.
const GUTTER: usize = 5;

impl Excerpt {
    /// The first line of the place, since a query of fifty lines is not read underlined.
    pub(crate) fn new(file: &str, text: &str, at: &Span, width: usize) -> Self {
        let start = text.floor_char_boundary(at.start.min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |found| found + 1);
        let line_end = text[start..]
            .find('\n')
            .map_or(text.len(), |found| start + found);
        let end = text.floor_char_boundary(at.end.clamp(start, line_end));
        let line = text[..line_start].matches('\n').count();
        let source = without_secret(text[line_start..line_end].trim_end_matches('\r'));
        let room = width.saturating_sub(GUTTER + digits(line + 1)).max(20);
        // A place may be the line's end, of which a carriage return is not shown.
        let within = |byte: usize| (byte - line_start).min(source.len());
        let (shown, marked) = window(&source, within(start)..within(end), room);
        let column = text[line_start..start].chars().count();
        Self {
            file: file.to_owned(),
            line,
            column,
            shown,
            marked,
        }
    }

    pub(crate) fn marked(&self) -> Range<usize> {
        self.marked.clone()
    }

    /// Whether a label fits beside the middle of the underlined part.
    pub(crate) fn has_room_for(&self, label: &str, width: usize) -> bool {
        let before = columns(&self.shown[..self.marked.start]);
        let middle = columns(&self.shown[self.marked.clone()]) / 2;
        GUTTER + digits(self.line + 1) + before + middle + 4 + columns(label) <= width
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        _span: &SourceSpan,
        _lines_before: usize,
        _lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let all = SourceSpan::from(0..self.shown.len());
        let data = self.shown.as_bytes();
        let file = self.file.clone();
        Ok(Box::new(MietteSpanContents::new_named(
            file,
            data,
            all,
            self.line,
            self.column,
            1,
        )))
    }
}

/// The part of a line around the marked bytes that fits into this many columns, and what is marked
/// of it.
fn window(line: &str, marked: Range<usize>, room: usize) -> (String, Range<usize>) {
    let begin = if columns(line) <= room {
        0
    } else {
        // A third of the room stands before the marked part, unless it is near the end anyway.
        let before_mark = back(line, marked.start, room / 3);
        before_mark.min(back(line, line.len(), room - 1))
    };
    let mut shown = String::from(if begin > 0 { "…" } else { "" });
    let mut left = room.saturating_sub(columns(&shown) + 1);
    let mut range = shown.len()..shown.len();
    for (place, c) in line.char_indices().skip_while(|(place, _)| *place < begin) {
        let width = column(c);
        if width > left && columns(&line[place..]) > left + 1 {
            shown.push('…');
            break;
        }
        left = left.saturating_sub(width);
        if place <= marked.start {
            range = shown.len()..shown.len();
        }
        shown.push(match c {
            '\t' => ' ',
            c if c.is_control() => char::REPLACEMENT_CHARACTER,
            c => c,
        });
        if place < marked.end {
            range.end = shown.len();
        }
    }
    if marked.start >= line.len() {
        range = shown.len()..shown.len();
    }
    if shown.is_empty() {
        // Something must stand there to be pointed at.
        shown.push(' ');
    }
    (shown, range)
}

/// The place from which at most this many columns lead to `end`.
fn back(line: &str, end: usize, mut room: usize) -> usize {
    let mut begin = end;
    for c in line[..end].chars().rev() {
        if column(c) > room {
            break;
        }
        room -= column(c);
        begin -= c.len_utf8();
    }
    begin
}

/// The line with secrets that are written out in asterisks, byte for byte: the value of a key that
/// says so, and the password of a URL.
fn without_secret(line: &str) -> String {
    let hidden = secret_value(line)
        .or_else(|| password(line))
        .unwrap_or_default();
    let asterisks = "*".repeat(hidden.len());
    format!(
        "{}{asterisks}{}",
        &line[..hidden.start],
        &line[hidden.end..]
    )
}

fn secret_value(line: &str) -> Option<Span> {
    const SECRETS: [&str; 5] = ["api_key", "auth_key", "password", "secret", "token"];
    let (key, value) = line.split_once('=')?;
    suggest::closest(key.rsplit('.').next()?.trim(), SECRETS)?;
    let value_start = key.len() + 1;
    if value.contains("${") {
        return None;
    }
    let Some(open) = value.find(['"', '\'']) else {
        let blank = value.len() - value.trim_start().len();
        let list = value.trim_start().starts_with(['[', '{']);
        return (!list).then_some(value_start + blank..line.len());
    };
    let start = value_start + open + 1;
    let close = line[start..].rfind(['"', '\'']);
    Some(start..close.map_or(line.len(), |close| start + close))
}

fn password(line: &str) -> Option<Span> {
    let host = line.find("://")? + "://".len();
    let user = line[host..].split_once('@')?.0;
    let start = host + user.find(':')? + 1;
    (!user.contains("${")).then_some(start..host + user.len())
}

/// How many columns a text takes on the screen, nearly: what is written in blocks takes two.
fn columns(text: &str) -> usize {
    text.chars().map(column).sum()
}

fn column(c: char) -> usize {
    if c < '\u{1100}' || ('\u{2000}'..'\u{2e80}').contains(&c) {
        1
    } else {
        2
    }
}

fn digits(number: usize) -> usize {
    number.to_string().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_written_out_is_not_shown() {
        assert_eq!(
            without_secret("api_key = \"é1\" # x"),
            "api_key = \"***\" # x"
        );
        assert_eq!(without_secret("a.pasword = 'x"), "a.pasword = '*");
        assert_eq!(without_secret("token = abc"), "token = ***");
        assert_eq!(without_secret("token = \"a\\\"b\""), "token = \"****\"");
        assert_eq!(
            without_secret("api_key = \"${KEY}\""),
            "api_key = \"${KEY}\""
        );
        assert_eq!(
            without_secret("url = \"pg://me:pw@host/x\""),
            "url = \"pg://me:**@host/x\""
        );
        assert_eq!(without_secret("name = \"a: b@c\""), "name = \"a: b@c\"");
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_marked() {
        let line = "abcdefghijklmnopqrstuvwxyz".repeat(4);
        let (shown, marked) = window(&line, 60..63, 30);
        assert_eq!(
            (shown.as_str(), &shown[marked]),
            ("…yzabcdefghijklmnopqrstuvwxyz…", "ijk")
        );
        let (shown, marked) = window(&line, 0..2, 30);
        assert_eq!((shown.chars().count(), marked), (30, 0..2));
        let (shown, marked) = window(&line, 102..104, 30);
        assert_eq!((shown.chars().count(), &shown[marked]), (30, "yz"));
    }

    #[test]
    fn a_place_at_the_end_of_a_long_line_of_windows_is_shown() {
        let text = format!("{}\r\n", "a".repeat(200));
        let excerpt = Excerpt::new("p.toml", &text, &(200..201), 40);
        assert!(excerpt.shown.ends_with('a'));
        assert_eq!(excerpt.marked(), excerpt.shown.len()..excerpt.shown.len());
    }
}
