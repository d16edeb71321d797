//! A table's column for some purpose.

use crate::seen::{Column, Kind, Seen};
use crate::values::Clock;
use crate::words;

/// What a match of a whole name is worth, beside one of its last word.
const WHOLE: usize = 600;
const WITHOUT_TABLE: usize = 500;
const LAST_WORD: usize = 200;

/// The column that is called so most plainly, of those that fit. Words that stand first go before
/// others.
pub(crate) fn find<'t>(
    table: &'t Seen,
    wanted: &[&str],
    fits: impl Fn(&Column) -> bool,
) -> Option<&'t Column> {
    best(table, wanted, fits).map(|(_, column)| column)
}

/// The same, of those that are called just so: a `reply_to` is no `to`.
pub(crate) fn find_exactly<'t>(
    table: &'t Seen,
    wanted: &[&str],
    fits: impl Fn(&Column) -> bool,
) -> Option<&'t Column> {
    let found = best(table, wanted, fits);
    let is_plain = |(score, _): &(usize, &Column)| *score > LAST_WORD;
    found.filter(is_plain).map(|(_, column)| column)
}

fn best<'t>(
    table: &'t Seen,
    wanted: &[&str],
    fits: impl Fn(&Column) -> bool,
) -> Option<(usize, &'t Column)> {
    let own = table.words();
    let scored = table.columns.iter().filter(|column| fits(column));
    let scored = scored.filter_map(|column| Some((score(&own, &column.name, wanted)?, column)));
    scored.reduce(|best, next| if next.0 > best.0 { next } else { best })
}

fn score(table: &[String], name: &str, wanted: &[&str]) -> Option<usize> {
    let all = words::of(name);
    let stem = words::stem(&all);
    let of_table = |word: &String| table.iter().any(|own| words::same(own, word));
    let rest: Vec<String> = stem
        .iter()
        .skip_while(|word| of_table(word))
        .cloned()
        .collect();
    let scores = wanted.iter().enumerate().filter_map(|(place, wanted)| {
        let wanted: String = wanted.split(' ').collect();
        let is = |words: &[String]| !words.is_empty() && words.concat() == wanted;
        let level = if is(&all) || is(&stem) {
            WHOLE
        } else if is(&rest) {
            WITHOUT_TABLE
        } else if stem.last().is_some_and(|last| words::is(last, &wanted)) {
            LAST_WORD
        } else {
            return None;
        };
        Some(level - 2 * place)
    });
    scores.max()
}

/// Whether a column's name says that it tells things apart.
pub(crate) fn is_id(column: &Column) -> bool {
    let words = words::of(&column.name);
    let last = words
        .last()
        .is_some_and(|last| words::IDS.contains(&last.as_str()));
    last || words.first().is_some_and(|first| first == "fk")
}

/// Whether a column may refer to something: it has what tells things apart.
pub(crate) fn refers(column: &Column) -> bool {
    let is_value = matches!(column.kind, Kind::Text | Kind::Whole | Kind::Other);
    is_value && (column.kind != Kind::Text || !is_long(column)) && !is_time(column)
}

/// Whether a column holds what people wrote.
pub(crate) fn is_writing(column: &Column) -> bool {
    column.kind == Kind::Text && !is_id(column) && Clock::of(column).is_none()
}

/// Whether a column's texts are longer than names are, but for a few.
fn is_long(column: &Column) -> bool {
    let long = column.present().filter(|value| value.chars().count() > 150);
    long.count() * 10 > column.present().count()
}

/// Whether a column holds times, or may as far as can be seen.
pub(crate) fn may_be_time(column: &Column) -> bool {
    let is_empty = column.present().all(|value| value == "0");
    let could = matches!(column.kind, Kind::Time | Kind::Whole | Kind::Text);
    is_time(column) || (is_empty && could && !is_id(column))
}

/// Whether a column holds times.
pub(crate) fn is_time(column: &Column) -> bool {
    Clock::of(column).is_some()
}

/// A short text column, such as of names.
pub(crate) fn is_name(column: &Column) -> bool {
    column.kind == Kind::Text && !is_id(column) && Clock::of(column).is_none() && !is_long(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, columns: &[&str]) -> Seen {
        Seen {
            name: format!("legacy.{name}"),
            columns: columns
                .iter()
                .map(|name| Column {
                    name: (*name).to_owned(),
                    kind: Kind::Text,
                    values: Vec::new(),
                })
                .collect(),
            rows: None,
            whole: false,
            key: Vec::new(),
        }
    }

    fn found<'t>(table: &'t Seen, wanted: &[&str]) -> Option<&'t str> {
        find(table, wanted, |_| true).map(|column| column.name.as_str())
    }

    #[test]
    fn a_column_is_found_by_what_people_call_it() {
        let messages = table(
            "messages",
            &["message_id", "roomId", "user_id", "msg_text", "sentAt"],
        );
        assert_eq!(found(&messages, words::SENDER), Some("user_id"));
        assert_eq!(found(&messages, words::IN_ROOM), Some("roomId"));
        assert_eq!(found(&messages, words::SENT), Some("sentAt"));
        assert_eq!(found(&messages, words::PARENT), None);
        let users = table(
            "tbl_users",
            &["user_login", "user_name", "real_name", "pic"],
        );
        assert_eq!(found(&users, words::NAME), Some("real_name"));
        assert_eq!(found(&users, words::PICTURE), Some("pic"));
        let german = table("nachrichten", &["absender_id", "gesendet_am", "nachricht"]);
        assert_eq!(found(&german, words::SENDER), Some("absender_id"));
        assert_eq!(found(&german, words::SENT), Some("gesendet_am"));
        assert_eq!(found(&german, words::BODY), Some("nachricht"));
    }
}
