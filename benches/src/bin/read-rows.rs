//! `read-rows`: reads a query of a database row by row with sqlx into serde values, as a program
//! does that thinks of nothing else (`benches/rivals`).

use std::time::Instant;

use futures::TryStreamExt;
use serde_json::{Map, Value};
use sqlx::{
    Column, Connection, MySqlConnection, PgConnection, Row, SqliteConnection, TypeInfo, ValueRef,
};

/// Reads all rows of a query into objects; gives how many rows and values there were.
macro_rules! read {
    ($connection:ty, $url:expr, $query:expr, $value:expr) => {{
        let mut connection = <$connection>::connect($url).await?;
        let mut rows = sqlx::query(sqlx::AssertSqlSafe($query)).fetch(&mut connection);
        let (mut count, mut kept) = (0_u64, 0_usize);
        while let Some(row) = rows.try_next().await? {
            let mut object = Map::new();
            for column in row.columns() {
                object.insert(column.name().to_owned(), $value(&row, column)?);
            }
            count += 1;
            kept += object.len();
        }
        (count, kept)
    }};
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), sqlx::Error> {
    let mut arguments = std::env::args().skip(1);
    let (url, query) = (arguments.next(), arguments.next());
    let (Some(url), Some(query)) = (url, query) else {
        panic!("usage: read-rows URL QUERY");
    };
    let start = Instant::now();
    let (count, kept) = match url.split(':').next() {
        Some("mysql") => read!(MySqlConnection, &url, query, of_mysql),
        Some("sqlite") => read!(SqliteConnection, &url, query, of_sqlite),
        _ => read!(PgConnection, &url, query, of_postgres),
    };
    let took = start.elapsed().as_secs_f64();
    #[expect(clippy::print_stdout, reason = "the result of a program")]
    {
        println!("{{\"rows\": {count}, \"values\": {kept}, \"seconds\": {took:.3}}}");
    }
    Ok(())
}

// Numbers become numbers and everything else text. Times, UUIDs and the like: their bytes, which
// costs less than their text would.

fn of_postgres(
    row: &sqlx::postgres::PgRow,
    column: &sqlx::postgres::PgColumn,
) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(column.ordinal())?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    Ok(match column.type_info().name() {
        "INT8" => row.try_get::<i64, _>(column.ordinal())?.into(),
        "INT4" => row.try_get::<i32, _>(column.ordinal())?.into(),
        "BOOL" => row.try_get::<bool, _>(column.ordinal())?.into(),
        "TEXT" | "VARCHAR" => row.try_get::<String, _>(column.ordinal())?.into(),
        _ => text(raw.as_bytes().unwrap_or_default()),
    })
}

fn of_mysql(
    row: &sqlx::mysql::MySqlRow,
    column: &sqlx::mysql::MySqlColumn,
) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(column.ordinal())?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    Ok(match column.type_info().name() {
        "BIGINT" | "INT" | "SMALLINT" => row.try_get::<i64, _>(column.ordinal())?.into(),
        "BIGINT UNSIGNED" | "INT UNSIGNED" => row.try_get::<u64, _>(column.ordinal())?.into(),
        "BOOLEAN" => row.try_get::<bool, _>(column.ordinal())?.into(),
        _ => text(row.try_get_unchecked::<&[u8], _>(column.ordinal())?),
    })
}

fn of_sqlite(
    row: &sqlx::sqlite::SqliteRow,
    column: &sqlx::sqlite::SqliteColumn,
) -> Result<Value, sqlx::Error> {
    let raw = row.try_get_raw(column.ordinal())?;
    if raw.is_null() {
        return Ok(Value::Null);
    }
    let of = raw.type_info();
    Ok(match of.name() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(column.ordinal())?.into(),
        "REAL" => row.try_get_unchecked::<f64, _>(column.ordinal())?.into(),
        _ => text(row.try_get_unchecked::<&[u8], _>(column.ordinal())?),
    })
}

fn text(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}
