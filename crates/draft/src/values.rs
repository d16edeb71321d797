//! What the values of a column look like.

use chrono::{NaiveDate, NaiveDateTime};

use crate::seen::{Column, Kind};

/// How a time is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    /// As the source's own type for times.
    Own,
    /// As a number of this unit since 1970.
    Since1970(&'static str),
    /// As numbers of several units, which their size tells apart.
    Mixed,
    /// As text by ISO 8601.
    Iso,
    /// As text of this form.
    Form(&'static str),
}

/// Forms of times that people write, the ones that tell day from month first.
const FORMS: [&str; 10] = [
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d-%m-%Y %H:%M:%S",
    "%d %b %Y %H:%M:%S",
];
/// 2000 and 2100, in seconds: the times that a chat can be of.
const YEARS: std::ops::Range<i64> = 946_684_800..4_102_444_800;
/// Units of numbers, and how many of them a second has.
const UNITS: [(&str, i64); 4] = [
    ("seconds", 1),
    ("milliseconds", 1_000),
    ("microseconds", 1_000_000),
    ("nanoseconds", 1_000_000_000),
];

impl Clock {
    /// How a column keeps times, if it does.
    pub(crate) fn of(column: &Column) -> Option<Self> {
        match column.kind {
            Kind::Time => Some(Self::Own),
            Kind::Whole | Kind::Number => numbers(column),
            Kind::Text => texts(column),
            _ => None,
        }
    }

    /// What there is to say of it.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Own => "a time of the source's own type".into(),
            Self::Since1970(unit) => format!("{unit} since 1970"),
            Self::Mixed => "seconds and finer units since 1970, told apart by their size".into(),
            Self::Iso => "ISO 8601".into(),
            Self::Form(form) => format!("text such as {form}"),
        }
    }
}

fn unit(number: i64) -> Option<&'static str> {
    let fits = |(_, per_second): &&(&str, i64)| YEARS.contains(&(number / per_second));
    UNITS.iter().find(fits).map(|(unit, _)| *unit)
}

fn numbers(column: &Column) -> Option<Clock> {
    let mut found = None;
    for value in column.present().filter(|value| *value != "0") {
        let whole = value.split('.').next().unwrap_or(value);
        let unit = unit(whole.parse().ok()?)?;
        found = match found {
            None => Some(Clock::Since1970(unit)),
            Some(Clock::Since1970(known)) if known == unit => found,
            Some(_) => Some(Clock::Mixed),
        };
    }
    found
}

fn texts(column: &Column) -> Option<Clock> {
    let values: Vec<&str> = column.present().collect();
    if values.is_empty() {
        return None;
    }
    let all = |is: &dyn Fn(&str) -> bool| values.iter().all(|value| is(value));
    if all(&|value| value.len() >= 10 && value.is_ascii() && is_iso(value)) {
        return Some(Clock::Iso);
    }
    let form = |form: &&&str| all(&|value| NaiveDateTime::parse_from_str(value, form).is_ok());
    if let Some(form) = FORMS.iter().find(form) {
        return Some(Clock::Form(form));
    }
    match all(&|value| value.bytes().all(|byte| byte.is_ascii_digit())) {
        true => numbers(column),
        false => None,
    }
}

fn is_iso(value: &str) -> bool {
    let (date, rest) = value.split_at(10);
    NaiveDate::parse_from_str(date, "%Y-%m-%d").is_ok()
        && (rest.is_empty() || rest.starts_with([' ', 'T', 't']))
}

/// What says that something is so, in SQL: `deleted`, `deleted = 'true'`.
pub(crate) fn yes(column: &Column, name: &str) -> Option<String> {
    match column.kind {
        Kind::Flag => Some(format!("coalesce({name}, false)")),
        Kind::Whole => {
            let is_flag = column.present().all(|value| value == "0" || value == "1");
            is_flag.then(|| format!("coalesce({name}, 0) <> 0"))
        }
        Kind::Text => {
            let words = ["true", "false", "t", "f", "yes", "no", "y", "n", "0", "1"];
            let mut values = column.present();
            let is_flag = values.all(|value| words.contains(&value.to_lowercase().as_str()));
            let some = column.present().next().is_some();
            (is_flag && some)
                .then(|| format!("lower(coalesce({name}, '')) IN ('true', 't', 'yes', 'y', '1')"))
        }
        _ => None,
    }
}

/// Whether values are addresses on the web, or paths of a server: and whether some are the latter.
pub(crate) fn addresses(column: &Column) -> Option<bool> {
    let mut some = false;
    let mut paths = false;
    for value in column.present() {
        let is_path = value.starts_with('/');
        if !is_path && !value.starts_with("http://") && !value.starts_with("https://") {
            return None;
        }
        some = true;
        paths |= is_path;
    }
    (some && column.kind == Kind::Text).then_some(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(kind: Kind, values: &[&str]) -> Option<Clock> {
        Clock::of(&Column {
            name: "at".into(),
            kind,
            values: values
                .iter()
                .map(|value| Some((*value).to_owned()))
                .collect(),
        })
    }

    #[test]
    fn times_are_told_by_their_values() {
        let number = |values| clock(Kind::Whole, values);
        assert_eq!(number(&["1700000000"]), Some(Clock::Since1970("seconds")));
        assert_eq!(
            number(&["1700000000000", "0"]),
            Some(Clock::Since1970("milliseconds"))
        );
        assert_eq!(
            number(&["1700000000000000"]),
            Some(Clock::Since1970("microseconds"))
        );
        assert_eq!(number(&["1700000000000", "1500000000"]), Some(Clock::Mixed));
        assert_eq!(number(&["17", "1700000000"]), None);
        assert_eq!(number(&[]), None);
        let text = |values| clock(Kind::Text, values);
        assert_eq!(
            text(&["2024-05-01 10:00:00", "2024-05-01T10:00:00Z"]),
            Some(Clock::Iso)
        );
        assert_eq!(
            text(&["31.12.2023 10:00"]),
            Some(Clock::Form("%d.%m.%Y %H:%M"))
        );
        assert_eq!(
            text(&["12/31/2023 10:00"]),
            Some(Clock::Form("%m/%d/%Y %H:%M"))
        );
        assert_eq!(
            text(&["1700000000000"]),
            Some(Clock::Since1970("milliseconds"))
        );
        assert_eq!(text(&["hello", "2024-05-01"]), None);
        assert_eq!(clock(Kind::Time, &[]), Some(Clock::Own));
    }
}
