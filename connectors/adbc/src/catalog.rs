//! The tables that a driver knows of.

use std::collections::BTreeMap;

use adbc_core::Connection as _;
use adbc_core::error::Error;
use adbc_core::options::ObjectDepth;
use arrow::array::{AsArray, RecordBatch, StructArray};
use arrow::error::ArrowError;

use crate::driver::Connected;
use crate::settings::AdbcSettings;

/// Schemas in which databases keep what they know of themselves.
const OF_THE_SYSTEM: [&str; 4] = ["information_schema", "pg_catalog", "pg_toast", "sys"];
/// What drivers call that which has rows, in small letters.
const WITH_ROWS: [&str; 8] = [
    "table",
    "base table",
    "local table",
    "view",
    "materialized view",
    "materialized_view",
    "partitioned_table",
    "foreign_table",
];

/// A table as a driver names it.
struct Listed {
    schema: Option<String>,
    table: String,
}

/// The tables, each with the query that reads it. A name that several schemas have stands behind
/// that of its schema.
pub(crate) fn tables(
    connected: &Connected,
    settings: &AdbcSettings,
) -> Result<BTreeMap<String, String>, Error> {
    let schema = settings.schema.as_deref();
    let objects =
        connected
            .connection
            .get_objects(ObjectDepth::Tables, None, schema, None, None, None)?;
    let mut listed = Vec::new();
    for batch in objects {
        gather(&batch?, &mut listed).map_err(Error::from)?;
    }
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for one in &listed {
        *times.entry(one.table.clone()).or_default() += 1;
    }
    let named = |one: Listed| {
        let query = format!("SELECT * FROM {}", one.in_sql(settings.quote));
        let name = match (&one.schema, times[&one.table]) {
            (Some(schema), 2..) => format!("{schema}.{}", one.table),
            _ => one.table,
        };
        (name, query)
    };
    Ok(listed.into_iter().map(named).collect())
}

impl Listed {
    fn in_sql(&self, quote: char) -> String {
        let quoted = |name: &String| {
            let inside = name.replace(quote, &format!("{quote}{quote}"));
            format!("{quote}{inside}{quote}")
        };
        let parts: Vec<String> = self
            .schema
            .iter()
            .chain([&self.table])
            .map(quoted)
            .collect();
        parts.join(".")
    }
}

/// Walks through catalogs, their schemas and their tables.
fn gather(catalogs: &RecordBatch, listed: &mut Vec<Listed>) -> Result<(), ArrowError> {
    let schemas = column(catalogs.column_by_name("catalog_db_schemas"))?;
    let schemas = schemas.as_list_opt::<i32>().ok_or_else(unexpected)?;
    for schemas in schemas.iter().flatten() {
        let schemas = schemas.as_struct_opt().ok_or_else(unexpected)?;
        let names = texts(schemas, "db_schema_name")?;
        let tables = column(schemas.column_by_name("db_schema_tables"))?;
        let tables = tables.as_list_opt::<i32>().ok_or_else(unexpected)?;
        for (schema, tables) in names.iter().zip(tables.iter()) {
            let of_the_system = schema.as_deref().is_some_and(|schema| {
                let schema = schema.to_lowercase();
                OF_THE_SYSTEM.contains(&schema.as_str())
            });
            let Some(tables) = tables.filter(|_| !of_the_system) else {
                continue;
            };
            let tables = tables.as_struct_opt().ok_or_else(unexpected)?;
            let kinds = texts(tables, "table_type")?;
            for (table, kind) in texts(tables, "table_name")?.into_iter().zip(kinds) {
                let has_rows = |kind: &String| WITH_ROWS.contains(&kind.to_lowercase().as_str());
                if let (Some(table), Some(_)) = (table, kind.filter(has_rows)) {
                    listed.push(Listed {
                        // Some databases have no schemas, and call theirs nothing.
                        schema: schema.clone().filter(|schema| !schema.is_empty()),
                        table,
                    });
                }
            }
        }
    }
    Ok(())
}

fn column<T>(column: Option<T>) -> Result<T, ArrowError> {
    column.ok_or_else(unexpected)
}

fn texts(rows: &StructArray, name: &str) -> Result<Vec<Option<String>>, ArrowError> {
    let texts = column(rows.column_by_name(name))?;
    let texts = texts.as_string_opt::<i32>().ok_or_else(unexpected)?;
    Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
}

fn unexpected() -> ArrowError {
    ArrowError::SchemaError("the driver lists its tables in another form than ADBC says".into())
}
