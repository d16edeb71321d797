//! By which columns a table is read piece by piece.

use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::catalog::{Column, Index, Kind, Relation};
use crate::session::quoted;

/// The names that the number of a row has, unless a column is called so.
const ROWID: [&str; 3] = ["rowid", "_rowid_", "oid"];
/// How texts are compared unless something else is said: byte by byte.
pub(crate) const BINARY: &str = "BINARY";

/// Columns that tell all rows of a table apart.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) columns: Vec<KeyColumn>,
    /// Whether the database sees to it that they do.
    pub(crate) is_kept: bool,
    /// Whether rows can be had in this order without being sorted, as far as anybody knows.
    pub(crate) is_fast: bool,
}

/// A column of a key.
#[derive(Clone, Debug)]
pub(crate) struct KeyColumn {
    /// Its name, or one of those that the number of a row has.
    pub(crate) name: String,
    /// How its texts are compared.
    pub(crate) collation: String,
}

impl KeyColumn {
    fn of(name: &str, collation: &str) -> Self {
        Self {
            name: name.to_owned(),
            collation: collation.to_owned(),
        }
    }
}

/// A column as SQL compares it by this collation, whatever was declared.
pub(crate) fn collated(column: &str, collation: &str) -> String {
    format!("{} COLLATE {}", quoted(column), quoted(collation))
}

/// The key of a table: the one that the settings say, if they do; `None` when there is none.
///
/// # Errors
///
/// When the one that is said cannot be used.
pub(crate) fn choose(
    table: &str,
    relation: &Relation,
    said: &[String],
) -> Result<Option<Key>, SourceError> {
    let refused = |reason: String| {
        SourceError::new(SourceErrorKind::Pipeline, format!("read {table}"), reason)
    };
    if !said.is_empty() {
        return said_key(relation, said).map(Some).map_err(|missing| {
            let names: Vec<&str> = relation.columns.iter().map(|c| c.name.as_str()).collect();
            refused(format!(
                "its key names `{missing}`, which is no column of it"
            ))
            .help(format!("its columns are {}", names.join(", ")))
        });
    }
    let primary = relation.indexes.iter().find(|index| index.is_primary);
    let columns = match relation.kind {
        Kind::Table => rowid(relation).map(|name| vec![KeyColumn::of(name, BINARY)]),
        Kind::WithoutRowid => primary.filter(|index| index.is_whole).map(key_columns),
        Kind::View | Kind::Virtual | Kind::Query => None,
    };
    Ok(columns.map(|columns| Key {
        columns,
        is_kept: true,
        is_fast: true,
    }))
}

/// What is said of a table that has no key and is too long to be read as one page.
pub(crate) fn no_key(table: &str, relation: &Relation) -> SourceError {
    let reason = match relation.kind {
        Kind::Table => "its columns hide all names of the row's number",
        Kind::WithoutRowid => "its primary key has a column in descending order",
        Kind::View | Kind::Virtual | Kind::Query => {
            "nothing says which of its columns tell its rows apart"
        }
    };
    let doing = format!("read {table} in pages");
    let named = |name: &str| {
        let mut columns = relation.columns.iter();
        columns.find(|column| column.name.eq_ignore_ascii_case(name))
    };
    let column = named("id").or(relation.columns.first());
    let column = column.map_or("id", |column| column.name.as_str());
    SourceError::new(SourceErrorKind::Pipeline, doing, reason).help(format!(
        "say it under the source's `tables`: `{table} = {{ key = [\"{column}\"] }}`"
    ))
}

/// The name by which the number of a row can be had: the column that is it, or one that no other
/// column has.
fn rowid(relation: &Relation) -> Option<&str> {
    if let Some(column) = relation.rowid_column() {
        return Some(&column.name);
    }
    let is_free = |name: &&str| {
        let mut columns = relation.columns.iter();
        !columns.any(|column| column.name.eq_ignore_ascii_case(name))
    };
    ROWID.into_iter().find(is_free)
}

fn key_columns(index: &Index) -> Vec<KeyColumn> {
    let columns = index.columns.iter();
    columns
        .map(|column| KeyColumn::of(&column.name, &column.collation))
        .collect()
}

/// The key that the settings say; the name of a column that there is not.
fn said_key(relation: &Relation, said: &[String]) -> Result<Key, String> {
    let has_rowid = matches!(relation.kind, Kind::Table | Kind::Virtual);
    let is_rowid = |name: &str| {
        has_rowid
            && match relation.column(name) {
                Some(column) => relation
                    .rowid_column()
                    .is_some_and(|rowid| rowid.name == column.name),
                None => ROWID.contains(&name),
            }
    };
    if let Some(missing) = said
        .iter()
        .find(|name| relation.column(name).is_none() && !is_rowid(name))
    {
        return Err(missing.clone());
    }
    if let [name] = said
        && is_rowid(name)
    {
        return Ok(Key {
            columns: vec![KeyColumn::of(name, BINARY)],
            is_kept: relation.kind == Kind::Table,
            is_fast: true,
        });
    }
    let begins = |index: &&Index| {
        index.columns.len() >= said.len()
            && index
                .columns
                .iter()
                .zip(said)
                .all(|(one, name)| one.name == *name)
    };
    let is_null = |name: &String| {
        relation
            .column(name)
            .is_none_or(|column| column.is_nullable)
    };
    let keeps = |index: &&Index| {
        index.is_unique
            && index.is_whole
            && index.columns.len() == said.len()
            && !said.iter().any(is_null)
    };
    let mut indexes = relation.indexes.iter().filter(begins);
    if let Some(index) = indexes.clone().find(keeps) {
        return Ok(Key {
            columns: key_columns(index),
            is_kept: true,
            is_fast: true,
        });
    }
    let in_order = |index: &Index| {
        let columns = index.columns.iter().take(said.len());
        columns.into_iter().all(|column| column.collation == BINARY)
    };
    Ok(Key {
        columns: said
            .iter()
            .map(|name| KeyColumn::of(name, BINARY))
            .collect(),
        is_kept: false,
        is_fast: relation.kind == Kind::View
            || relation.kind == Kind::Query
            || indexes.any(in_order),
    })
}

/// The columns by which rows can be had in order, and are told apart: an index's, then the key's.
pub(crate) fn ordered_by<'a>(index: &'a Index, relation: &'a Relation) -> Vec<&'a Column> {
    let columns = index.columns.iter().map_while(|indexed| {
        let column = relation.column(&indexed.name)?;
        (indexed.collation == BINARY).then_some(column)
    });
    columns.collect()
}
