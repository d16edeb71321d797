//! One table of the source: its columns, how it is read, and what a person should know of it.

use std::sync::Arc;

use arrow::datatypes::Schema;
use chatferry_core::source::{Order, Rows, SourceError, SourceErrorKind, Table};

use crate::catalog::{self, Column, Index, Relation};
use crate::key::{Key, KeyColumn, Shared};
use crate::session::Session;
use crate::settings::Reading;
use crate::sql::quoted;
use chatferry_config::database::TableSettings;

/// A table, and how it is read.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) table: Arc<Table>,
    /// As many as the schema has, in its order.
    pub(crate) columns: Vec<Column>,
    /// What stands after FROM.
    pub(crate) from: String,
    /// What pages are cut by, unless an order is asked for.
    pub(crate) key: Option<Key>,
    /// What pages may be cut by instead, each with an index behind it.
    pub(crate) other_keys: Vec<Key>,
    pub(crate) reading: Reading,
}

impl Described {
    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Notes that the engine of its table knows no transactions, if it is so.
    pub(crate) fn note_what_has_no_moment(&mut self, target: &Target) {
        if let Target::Relation(relation) = target
            && !relation.transactional
        {
            let table = Arc::make_mut(&mut self.table);
            table.notes.push(
                "its engine knows no transactions, so what is written while it is copied may be \
                 in the copy, however much of one moment the other tables are"
                    .to_owned(),
            );
        }
    }

    /// The key whose order begins with this one.
    pub(crate) fn key_for(&self, order: &Order) -> Option<&Key> {
        let mut keys = self.key.iter().chain(&self.other_keys);
        keys.find(|key| key.order().starts_with(&order.columns))
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
    indexes: Vec<Index>,
    /// Whether its indexes end with the primary key.
    clustered: bool,
    rows: Rows,
    from: String,
    notes: Vec<String>,
}

/// Describes a table.
pub(crate) async fn describe(
    session: &mut Session,
    name: &str,
    target: &Target,
    settings: &TableSettings,
    reading: Reading,
) -> Result<Result<Described, SourceError>, sqlx::Error> {
    let found = find(session, target, reading).await?;
    let Found {
        columns,
        indexes,
        from,
        mut notes,
        ..
    } = found;
    let notes_of_types = columns.iter().filter_map(Column::note);
    notes.extend(notes_of_types);
    let choice = Choice {
        columns: &columns,
        indexes: &indexes,
        reading,
    };
    let (key, other_keys) = match &settings.key {
        Some(names) => match choice.chosen(name, names) {
            Ok(key) => (Some(key), Vec::new()),
            Err(error) => return Ok(Err(error)),
        },
        None => choice.found(found.clustered),
    };
    let is_stored = matches!(target, Target::Relation(relation) if !relation.is_view);
    match &key {
        None => notes.push("it has no key, and is read at once, if it is short".to_owned()),
        Some(key) if is_stored && key.index.is_none() => notes.push(
            "no index begins with its `key`, so the server sorts all rows for each page".to_owned(),
        ),
        Some(_) => {}
    }
    let order = |key: &Key| {
        Some(key.order())
            .filter(|order| !order.is_empty())
            .map(Order::by)
    };
    let fields = columns
        .iter()
        .map(|column| column.type_.field(&column.name));
    let table = Table {
        name: name.to_owned(),
        schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
        orders: key.iter().filter_map(order).collect(),
        can_order: key.iter().chain(&other_keys).filter_map(order).collect(),
        rows: found.rows,
        notes,
    };
    Ok(Ok(Described {
        table: Arc::new(table),
        columns,
        from,
        key,
        other_keys,
        reading,
    }))
}

async fn find(
    session: &mut Session,
    target: &Target,
    reading: Reading,
) -> Result<Found, sqlx::Error> {
    let mariadb = session.is_mariadb();
    let connection = session.connection();
    Ok(match target {
        Target::Relation(relation) => {
            let (columns, hidden) =
                catalog::columns(connection, &relation.name, reading, mariadb).await?;
            let note =
                |name: String| format!("`{name}` may not be read by this user, and is left out");
            Found {
                columns,
                indexes: match relation.is_view {
                    true => Vec::new(),
                    false => catalog::indexes(connection, &relation.name).await?,
                },
                clustered: relation.clustered,
                rows: relation.rows.map_or(Rows::Unknown, Rows::About),
                from: quoted(&relation.name),
                notes: hidden.into_iter().map(note).collect(),
            }
        }
        Target::Query(query) => Found {
            columns: catalog::columns_of_query(connection, query, reading, mariadb).await?,
            indexes: Vec::new(),
            clustered: false,
            rows: Rows::Unknown,
            // The line break ends a comment that the query may end with.
            from: format!("({query}\n) AS {}", quoted("query")),
            notes: Vec::new(),
        },
    })
}

/// What a key is chosen from.
struct Choice<'a> {
    columns: &'a [Column],
    indexes: &'a [Index],
    reading: Reading,
}

impl Choice<'_> {
    /// The key that the settings name.
    fn chosen(&self, table: &str, names: &[String]) -> Result<Key, SourceError> {
        let wrong = |reason: String| {
            let doing = format!("read {table} by its `key`");
            SourceError::new(SourceErrorKind::Pipeline, doing, reason)
        };
        for name in names {
            let column = self.columns.iter().find(|column| column.name == *name);
            let Some(column) = column else {
                let known: Vec<&str> = self.columns.iter().map(|column| &*column.name).collect();
                return Err(wrong(format!("it has no column `{name}`"))
                    .help(format!("its columns are {}", known.join(", "))));
            };
            if KeyColumn::new(column, self.reading).is_none() {
                return Err(wrong(format!("values of `{name}` cannot be compared"))
                    .help("choose numbers, times, or text"));
            }
        }
        let unique = |index: &&Index| {
            index.unique && index.columns.iter().all(|column| names.contains(column))
        };
        let unique = self.indexes.iter().any(|index| unique(&index)) && self.never_null(names);
        let mut indexes = self.indexes.iter();
        let index = indexes.find(|index| index.columns.starts_with(names));
        let mut key = self.key(names, index).expect("each column was looked at");
        key.shared = match key.columns.iter().all(|column| column.exact) {
            _ if unique => Shared::Never,
            true => Shared::Seen,
            false => Shared::Unseen,
        };
        Ok(key)
    }

    /// The key that the table has, and those that other indexes make.
    fn found(&self, clustered: bool) -> (Option<Key>, Vec<Key>) {
        let usable = self
            .indexes
            .iter()
            .filter(|index| self.never_null(&index.columns));
        let usable: Vec<&Index> = usable.collect();
        let of = |index: &&&Index| self.key(&index.columns, Some(index));
        let unique = usable.iter().filter(|index| index.unique);
        let Some(own) = unique.clone().find_map(|index| of(&index)) else {
            return (None, Vec::new());
        };
        let primary = usable.iter().find(|index| index.name == "PRIMARY");
        let mut others: Vec<Key> = Vec::new();
        for index in &usable {
            let mut names = index.columns.clone();
            if !index.unique {
                // Rows that are alike in it come in the order of the primary key.
                let Some(primary) = primary.filter(|_| clustered) else {
                    continue;
                };
                let rest = primary
                    .columns
                    .iter()
                    .filter(|name| !index.columns.contains(name));
                names.extend(rest.cloned());
            }
            let Some(key) = self.key(&names, Some(index)) else {
                continue;
            };
            let mut known = std::iter::once(&own).chain(&others);
            if !key.order().is_empty()
                && !known.any(|known| known.order().starts_with(&key.order()))
            {
                others.push(key);
            }
        }
        (Some(own), others)
    }

    /// A key of these columns, if they are there and can be compared. No two rows have the same.
    fn key(&self, names: &[String], index: Option<&Index>) -> Option<Key> {
        let column = |name: &String| {
            let column = self.columns.iter().find(|column| column.name == *name)?;
            KeyColumn::new(column, self.reading)
        };
        let columns: Option<Vec<_>> = names.iter().map(column).collect();
        Some(Key {
            columns: columns.filter(|columns| !columns.is_empty())?,
            shared: Shared::Never,
            index: index.map(|index| index.name.clone()),
        })
    }

    fn never_null(&self, names: &[String]) -> bool {
        let is = |name: &String| {
            let mut columns = self.columns.iter();
            columns.any(|column| column.name == *name && !column.nullable)
        };
        names.iter().all(is)
    }
}
