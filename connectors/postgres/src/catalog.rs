//! What the database says of itself: relations, columns, types, indexes.
//!
//! Source: PostgreSQL, chapter "System Catalogs"; what is asked for is there since version 11.

use std::collections::HashMap;

use sqlx::postgres::PgConnection;
use sqlx::postgres::types::Oid;
use sqlx::{Column as _, Executor, Row, SqlSafeStr, Statement};

/// A table, view, materialised view, partitioned or foreign table.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) oid: Oid,
    pub(crate) schema: String,
    pub(crate) name: String,
    /// How many rows the planner believes it has.
    pub(crate) rows: Option<u64>,
}

/// A column of a relation or of a query.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Oid,
    /// What was declared beside the type, such as the digits of a numeric; -1 when nothing was.
    pub(crate) modifier: i32,
    pub(crate) not_null: bool,
    /// How many dimensions an array was declared with. PostgreSQL does not hold it to that.
    pub(crate) dimensions: i32,
    /// Whether we may read it.
    pub(crate) readable: bool,
    pub(crate) collation: Collation,
}

/// How text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collation {
    /// Byte by byte.
    Binary,
    /// As a language does, but texts that differ are never equal.
    Language,
    /// Texts that differ may be equal.
    Loose,
}

/// An index that rows can be read in the order of.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) unique: bool,
    pub(crate) columns: Vec<String>,
}

/// A type as the catalog has it.
#[derive(Clone, Debug)]
pub(crate) struct Type {
    pub(crate) schema: String,
    pub(crate) name: String,
    /// b base, c composite, d domain, e enum, r range, m multirange, p pseudo.
    pub(crate) class: char,
    pub(crate) is_array: bool,
    /// Of a domain: what it is made of.
    pub(crate) base: Oid,
    pub(crate) base_modifier: i32,
    /// Of an array: its elements.
    pub(crate) element: Oid,
    /// Of a composite: its attributes.
    pub(crate) attributes: Vec<Attribute>,
}

/// A part of a composite type.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) name: String,
    pub(crate) kind: Oid,
    pub(crate) modifier: i32,
}

/// Types by their number.
pub(crate) type Types = HashMap<Oid, Type>;

/// The schema that names without a schema refer to.
pub(crate) async fn own_schema(connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    let row = sqlx::query("SELECT coalesce(current_schema(), 'public')::text")
        .fetch_one(connection)
        .await?;
    row.try_get(0)
}

/// The relations of these schemas, without the partitions of others.
pub(crate) async fn relations(
    connection: &mut PgConnection,
    schemas: &[String],
) -> Result<Vec<Relation>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT c.oid, n.nspname::text, c.relname::text,
                CASE c.relkind WHEN 'p' THEN (SELECT sum(l.reltuples) FROM pg_inherits i
                  JOIN pg_class l ON l.oid = i.inhrelid WHERE i.inhparent = c.oid)
                ELSE c.reltuples END::float8
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
           AND n.nspname::text = ANY($1) AND has_any_column_privilege(c.oid, 'SELECT')
         ORDER BY array_position($1, n.nspname::text), c.relname",
    )
    .bind(schemas)
    .fetch_all(connection)
    .await?;
    rows.iter().map(relation).collect()
}

/// One relation, named as a person writes it: `users`, `chat.users`, `\"Users\"`.
pub(crate) async fn relation_of(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Option<Relation>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.reltuples::float8
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = to_regclass($1)",
    )
    .bind(name)
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(relation).transpose()
}

fn relation(row: &sqlx::postgres::PgRow) -> Result<Relation, sqlx::Error> {
    let rows: Option<f64> = row.try_get(3)?;
    Ok(Relation {
        oid: row.try_get(0)?,
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        // Negative as long as nobody has counted, and always so for views.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate"
        )]
        rows: rows.filter(|rows| *rows > 0.0).map(|rows| rows as u64),
    })
}

/// The columns of a relation.
pub(crate) async fn columns(
    connection: &mut PgConnection,
    relation: Oid,
) -> Result<Vec<Column>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT a.attname::text, a.atttypid, a.atttypmod, a.attnotnull, a.attndims::int4,
                has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
                CASE c.collname WHEN 'default' THEN d.datcollate ELSE c.collname END::text,
                coalesce((to_jsonb(c) ->> 'collisdeterministic')::bool, true)
         FROM pg_attribute a
         LEFT JOIN pg_collation c ON c.oid = a.attcollation
         JOIN pg_database d ON d.datname = current_database()
         WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
         ORDER BY a.attnum",
    )
    .bind(relation)
    .fetch_all(connection)
    .await?;
    let column = |row: &sqlx::postgres::PgRow| {
        let collation: Option<String> = row.try_get(6)?;
        Ok(Column {
            name: row.try_get(0)?,
            kind: row.try_get(1)?,
            modifier: row.try_get(2)?,
            not_null: row.try_get(3)?,
            dimensions: row.try_get(4)?,
            readable: row.try_get(5)?,
            collation: match (collation.as_deref(), row.try_get(7)?) {
                (_, false) => Collation::Loose,
                (Some("C" | "POSIX" | "ucs_basic" | "C.UTF-8" | "C.utf8"), true) => {
                    Collation::Binary
                }
                _ => Collation::Language,
            },
        })
    };
    rows.iter().map(column).collect()
}

/// The columns that a query gives, as far as the protocol tells: without what was declared beside
/// their types.
pub(crate) async fn columns_of_query(
    connection: &mut PgConnection,
    statement: String,
) -> Result<Vec<Column>, sqlx::Error> {
    let prepared = connection
        .prepare(sqlx::AssertSqlSafe(statement).into_sql_str())
        .await?;
    let column = |column: &sqlx::postgres::PgColumn| {
        let kind = column.type_info().oid();
        Ok(Column {
            name: column.name().to_owned(),
            kind: kind.ok_or_else(|| sqlx::Error::Protocol("a column has no type".into()))?,
            modifier: -1,
            not_null: false,
            dimensions: 1,
            readable: true,
            collation: Collation::Loose,
        })
    };
    prepared.columns().iter().map(column).collect()
}

/// The valid, whole and plain B-tree indexes of a relation, ascending in each column.
pub(crate) async fn indexes(
    connection: &mut PgConnection,
    relation: Oid,
) -> Result<Vec<Index>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT i.indisunique,
                ARRAY(SELECT a.attname::text
                      FROM unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                      WHERE k.place <= i.indnkeyatts ORDER BY k.place)
         FROM pg_index i
         JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam
         WHERE i.indrelid = $1 AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
           AND am.amname = 'btree'
           AND NOT EXISTS (SELECT FROM unnest(i.indoption) AS o(flags) WHERE o.flags <> 0)
           AND NOT EXISTS (SELECT FROM unnest(i.indclass) AS o(oid)
                           JOIN pg_opclass oc ON oc.oid = o.oid WHERE NOT oc.opcdefault)
         ORDER BY i.indisprimary DESC, i.indisunique DESC, i.indexrelid",
    )
    .bind(relation)
    .fetch_all(connection)
    .await?;
    let index = |row: &sqlx::postgres::PgRow| {
        Ok(Index {
            unique: row.try_get(0)?,
            columns: row.try_get(1)?,
        })
    };
    rows.iter().map(index).collect()
}

/// These types, and those that they are made of.
pub(crate) async fn types(
    connection: &mut PgConnection,
    kinds: &[Oid],
) -> Result<Types, sqlx::Error> {
    let rows = sqlx::query(
        "WITH RECURSIVE needed(oid) AS (
             SELECT unnest($1)
             UNION
             SELECT part.oid FROM needed JOIN pg_type t ON t.oid = needed.oid
             CROSS JOIN LATERAL (
                 SELECT t.typbasetype
                 UNION ALL SELECT t.typelem WHERE t.typcategory = 'A'
                 UNION ALL SELECT a.atttypid FROM pg_attribute a
                   WHERE t.typtype = 'c' AND a.attrelid = t.typrelid
                     AND a.attnum > 0 AND NOT a.attisdropped
             ) AS part(oid)
             WHERE part.oid <> 0
         )
         SELECT t.oid, n.nspname::text, t.typname::text, t.typtype::text, t.typcategory = 'A',
                t.typbasetype, t.typtypmod, t.typelem,
                ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE t.typtype = 'c'
                      AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                      ORDER BY a.attnum),
                ARRAY(SELECT a.atttypid FROM pg_attribute a WHERE t.typtype = 'c'
                      AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                      ORDER BY a.attnum),
                ARRAY(SELECT a.atttypmod FROM pg_attribute a WHERE t.typtype = 'c'
                      AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
                      ORDER BY a.attnum)
         FROM needed JOIN pg_type t ON t.oid = needed.oid
         JOIN pg_namespace n ON n.oid = t.typnamespace",
    )
    .bind(kinds)
    .fetch_all(connection)
    .await?;
    rows.iter().map(kind).collect()
}

fn kind(row: &sqlx::postgres::PgRow) -> Result<(Oid, Type), sqlx::Error> {
    let class: String = row.try_get(3)?;
    let names: Vec<String> = row.try_get(8)?;
    let kinds: Vec<Oid> = row.try_get(9)?;
    let modifiers: Vec<i32> = row.try_get(10)?;
    let attributes = names.into_iter().zip(kinds).zip(modifiers);
    let kind = Type {
        schema: row.try_get(1)?,
        name: row.try_get(2)?,
        class: class.chars().next().unwrap_or('b'),
        is_array: row.try_get(4)?,
        base: row.try_get(5)?,
        base_modifier: row.try_get(6)?,
        element: row.try_get(7)?,
        attributes: attributes
            .map(|((name, kind), modifier)| Attribute {
                name,
                kind,
                modifier,
            })
            .collect(),
    };
    Ok((row.try_get(0)?, kind))
}
