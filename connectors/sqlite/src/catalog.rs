//! What a database has: tables and views, and of each its columns and indexes.

use sqlx::{Row, SqliteConnection};

use crate::session::{quoted, sql};

/// The name that a query of the settings has while its columns are looked up.
const QUERY: &str = "chatferry query";

/// What rows are read from.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) kind: Kind,
    /// What stands behind `FROM`.
    pub(crate) from: String,
    pub(crate) columns: Vec<Column>,
    /// Its indexes, those that cover only some of the rows excepted.
    pub(crate) indexes: Vec<Index>,
    /// Whether all texts are compared byte by byte unless something else is said.
    pub(crate) is_plain: bool,
}

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A table whose rows have numbers.
    Table,
    /// A table kept in the order of its primary key.
    WithoutRowid,
    View,
    /// A table that a module makes up, such as a full-text index.
    Virtual,
    /// A query of the settings.
    Query,
}

/// A column as it is declared, which binds nobody.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// Empty when nothing is declared.
    pub(crate) declared: String,
    pub(crate) is_nullable: bool,
    pub(crate) is_primary: bool,
}

/// An index over all rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    pub(crate) is_unique: bool,
    pub(crate) is_primary: bool,
    /// What it is ordered by, up to the first thing that is no column in ascending order.
    pub(crate) columns: Vec<IndexColumn>,
    /// Whether `columns` are all that it is unique by.
    pub(crate) is_whole: bool,
}

/// A column of an index.
#[derive(Clone, Debug)]
pub(crate) struct IndexColumn {
    pub(crate) name: String,
    pub(crate) collation: String,
}

impl Relation {
    /// The column that is another name for the number of a row, if there is one.
    pub(crate) fn rowid_column(&self) -> Option<&Column> {
        let mut primary = self.columns.iter().filter(|column| column.is_primary);
        let (one, another) = (primary.next()?, primary.next());
        let is_rowid = self.kind == Kind::Table
            && another.is_none()
            && one.declared.eq_ignore_ascii_case("INTEGER")
            && !self.indexes.iter().any(|index| index.is_primary);
        is_rowid.then_some(one)
    }

    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// The names of all tables and views, and what each is.
pub(crate) async fn list(
    connection: &mut SqliteConnection,
) -> Result<Vec<(String, Kind)>, sqlx::Error> {
    let listed = "SELECT name, type, wr FROM pragma_table_list \
                  WHERE schema = 'main' AND type <> 'shadow' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                  ORDER BY name";
    let rows = sqlx::query(listed).fetch_all(connection).await?;
    let listed = rows.iter().map(|row| {
        let (kind, without_rowid): (&str, bool) = (row.try_get(1)?, row.try_get(2)?);
        let kind = match kind {
            "view" => Kind::View,
            "virtual" => Kind::Virtual,
            _ if without_rowid => Kind::WithoutRowid,
            _ => Kind::Table,
        };
        Ok((row.try_get(0)?, kind))
    });
    listed.collect()
}

/// Whether texts are kept as UTF-8, which the order of their bytes depends on.
pub(crate) async fn is_utf8(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let encoding = sqlx::query_scalar::<_, String>("PRAGMA encoding");
    Ok(encoding.fetch_one(connection).await? == "UTF-8")
}

/// A table or view of the database.
pub(crate) async fn relation(
    connection: &mut SqliteConnection,
    name: &str,
    kind: Kind,
) -> Result<Relation, sqlx::Error> {
    Ok(Relation {
        kind,
        from: quoted(name),
        columns: columns(connection, name).await?,
        indexes: indexes(connection, name).await?,
        is_plain: is_plain(connection, name).await?,
    })
}

/// What a query of the settings gives.
pub(crate) async fn query(
    connection: &mut SqliteConnection,
    query: &str,
) -> Result<Relation, sqlx::Error> {
    // A view of this connection: it has what a view of the database has, and goes away with it.
    let name = quoted(QUERY);
    sqlx::raw_sql(sql(&format!("CREATE TEMP VIEW {name} AS\n{query}")))
        .execute(&mut *connection)
        .await?;
    let columns = columns(connection, QUERY).await;
    sqlx::raw_sql(sql(&format!("DROP VIEW temp.{name}")))
        .execute(connection)
        .await?;
    Ok(Relation {
        kind: Kind::Query,
        // On lines of its own, since it may end with a comment.
        from: format!("(\n{query}\n)"),
        columns: columns?,
        indexes: Vec::new(),
        is_plain: false,
    })
}

/// Whether a table is declared without any collation. SQLite does not tell the collation of a
/// column, but it keeps the words in which the table was made.
async fn is_plain(connection: &mut SqliteConnection, table: &str) -> Result<bool, sqlx::Error> {
    let declared = "SELECT type = 'table' AND sql LIKE 'CREATE TABLE%' AND sql NOT LIKE '%collate%' \
                    FROM sqlite_schema WHERE name = ?";
    let plain = sqlx::query_scalar::<_, bool>(declared).bind(table);
    Ok(plain.fetch_optional(connection).await?.unwrap_or(false))
}

async fn columns(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<Column>, sqlx::Error> {
    // Those with 1 are hidden in virtual tables; 2 and 3 are generated, and read like others.
    let listed = "SELECT name, type, `notnull`, pk FROM pragma_table_xinfo(?) \
                  WHERE hidden <> 1 ORDER BY cid";
    let rows = sqlx::query(listed)
        .bind(table)
        .fetch_all(connection)
        .await?;
    let columns = rows.iter().map(|row| {
        Ok(Column {
            name: row.try_get(0)?,
            declared: row.try_get(1)?,
            is_nullable: !row.try_get::<bool, _>(2)?,
            is_primary: row.try_get::<i64, _>(3)? > 0,
        })
    });
    columns.collect()
}

async fn indexes(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<Index>, sqlx::Error> {
    let listed = "SELECT l.seq, l.`unique`, l.origin = 'pk', x.name, x.coll, x.`desc`, x.key \
                  FROM pragma_index_list(?) l, pragma_index_xinfo(l.name) x \
                  WHERE NOT l.partial ORDER BY l.seq, x.seqno";
    let rows = sqlx::query(listed)
        .bind(table)
        .fetch_all(connection)
        .await?;
    let mut indexes: Vec<(i64, Index)> = Vec::new();
    for row in &rows {
        let number: i64 = row.try_get(0)?;
        if indexes.last().is_none_or(|(last, _)| *last != number) {
            let index = Index {
                is_unique: row.try_get(1)?,
                is_primary: row.try_get(2)?,
                columns: Vec::new(),
                is_whole: true,
            };
            indexes.push((number, index));
        }
        let (_, index) = indexes.last_mut().expect("one was just added");
        let (name, descends): (Option<String>, bool) = (row.try_get(3)?, row.try_get(5)?);
        let is_key: bool = row.try_get(6)?;
        match name {
            Some(name) if is_key && !descends && index.is_whole => {
                let collation = row.try_get(4)?;
                index.columns.push(IndexColumn { name, collation });
            }
            // What an index merely carries along does not order it.
            _ if !is_key => {}
            _ => index.is_whole = false,
        }
    }
    Ok(indexes.into_iter().map(|(_, index)| index).collect())
}
