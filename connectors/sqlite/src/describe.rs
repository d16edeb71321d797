//! What a table has: it is read once, since only its values tell what its columns hold.

use std::sync::Arc;

use arrow::datatypes::Schema;
use chatferry_core::source::{Order, Rows, SourceError, Table};

use crate::catalog::{self, Column, Kind, Relation};
use crate::failure::failed;
use crate::key::{BINARY, Key, choose, no_key, ordered_by};
use crate::page::ONE_PAGE_BYTES;
use crate::session::{Database, FEW};
use crate::survey::survey;
use crate::types::{Arrives, Found};
use chatferry_config::database::TableSettings;

/// A table, and what is known of it.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) table: Arc<Table>,
    pub(crate) relation: Relation,
    /// By which it is read in pages; without one it is short enough to be read as one page.
    pub(crate) key: Option<Key>,
    /// What each column arrives as, and what was found in it.
    pub(crate) columns: Vec<(Arrives, Found)>,
    /// Whether texts are kept in the encoding that Arrow has.
    pub(crate) is_utf8: bool,
    pub(crate) rows: u64,
}

impl Described {
    /// What a column arrives as.
    pub(crate) fn arrives(&self, name: &str) -> Option<(&Column, Arrives)> {
        let column = self
            .relation
            .columns
            .iter()
            .position(|column| column.name == name)?;
        Some((&self.relation.columns[column], self.columns[column].0))
    }

    /// Whether the values of a column are in Arrow's order when they are in SQLite's, compared
    /// byte by byte.
    pub(crate) fn is_ordered_alike(&self, name: &str) -> bool {
        is_ordered_alike(&self.relation, &self.columns, self.is_utf8, name)
    }

    /// Whether saying this collation makes a difference to how a column is compared.
    pub(crate) fn depends_on_collation(&self, name: &str, collation: &str) -> bool {
        let declared = self.relation.is_plain && collation.eq_ignore_ascii_case(BINARY);
        let has_text = |arrives| matches!(arrives, Arrives::Text | Arrives::Json | Arrives::Mixed);
        !declared
            && self
                .arrives(name)
                .is_some_and(|(_, arrives)| has_text(arrives))
    }

    /// Whether a column is null in no row, because SQLite does not let it be.
    pub(crate) fn is_never_null(&self, name: &str) -> bool {
        is_never_null(&self.relation, name)
    }
}

/// Reads a table of the database, or the query that the settings say it is.
///
/// # Errors
///
/// When it cannot be read, or not piece by piece.
pub(crate) async fn describe(
    database: &Database,
    name: &str,
    kind: Kind,
    settings: &TableSettings,
) -> Result<Described, SourceError> {
    let mut connection = database.open(FEW).await?;
    let wrong = |error| failed(format!("read {name}"), database, error);
    let relation = match &settings.query {
        Some(query) => catalog::query(&mut connection, query).await,
        None => {
            let table = settings.table.as_deref().unwrap_or(name);
            catalog::relation(&mut connection, table, kind).await
        }
    };
    let relation = relation.map_err(wrong)?;
    let key = choose(name, &relation, settings.key.as_deref().unwrap_or_default())?;
    let is_utf8 = catalog::is_utf8(&mut connection).await.map_err(wrong)?;
    let (rows, found) = survey(&mut connection, &relation).await.map_err(wrong)?;
    let mut notes = Vec::new();
    let mut columns = Vec::with_capacity(found.len());
    for (column, found) in relation.columns.iter().zip(found) {
        let (arrives, note) = Arrives::decide(&column.name, &column.declared, &found);
        notes.extend(note);
        columns.push((arrives, found));
    }
    match &key {
        Some(key) if !key.is_fast && rows > 0 => notes.push(slow(key)),
        None if bytes(&columns) > ONE_PAGE_BYTES => return Err(no_key(name, &relation)),
        _ => {}
    }
    let (orders, can_order) = match &key {
        Some(key) => orders(&relation, key, &columns, is_utf8),
        None => (Vec::new(), Vec::new()),
    };
    let fields = relation.columns.iter().zip(&columns);
    let fields = fields.map(|(column, (arrives, _))| arrives.field(&column.name));
    Ok(Described {
        table: Arc::new(Table {
            name: name.to_owned(),
            schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())),
            orders,
            can_order,
            rows: Rows::Exactly(rows),
            notes,
        }),
        relation,
        key,
        columns,
        is_utf8,
        rows,
    })
}

/// Bytes of all values, roughly.
fn bytes(columns: &[(Arrives, Found)]) -> u64 {
    let columns = columns.iter();
    columns
        .map(|(_, found)| found.bytes + (found.wholes + found.reals) * 8)
        .sum()
}

fn slow(key: &Key) -> String {
    let names: Vec<&str> = key
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let names = names.join(", ");
    format!(
        "no index begins with its key, so each page sorts all rows; an index on ({names}) makes it \
         fast"
    )
}

fn is_never_null(relation: &Relation, name: &str) -> bool {
    let Some(column) = relation.column(name) else {
        return false;
    };
    let is_rowid = relation
        .rowid_column()
        .is_some_and(|rowid| rowid.name == name);
    let is_key = relation.kind == Kind::WithoutRowid && column.is_primary;
    is_rowid || is_key || !column.is_nullable
}

fn is_ordered_alike(
    relation: &Relation,
    columns: &[(Arrives, Found)],
    is_utf8: bool,
    name: &str,
) -> bool {
    let mut both = relation.columns.iter().zip(columns);
    let found = both.find(|(column, _)| column.name == name);
    match found.map(|(_, (arrives, _))| arrives) {
        Some(Arrives::Flag | Arrives::Whole) => true,
        Some(Arrives::Text) => is_utf8,
        _ => false,
    }
}

/// The order of the rows when none is asked for, and the orders that may be: that of the key, and
/// those that indexes keep.
fn orders(
    relation: &Relation,
    key: &Key,
    columns: &[(Arrives, Found)],
    is_utf8: bool,
) -> (Vec<Order>, Vec<Order>) {
    let alike = |name: &str| is_ordered_alike(relation, columns, is_utf8, name);
    let key_names: Vec<&str> = key
        .columns
        .iter()
        .take_while(|column| column.collation.eq_ignore_ascii_case(BINARY) && alike(&column.name))
        .map(|column| column.name.as_str())
        .collect();
    let mut chains: Vec<Vec<&str>> = vec![key_names.clone()];
    for index in &relation.indexes {
        let indexed = ordered_by(index, relation);
        // A null may only be in the first column: further on, SQLite would have to sort to have
        // nulls last. And with less than the whole index, it would have to sort by the key.
        let mut places = indexed.iter().enumerate();
        let is_usable = places.all(|(place, column)| {
            alike(&column.name) && (place == 0 || is_never_null(relation, &column.name))
        });
        if is_usable && index.is_whole && indexed.len() == index.columns.len() {
            let mut chain: Vec<&str> = indexed.iter().map(|column| column.name.as_str()).collect();
            let rest = key_names.iter().filter(|name| !chain.contains(name));
            let rest: Vec<&str> = rest.copied().collect();
            chain.extend(rest);
            chains.push(chain);
        }
    }
    let is_needed = |(place, chain): &(usize, &Vec<&str>)| {
        let mut others = chains.iter().enumerate();
        let covered = others.any(|(other, longer)| {
            let same = longer == *chain;
            longer.starts_with(chain) && (!same || other < *place) && other != *place
        });
        !chain.is_empty() && !covered
    };
    let needed = chains.iter().enumerate().filter(is_needed);
    let can_order = needed.map(|(_, chain)| Order::by(chain.iter().copied()));
    let can_order = match key.is_fast {
        true => can_order.collect(),
        false => Vec::new(),
    };
    let given = (!key_names.is_empty()).then(|| Order::by(key_names.iter().copied()));
    (given.into_iter().collect(), can_order)
}
