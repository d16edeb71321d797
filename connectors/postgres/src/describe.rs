//! One table of the source: its columns, how it is read, and what a person should know of it.

use std::sync::Arc;

use arrow::datatypes::Schema;
use chatferry_core::source::{Order, Rows, SourceError, SourceErrorKind, Table};
use sqlx::Row;
use sqlx::postgres::PgConnection;

use crate::catalog::{self, Collation, Column, Index, Relation, Types};
use crate::key::{Key, KeyColumn};
use crate::page::{SOURCE, quoted};
use crate::types::{Reading, reading};
use chatferry_config::database::TableSettings;

/// A table, and how it is read.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) table: Arc<Table>,
    pub(crate) columns: Vec<ReadColumn>,
    /// What stands after FROM.
    pub(crate) from: String,
    /// What pages are cut by, unless an order is asked for.
    pub(crate) key: Option<Key>,
    /// What pages may be cut by instead, each with an index behind it.
    pub(crate) other_keys: Vec<Key>,
}

/// A column, and how it is read.
#[derive(Clone, Debug)]
pub(crate) struct ReadColumn {
    pub(crate) name: String,
    pub(crate) reading: Reading,
    pub(crate) collation: Collation,
    /// Its type in SQL.
    pub(crate) kind: String,
    pub(crate) never_null: bool,
}

impl ReadColumn {
    /// Whether its type compares as text does: `char(n)` leaves blanks out, `citext` the case.
    pub(crate) fn is_plain_text(&self) -> bool {
        const PLAIN: [&str; 3] = [
            "pg_catalog.\"text\"",
            "pg_catalog.\"varchar\"",
            "pg_catalog.\"name\"",
        ];
        PLAIN.contains(&self.kind.as_str()) && self.collation != Collation::Loose
    }
}

impl Described {
    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<&ReadColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The key whose order begins with this one.
    pub(crate) fn key_for(&self, order: &Order) -> Option<&Key> {
        let keys = self.key.iter().chain(&self.other_keys);
        let mut keys = keys.filter(|key| key.order().starts_with(&order.columns));
        keys.next()
    }
}

/// What a table of the source is in the database.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Relation(Relation),
    Query(String),
}

/// What the database told of a table.
struct Found {
    columns: Vec<Column>,
    types: Types,
    indexes: Vec<Index>,
    rows: Option<u64>,
    from: String,
}

/// Describes a table.
pub(crate) async fn describe(
    connection: &mut PgConnection,
    name: &str,
    target: &Target,
    settings: &TableSettings,
) -> Result<Result<Described, SourceError>, sqlx::Error> {
    let mut found = find(connection, target).await?;
    let mut notes = Vec::new();
    found.columns.retain(|column| {
        if !column.readable {
            let note = format!(
                "`{}` may not be read by this user, and is left out",
                column.name
            );
            notes.push(note);
        }
        column.readable
    });
    let columns: Vec<ReadColumn> = found
        .columns
        .iter()
        .map(|column| read_column(column, &found.types, &mut notes))
        .collect();
    let never_null = |name: &String| {
        let mut columns = found.columns.iter();
        columns.any(|column| column.name == *name && column.not_null)
    };
    let by = |names: &[String], unique| key(&columns, names, unique);
    let is_unique = |names: &[String]| {
        let mut unique = found.indexes.iter().filter(|index| index.unique);
        unique.any(|index| index.columns.iter().all(|column| names.contains(column)))
            && names.iter().all(never_null)
    };

    let (key, other_keys) = match &settings.key {
        Some(names) => {
            if let Some(unknown) = names
                .iter()
                .find(|name| by(std::slice::from_ref(name), false).is_none())
            {
                return Ok(Err(no_such_key(name, unknown, &columns)));
            }
            if !names.iter().all(never_null)
                && let Some(null) = first_null(connection, &found.from, names).await?
            {
                return Ok(Err(null_in_key(name, &null)));
            }
            let key = by(names, is_unique(names));
            if let Some(key) = &key
                && let Some(loose) = key
                    .columns
                    .iter()
                    .find(|column| !key.unique && !column.exact)
            {
                return Ok(Err(loose_key(name, &loose.name)));
            }
            (key, Vec::new())
        }
        None => {
            let usable = found
                .indexes
                .iter()
                .filter(|index| index.columns.iter().all(never_null));
            let mut unique = usable.filter(|index| index.unique);
            let own = unique.next().and_then(|index| by(&index.columns, true));
            let others = match &own {
                Some(own) => ordered_keys(&found.indexes, own, &never_null, &by),
                None => Vec::new(),
            };
            (own, others)
        }
    };
    let keys = key.iter().chain(&other_keys);
    let can_order: Vec<Order> = keys
        .map(Key::order)
        .filter(|order| !order.is_empty())
        .map(Order::by)
        .collect();
    let orders = key
        .as_ref()
        .map(Key::order)
        .filter(|order| !order.is_empty());
    let fields: Vec<_> = columns
        .iter()
        .map(|column| column.reading.kind.field(&column.name))
        .collect();
    let table = Table {
        name: name.to_owned(),
        schema: Arc::new(Schema::new(fields)),
        orders: orders.map(Order::by).into_iter().collect(),
        can_order,
        rows: found.rows.map_or(Rows::Unknown, Rows::About),
        notes,
    };
    Ok(Ok(Described {
        table: Arc::new(table),
        columns,
        from: found.from,
        key,
        other_keys,
    }))
}

async fn find(connection: &mut PgConnection, target: &Target) -> Result<Found, sqlx::Error> {
    let (columns, indexes, rows, from) = match target {
        Target::Relation(relation) => (
            catalog::columns(connection, relation.oid).await?,
            catalog::indexes(connection, relation.oid).await?,
            relation.rows,
            format!("{}.{}", quoted(&relation.schema), quoted(&relation.name)),
        ),
        Target::Query(query) => {
            let from = format!("({query}\n)");
            let statement = format!("SELECT * FROM {from} AS {SOURCE}");
            let columns = catalog::columns_of_query(connection, statement).await?;
            (columns, Vec::new(), None, from)
        }
    };
    let kinds: Vec<_> = columns.iter().map(|column| column.kind).collect();
    Ok(Found {
        types: catalog::types(connection, &kinds).await?,
        columns,
        indexes,
        rows,
        from,
    })
}

fn read_column(column: &Column, types: &Types, notes: &mut Vec<String>) -> ReadColumn {
    let mut reading = reading(column, types);
    notes.extend(reading.note.take());
    let kind = match types.get(&column.kind) {
        Some(kind) if kind.schema == "pg_catalog" => format!("pg_catalog.{}", quoted(&kind.name)),
        Some(kind) => format!("{}.{}", quoted(&kind.schema), quoted(&kind.name)),
        None => "text".to_owned(),
    };
    ReadColumn {
        name: column.name.clone(),
        reading,
        collation: column.collation,
        kind,
        never_null: column.not_null,
    }
}

/// A key of these columns, if they are all there.
fn key(columns: &[ReadColumn], names: &[String], unique: bool) -> Option<Key> {
    let column = |name: &String| {
        let mut columns = columns.iter();
        columns
            .find(|column| column.name == *name)
            .map(KeyColumn::new)
    };
    let columns: Option<Vec<_>> = names.iter().map(column).collect();
    let columns = columns.filter(|columns| !columns.is_empty())?;
    Some(Key { columns, unique })
}

/// Keys that begin with the columns of an index and end with those of the table's own key, which
/// makes them unique: PostgreSQL reads such a page by the index, and sorts only rows that share it.
fn ordered_keys(
    indexes: &[Index],
    own: &Key,
    never_null: &impl Fn(&String) -> bool,
    by: &impl Fn(&[String], bool) -> Option<Key>,
) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for index in indexes {
        let leading = index.columns.iter().take_while(|name| never_null(name));
        let mut names: Vec<String> = leading.cloned().collect();
        if names.is_empty() {
            continue;
        }
        for column in &own.columns {
            if !names.contains(&column.name) {
                names.push(column.name.clone());
            }
        }
        let known = |key: &Key| key.columns.iter().map(|column| &column.name).eq(&names);
        if !known(own) && !keys.iter().any(known) {
            let key = by(&names, true).filter(|key| !key.order().is_empty());
            keys.extend(key);
        }
    }
    keys
}

/// The first of these columns that is null somewhere.
async fn first_null(
    connection: &mut PgConnection,
    from: &str,
    names: &[String],
) -> Result<Option<String>, sqlx::Error> {
    for name in names {
        let statement = format!(
            "SELECT EXISTS (SELECT FROM {from} AS {SOURCE} WHERE {} IS NULL)",
            quoted(name)
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .fetch_one(&mut *connection)
            .await?;
        if row.try_get(0)? {
            return Ok(Some(name.clone()));
        }
    }
    Ok(None)
}

fn no_such_key(table: &str, name: &str, columns: &[ReadColumn]) -> SourceError {
    let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let doing = format!("read {table}");
    let reason = format!("its `key` names `{name}`, and it has no such column");
    SourceError::new(SourceErrorKind::Pipeline, doing, reason)
        .help(format!("its columns are {}", known.join(", ")))
}

fn null_in_key(table: &str, name: &str) -> SourceError {
    let doing = format!("read {table} by its `key`");
    let reason = format!("`{name}` is null in some row, which no page would have");
    SourceError::new(SourceErrorKind::Pipeline, doing, reason).help(
        "choose columns that are never null, or leave those rows out with a `query` of the table",
    )
}

fn loose_key(table: &str, name: &str) -> SourceError {
    let doing = format!("read {table} by its `key`");
    let reason = format!(
        "no unique index has these columns, and values of `{name}` that differ may be equal to \
         the database"
    );
    SourceError::new(SourceErrorKind::Pipeline, doing, reason)
        .help("choose numbers, times or UUIDs, or columns that a unique index has")
}
