//! `tables`: what a source offers, before there is a pipeline or beside one.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use chatferry_core::source::{Rows, Source, Table};
use chatferry_engine::in_words;
use serde_json::{Value, json};

use crate::account::counted;
use crate::args::{Shared, TablesArgs};
use crate::pipeline;
use crate::terminal::{Terminal, indented};
use crate::trouble::{Exit, Trouble};

/// Runs the command.
///
/// # Errors
///
/// When there is no such source or table, or it cannot be described.
pub async fn run(args: &TablesArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    let sources = match source_text(&args.source) {
        Some(text) => pipeline::sources_of(&text, shared)?,
        None => pipeline::open(Path::new(&args.source), shared, terminal, true)?.sources()?,
    };
    let mut shown = Vec::new();
    for (name, source) in &sources {
        for table in source.tables().await? {
            let full = format!("{name}.{table}");
            let wanted = |wanted: &String| *wanted == table || *wanted == full;
            if args.tables.is_empty() || args.tables.iter().any(wanted) {
                shown.push((full, described(source, &table).await?));
            }
        }
    }
    if shown.is_empty() && !args.tables.is_empty() {
        let missing = args.tables.join(", ");
        let trouble = Trouble::new(Exit::Source, format!("there is no table called {missing}"));
        return Err(trouble.help("leave the names out, and all tables are listed"));
    }
    if terminal.json() {
        let tables = shown.iter().map(|(name, table)| as_json(name, table));
        let tables = json!({ "tables": tables.collect::<Vec<Value>>() });
        terminal.result(&format!("{tables}\n"));
    } else {
        let tables = shown
            .iter()
            .map(|(name, table)| as_text(name, table, terminal));
        terminal.result(&tables.collect::<Vec<_>>().join("\n"));
    }
    Ok(Exit::Done)
}

async fn described(source: &Arc<dyn Source>, table: &str) -> Result<Arc<Table>, Trouble> {
    Ok(source.describe(table).await?)
}

/// The section of a pipeline for something that is not one: the URL of a database, or its file.
fn source_text(source: &str) -> Option<String> {
    let (connector, key) = match source.split_once("://") {
        Some(("postgres" | "postgresql", _)) => ("postgres", "url"),
        Some(("mysql" | "mariadb", _)) => ("mysql", "url"),
        Some(_) => return None,
        None => match Path::new(source).extension()?.to_str()? {
            "db" | "sqlite" | "sqlite3" => ("sqlite", "path"),
            _ => return None,
        },
    };
    let value = toml_text(source);
    Some(format!(
        "[sources.source]\nconnector = \"{connector}\"\n{key} = {value}\n"
    ))
}

/// A text as TOML writes it. What would be an environment variable is one here too.
fn toml_text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn as_text(name: &str, table: &Table, terminal: &Terminal) -> String {
    let rows = match table.rows {
        Rows::Exactly(rows) => format!(", {}", counted(rows, "row")),
        Rows::About(rows) => format!(", about {}", counted(rows, "row")),
        Rows::Unknown => String::new(),
    };
    let mut text = format!("{}{rows}\n", terminal.bold(name));
    let fields = table.schema.fields();
    let longest = fields.iter().map(|field| field.name().chars().count());
    let width = longest.max().unwrap_or(0);
    for field in fields {
        let _ = writeln!(text, "  {:<width$}  {}", field.name(), in_words(field));
    }
    for order in orders(table) {
        let _ = writeln!(text, "  can be read by {}", order.join(", "));
    }
    for note in &table.notes {
        let _ = writeln!(text, "{}", indented(&format!("note: {note}"), 2));
    }
    text
}

/// The orders that the table has or can be read in.
fn orders(table: &Table) -> Vec<&[String]> {
    let mut orders: Vec<&[String]> = Vec::new();
    for order in table.orders.iter().chain(&table.can_order) {
        if !orders.contains(&order.columns.as_slice()) {
            orders.push(&order.columns);
        }
    }
    orders
}

fn as_json(name: &str, table: &Table) -> Value {
    let fields = table.schema.fields().iter();
    let columns = fields.map(|field| json!({ "name": field.name(), "type": in_words(field) }));
    json!({
        "name": name,
        "rows": table.rows.estimate(),
        "rowsAreExact": matches!(table.rows, Rows::Exactly(_)),
        "columns": columns.collect::<Vec<_>>(),
        "orders": orders(table),
        "notes": table.notes,
    })
}
