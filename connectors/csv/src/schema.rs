//! What a person may write of what columns hold.

use chatferry_config::{Node, Section, Setting, Shape};
use chatferry_core::Mistake;
use chrono::format::{Item, StrftimeItems};

use crate::kind::Kind;

/// The kinds that a word says.
const WORDS: [&str; 8] = [
    "text",
    "bigint",
    "double",
    "boolean",
    "date",
    "timestamp",
    "timestamptz",
    "json",
];
/// What can be said instead of a word.
const FORMS: &str = "write one of the words, `\"decimal(12, 2)\"`, or what values look like: \
    `{ timestamp = \"%d/%m/%Y %H:%M\" }`, `{ timestamptz = \"%Y-%m-%d %H:%M:%S %z\" }`, \
    `{ date = \"%d.%m.%Y\" }`, `{ boolean = [\"yes\", \"no\"] }`";

/// Reads a `schema`: the names of columns, and what each holds.
pub(crate) fn read(node: &Node<'_>) -> Option<Vec<(String, Kind)>> {
    let mut section = node.section()?;
    let read = |(name, _, node): (&str, _, Node<'_>)| Some((name.to_owned(), kind(&node)?));
    let columns: Vec<Option<_>> = section.entries().into_iter().map(read).collect();
    columns.into_iter().collect()
}

fn kind(node: &Node<'_>) -> Option<Kind> {
    match node.kind() {
        Shape::Table => formatted(node),
        Shape::Text if node.raw().is_some_and(|raw| raw.starts_with("decimal")) => decimal(node),
        _ => Some(match node.choice(&WORDS)?.value {
            "text" => Kind::Text,
            "bigint" => Kind::Bigint,
            "double" => Kind::Double,
            "boolean" => Kind::Boolean(None),
            "date" => Kind::Date(None),
            "timestamp" => Kind::Timestamp(None),
            "timestamptz" => Kind::Instant(None),
            _ => Kind::Json,
        }),
    }
}

fn decimal(node: &Node<'_>) -> Option<Kind> {
    let text = node.text()?;
    let digits = text.value.strip_prefix("decimal(");
    let digits = digits.and_then(|rest| rest.strip_suffix(')')?.split_once(','));
    let kind = digits.and_then(|(precision, scale)| {
        let (precision, scale): (u8, i8) =
            (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
        let fits = (1..=38).contains(&precision) && scale >= 0 && scale.unsigned_abs() <= precision;
        fits.then_some(Kind::Decimal(precision, scale))
    });
    if kind.is_none() {
        let message =
            "a decimal says how many digits there are, up to 38, and how many behind the point";
        let mistake = Mistake::error("csv::decimal", message, text.at);
        node.mistake(mistake.help("such as `\"decimal(12, 2)\"` for -1234567890.12"));
    }
    kind
}

/// A table with one key: the kind, and what its values look like.
fn formatted(node: &Node<'_>) -> Option<Kind> {
    let mut section: Section<'_> = node.section()?;
    let date = section.text("date");
    let timestamp = section.text("timestamp");
    let instant = section.text("timestamptz");
    let boolean = section.texts("boolean");
    drop(section);
    let mistake = |code, message: &str, help: &str| {
        node.mistake(Mistake::error(code, message, node.at()).help(help));
        None
    };
    match (date, timestamp, instant, boolean) {
        (Some(format), None, None, None) => Some(Kind::Date(Some(checked(node, &format, None)?))),
        (None, Some(format), None, None) => {
            Some(Kind::Timestamp(Some(checked(node, &format, Some(false))?)))
        }
        (None, None, Some(format), None) => {
            Some(Kind::Instant(Some(checked(node, &format, Some(true))?)))
        }
        (None, None, None, Some(words)) => match words.as_slice() {
            [yes, no] if yes.value != no.value => {
                Some(Kind::Boolean(Some([yes.value.clone(), no.value.clone()])))
            }
            _ => mistake(
                "csv::boolean",
                "a boolean has two words",
                "what stands for true, and what for false: `[\"yes\", \"no\"]`",
            ),
        },
        _ => mistake(
            "csv::schema",
            "this says of one kind what its values look like",
            FORMS,
        ),
    }
}

/// A format of times, if it can be used: with a zone, without one, or of a day alone.
fn checked(node: &Node<'_>, format: &Setting<String>, zone: Option<bool>) -> Option<String> {
    let items: Vec<Item<'_>> = StrftimeItems::new(&format.value).collect();
    let has_zone = ["%z", "%:z", "%#z", "%+", "%s"]
        .iter()
        .any(|part| format.value.contains(part));
    let (message, help) = if items.contains(&Item::Error) || !format.value.contains('%') {
        (
            "this is no format of times",
            "its parts are those of `strftime`, such as `%Y-%m-%d %H:%M:%S`",
        )
    } else if zone == Some(true) && !has_zone {
        (
            "this format has no zone",
            "add `%z`, or say `timestamp` where the values have none",
        )
    } else if zone == Some(false) && has_zone {
        (
            "this format has a zone",
            "say `timestamptz`; it arrives in UTC",
        )
    } else {
        return Some(format.value.clone());
    };
    node.mistake(Mistake::error("csv::format", message, format.at.clone()).help(help));
    None
}
