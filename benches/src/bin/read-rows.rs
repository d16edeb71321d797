//! `read-rows`: reads a PostgreSQL query row by row with sqlx into serde values, as a program does
//! that thinks of nothing else (`benches/rivals`).

use std::time::Instant;

use futures::TryStreamExt;
use serde_json::Value;
use sqlx::{Column, Connection, PgConnection, Row, TypeInfo, ValueRef};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), sqlx::Error> {
    let mut arguments = std::env::args().skip(1);
    let (url, query) = (arguments.next(), arguments.next());
    let (Some(url), Some(query)) = (url, query) else {
        panic!("usage: read-rows URL QUERY");
    };
    let start = Instant::now();
    let mut connection = PgConnection::connect(&url).await?;
    let mut rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch(&mut connection);
    let (mut count, mut kept) = (0_u64, 0_usize);
    while let Some(row) = rows.try_next().await? {
        let mut object = serde_json::Map::new();
        for column in row.columns() {
            object.insert(column.name().to_owned(), value(&row, column)?);
        }
        count += 1;
        kept += object.len();
    }
    let took = start.elapsed().as_secs_f64();
    #[expect(clippy::print_stdout, reason = "the result of a program")]
    {
        println!("{{\"rows\": {count}, \"values\": {kept}, \"seconds\": {took:.3}}}");
    }
    Ok(())
}

/// A value as JSON: numbers as numbers, everything else as text.
fn value(
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
        // Times, UUIDs and the like: their bytes, which costs less than their text would.
        _ => {
            Value::String(String::from_utf8_lossy(raw.as_bytes().unwrap_or_default()).into_owned())
        }
    })
}
