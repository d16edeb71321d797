//! What the server knows of its tables: read from `information_schema`, which touches none.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::{
    AssertSqlSafe, Column as _, ColumnOrigin, Either, Error, Executor as _, Row as _,
    SqlSafeStr as _, Statement as _, TypeInfo as _,
};

use crate::settings::Reading;
use crate::sql::quoted;
use crate::types::{Declared, Type, computed};

/// A table or view, as the server lists it.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) name: String,
    pub(crate) is_view: bool,
    /// Whether its secondary indexes end with the primary key, as InnoDB's do.
    pub(crate) clustered: bool,
    /// Whether a transaction sees one moment of it. A view is made of what is not known here.
    pub(crate) transactional: bool,
    /// About how many rows it has.
    pub(crate) rows: Option<u64>,
}

/// A column of a table or of a query.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) type_: Type,
    /// Its type as the server calls it.
    declared: String,
    /// Whether the server may have nulls in it.
    pub(crate) nullable: bool,
    /// Whether it is text that the server compares byte by byte.
    pub(crate) by_bytes: bool,
}

impl Column {
    /// Whether its values compare in the database as they do in Arrow.
    pub(crate) fn compares(&self, reading: Reading) -> bool {
        self.by_bytes || self.type_.compares(reading)
    }

    /// What a person should know of it.
    pub(crate) fn note(&self) -> Option<String> {
        self.type_.note(&self.name, &self.declared)
    }
}

/// A column as it is declared, and whether we may read it.
struct DeclaredColumn {
    column: Column,
    readable: bool,
}

/// An index whose columns have an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Index {
    pub(crate) name: String,
    pub(crate) unique: bool,
    /// The names of its columns.
    pub(crate) columns: Vec<String>,
}

/// Engines whose consistent reads are of one moment.
const TRANSACTIONAL: [&str; 3] = ["InnoDB", "ROCKSDB", "TokuDB"];

/// Collations that compare texts byte by byte, blanks at the end included.
const BY_BYTES: [&str; 5] = [
    "utf8mb4_0900_bin",
    "utf8mb4_nopad_bin",
    "utf8mb3_nopad_bin",
    "utf8_nopad_bin",
    "ascii_nopad_bin",
];

/// The tables and views of the database.
pub(crate) async fn relations(connection: &mut MySqlConnection) -> Result<Vec<Relation>, Error> {
    let rows = sqlx::query(
        "SELECT TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_ROWS FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = DATABASE()
         AND TABLE_TYPE IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED')",
    )
    .fetch_all(connection)
    .await?;
    let relation = |row: &MySqlRow| {
        let kind: String = row.try_get_unchecked(1)?;
        let engine: Option<String> = row.try_get_unchecked(2)?;
        let is = |name: &&str| {
            let engine = engine.as_deref();
            engine.is_some_and(|engine| engine.eq_ignore_ascii_case(name))
        };
        let is_view = kind == "VIEW";
        Ok(Relation {
            name: row.try_get_unchecked(0)?,
            is_view,
            clustered: is(&"InnoDB"),
            transactional: is_view || TRANSACTIONAL.iter().any(is),
            rows: row.try_get_unchecked(3)?,
        })
    };
    rows.iter().map(relation).collect()
}

/// The columns of a table that we may read, and the names of the others.
pub(crate) async fn columns(
    connection: &mut MySqlConnection,
    table: &str,
    reading: Reading,
    mariadb: bool,
) -> Result<(Vec<Column>, Vec<String>), Error> {
    let database: String = sqlx::query_scalar("SELECT DATABASE()")
        .fetch_one(&mut *connection)
        .await?;
    let mut declared = declared_columns(connection, &database, table, reading, mariadb).await?;
    // Nothing is told of a view that is out of order, nor of rights that come from afar: the
    // server says which it is when it is asked for rows.
    if !declared.iter().any(|column| column.readable) {
        let all = AssertSqlSafe(format!("SELECT * FROM {}", quoted(table)));
        connection.prepare(all.into_sql_str()).await?;
        declared
            .iter_mut()
            .for_each(|column| column.readable = true);
    }
    let (readable, hidden): (Vec<_>, Vec<_>) =
        declared.into_iter().partition(|declared| declared.readable);
    Ok((
        readable
            .into_iter()
            .map(|declared| declared.column)
            .collect(),
        hidden
            .into_iter()
            .map(|declared| declared.column.name)
            .collect(),
    ))
}

async fn declared_columns(
    connection: &mut MySqlConnection,
    database: &str,
    table: &str,
    reading: Reading,
    mariadb: bool,
) -> Result<Vec<DeclaredColumn>, Error> {
    let checked = match mariadb {
        true => checked_json(connection, database, table).await?,
        false => HashSet::new(),
    };
    let rows = sqlx::query(
        "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE, NUMERIC_PRECISION,
         NUMERIC_SCALE, COLLATION_NAME, PRIVILEGES FROM information_schema.COLUMNS
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION",
    )
    .bind(database)
    .bind(table)
    .fetch_all(connection)
    .await?;
    let column = |row: &MySqlRow| {
        let name: String = row.try_get_unchecked(0)?;
        let nullable: String = row.try_get_unchecked(3)?;
        let collation: Option<String> = row.try_get_unchecked(6)?;
        let privileges: String = row.try_get_unchecked(7)?;
        let declared = Declared {
            data_type: row.try_get_unchecked(1)?,
            column_type: row.try_get_unchecked(2)?,
            precision: row.try_get_unchecked(4)?,
            scale: row.try_get_unchecked(5)?,
            checked_json: checked.contains(&format!("json_valid(`{name}`)")),
        };
        let type_ = declared.read(reading, mariadb);
        let by_bytes = collation.is_some_and(|name| BY_BYTES.contains(&name.as_str()));
        Ok(DeclaredColumn {
            column: Column {
                name,
                type_,
                declared: declared.column_type,
                nullable: nullable != "NO",
                by_bytes: by_bytes && type_ == Type::Text,
            },
            readable: privileges.split(',').any(|privilege| privilege == "select"),
        })
    };
    rows.iter().map(column).collect()
}

/// The checks of a table, among which MariaDB keeps what is JSON.
async fn checked_json(
    connection: &mut MySqlConnection,
    database: &str,
    table: &str,
) -> Result<HashSet<String>, Error> {
    let rows = sqlx::query(
        "SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS
         WHERE CONSTRAINT_SCHEMA = ? AND TABLE_NAME = ?",
    )
    .bind(database)
    .bind(table)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| row.try_get_unchecked(0)).collect()
}

/// The indexes of a table that can be read in order, the primary key first, then those that hold
/// no two rows alike.
pub(crate) async fn indexes(
    connection: &mut MySqlConnection,
    table: &str,
) -> Result<Vec<Index>, Error> {
    // All columns, since each server has some that the others have not.
    let rows = sqlx::query(
        "SELECT * FROM information_schema.STATISTICS
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? ORDER BY INDEX_NAME, SEQ_IN_INDEX",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let mut indexes: Vec<Index> = Vec::new();
    let mut unusable = HashSet::new();
    for row in &rows {
        let name: String = row.try_get_unchecked("INDEX_NAME")?;
        let column: Option<String> = row.try_get_unchecked("COLUMN_NAME")?;
        let part: Option<i64> = row.try_get_unchecked("SUB_PART")?;
        let kind: String = row.try_get_unchecked("INDEX_TYPE")?;
        let direction: Option<String> = row.try_get_unchecked("COLLATION")?;
        let said = |name: &str| row.try_get_unchecked::<String, _>(name).unwrap_or_default();
        let off = said("IS_VISIBLE") == "NO" || said("IGNORED") == "YES";
        let ascends = direction.as_deref() == Some("A");
        let Some(column) = column.filter(|_| kind == "BTREE" && ascends && !off && part.is_none())
        else {
            unusable.insert(name);
            continue;
        };
        match indexes.last_mut().filter(|index| index.name == name) {
            Some(index) => index.columns.push(column),
            None => indexes.push(Index {
                unique: row.try_get_unchecked::<i64, _>("NON_UNIQUE")? == 0,
                columns: vec![column],
                name,
            }),
        }
    }
    indexes.retain(|index| !unusable.contains(&index.name));
    indexes.sort_by_key(|index| (index.name != "PRIMARY", !index.unique, index.columns.len()));
    Ok(indexes)
}

/// The columns of a query. Those that are columns of a table have their types from there.
pub(crate) async fn columns_of_query(
    connection: &mut MySqlConnection,
    query: &str,
    reading: Reading,
    mariadb: bool,
) -> Result<Vec<Column>, Error> {
    let prepared = |sql: String| AssertSqlSafe(sql).into_sql_str();
    // As it will be read, which finds what is wrong with it; and as it is, since MariaDB forgets
    // within brackets where a column is from.
    let read = prepared(format!("SELECT * FROM ({query}\n) AS q"));
    let read = connection.prepare(read).await?;
    if !matches!(read.parameters(), Some(Either::Right(0))) {
        let what = "there is a `?` in `query`, and nobody gives it a value";
        return Err(Error::InvalidArgument(what.to_owned()));
    }
    let own = connection.prepare(prepared(query.to_owned())).await?;
    let mut tables = HashMap::new();
    let mut columns = Vec::new();
    for (column, own) in read.columns().iter().zip(own.columns()) {
        let sent = column.type_info();
        let mut declared = None;
        if let ColumnOrigin::Table(origin) = own.origin()
            && let Some((database, table)) = origin.table.split_once('.')
        {
            let known = match tables.entry(origin.table.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => {
                    let read = declared_columns(connection, database, table, reading, mariadb);
                    place.insert(read.await?)
                }
            };
            let mut known = known.iter().map(|known| &known.column);
            declared = known.find(|known| known.name == *origin.name && known.type_.fits(sent));
        }
        columns.push(match declared {
            Some(declared) => Column {
                name: column.name().to_owned(),
                // An outer join makes nulls of what is none in its table.
                nullable: true,
                ..declared.clone()
            },
            None => Column {
                name: column.name().to_owned(),
                type_: computed(sent, reading),
                declared: sent.name().to_lowercase(),
                nullable: true,
                by_bytes: false,
            },
        });
    }
    Ok(columns)
}
