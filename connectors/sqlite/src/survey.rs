//! What kinds of values the columns of a table really hold, counted over all its rows.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use crate::catalog::{Column, Relation};
use crate::session::{quoted, sql};
use crate::types::{Affinity, Found, is_boolean, is_json};

/// Columns that one statement looks at. SQLite gives at most 2,000 values in a row.
const COLUMNS_AT_ONCE: usize = 200;

/// How many rows there are, and what is in each column.
pub(crate) async fn survey(
    connection: &mut SqliteConnection,
    relation: &Relation,
) -> Result<(u64, Vec<Found>), sqlx::Error> {
    let rowid = relation.rowid_column().map(|column| column.name.as_str());
    let (mut rows, mut found) = (0, Vec::with_capacity(relation.columns.len()));
    for columns in relation.columns.chunks(COLUMNS_AT_ONCE) {
        let guesses: Vec<Guess<'_>> = columns
            .iter()
            .map(|column| Guess::of(column, rowid == Some(column.name.as_str())))
            .collect();
        let asked = guesses.iter().map(Guess::question).collect();
        let row = aggregate(connection, relation, asked).await?;
        rows = unsigned(&row, 0)?;
        let mut some = Vec::with_capacity(columns.len());
        let mut wrong = Vec::new();
        for (place, guess) in guesses.iter().enumerate() {
            let answer = guess.answer(&row, 1 + place * GUESS)?;
            if answer.is_none() {
                wrong.push((place, &columns[place]));
            }
            some.push(answer.unwrap_or_default());
        }
        if !wrong.is_empty() {
            let asked = wrong.iter().map(|(_, column)| questions(column)).collect();
            let row = aggregate(connection, relation, asked).await?;
            for (nth, (place, _)) in wrong.iter().enumerate() {
                some[*place] = answers(&row, 1 + nth * QUESTIONS)?;
            }
        }
        found.extend(some);
    }
    Ok((rows, found))
}

/// What a column probably holds, so that one number tells whether it does.
///
/// To count all kinds of all columns takes three times as long.
struct Guess<'a> {
    column: &'a Column,
    kind: &'static str,
    /// Whether it cannot be wrong.
    is_certain: bool,
}

/// How many answers a guess has.
const GUESS: usize = 6;
/// What a value of another kind than the guessed one counts.
const WRONG: u64 = 1 << 32;

impl<'a> Guess<'a> {
    fn of(column: &'a Column, is_rowid: bool) -> Self {
        let declared = column.declared.to_ascii_uppercase();
        let is_time = declared.contains("DATE") || declared.contains("TIME");
        let kind = match Affinity::of(&declared) {
            _ if is_boolean(&declared) => "integer",
            _ if is_json(&declared) || is_time => "text",
            Affinity::Whole | Affinity::Numeric => "integer",
            Affinity::Real => "real",
            Affinity::Text => "text",
            Affinity::None if declared.is_empty() => "text",
            Affinity::None => "blob",
        };
        Self {
            column,
            kind,
            is_certain: is_rowid,
        }
    }

    fn has_length(&self) -> bool {
        matches!(self.kind, "text" | "blob")
    }

    /// Values of the guessed kind count one, others [`WRONG`]; then the least and the greatest, the
    /// bytes of all and of the longest, and texts that are no JSON, where these matter. Neither
    /// kind nor length makes SQLite read the whole of a value.
    fn question(&self) -> String {
        if self.is_certain {
            return "count(*), NULL, NULL, 0, 0, 0".to_owned();
        }
        let (name, kind) = (quoted(&self.column.name), self.kind);
        let count = format!(
            "coalesce(sum(CASE typeof({name}) WHEN 'null' THEN 0 WHEN '{kind}' THEN 1 \
             ELSE {WRONG} END), 0)"
        );
        let range = match kind == "integer" && is_boolean(&self.column.declared) {
            true => format!("min({name}), max({name})"),
            false => "NULL, NULL".to_owned(),
        };
        let length = match self.has_length() {
            true => format!(
                "coalesce(sum(octet_length({name})), 0), coalesce(max(octet_length({name})), 0)"
            ),
            false => "0, 0".to_owned(),
        };
        format!("{count}, {range}, {length}, {}", no_json(self.column))
    }

    /// What is in the column; `None` when the guess was wrong.
    fn answer(&self, row: &SqliteRow, at: usize) -> Result<Option<Found>, sqlx::Error> {
        let values = unsigned(row, at)?;
        if values >= WRONG && !self.is_certain {
            return Ok(None);
        }
        let range: (Option<i64>, Option<i64>) = (row.try_get(at + 1)?, row.try_get(at + 2)?);
        let mut found = Found {
            range: range.0.zip(range.1),
            bytes: unsigned(row, at + 3)?,
            longest: unsigned(row, at + 4)?,
            no_json: unsigned(row, at + 5)?,
            ..Found::default()
        };
        match self.kind {
            "integer" => found.wholes = values,
            "real" => found.reals = values,
            "text" => found.texts = values,
            _ => found.blobs = values,
        }
        Ok(Some(found))
    }
}

/// How many answers [`questions`] has.
const QUESTIONS: usize = 9;

/// All that can be asked of a column.
fn questions(column: &Column) -> String {
    let name = quoted(&column.name);
    let count = |kind: &str| format!("count(*) FILTER (WHERE typeof({name}) = '{kind}')");
    let whole =
        |aggregate: &str| format!("{aggregate}({name}) FILTER (WHERE typeof({name}) = 'integer')");
    let length = |aggregate: &str| {
        let sized = format!("typeof({name}) IN ('text', 'blob')");
        format!("coalesce({aggregate}(octet_length({name})) FILTER (WHERE {sized}), 0)")
    };
    [
        count("integer"),
        count("real"),
        count("text"),
        count("blob"),
        whole("min"),
        whole("max"),
        length("sum"),
        length("max"),
        no_json(column),
    ]
    .join(", ")
}

/// The answers, which stand in a row from there on.
fn answers(row: &SqliteRow, at: usize) -> Result<Found, sqlx::Error> {
    let range: (Option<i64>, Option<i64>) = (row.try_get(at + 4)?, row.try_get(at + 5)?);
    Ok(Found {
        wholes: unsigned(row, at)?,
        reals: unsigned(row, at + 1)?,
        texts: unsigned(row, at + 2)?,
        blobs: unsigned(row, at + 3)?,
        range: range.0.zip(range.1),
        bytes: unsigned(row, at + 6)?,
        longest: unsigned(row, at + 7)?,
        no_json: unsigned(row, at + 8)?,
    })
}

/// How many texts of a column are no JSON, if it is declared JSON.
fn no_json(column: &Column) -> String {
    let name = quoted(&column.name);
    match is_json(&column.declared) {
        true => {
            format!("count(*) FILTER (WHERE typeof({name}) = 'text' AND NOT json_valid({name}))")
        }
        false => "0".to_owned(),
    }
}

/// The one row of these aggregates over all rows, and before them how many rows there are.
async fn aggregate(
    connection: &mut SqliteConnection,
    relation: &Relation,
    aggregates: Vec<String>,
) -> Result<SqliteRow, sqlx::Error> {
    let mut all = vec!["count(*)".to_owned()];
    all.extend(aggregates);
    let statement = format!("SELECT {} FROM {}", all.join(", "), relation.from);
    // Not to be kept: it is asked once.
    let query = sqlx::query(sql(&statement)).persistent(false);
    query.fetch_one(connection).await
}

fn unsigned(row: &SqliteRow, place: usize) -> Result<u64, sqlx::Error> {
    let count: i64 = row.try_get(place)?;
    Ok(count.unsigned_abs())
}
