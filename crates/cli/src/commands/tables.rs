//! `tables`: what a source offers, before there is a pipeline or beside one.

use std::fmt::Write;
use std::path::Path;

use chatferry_core::source::{Order, Rows, SourceError, Table};
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
/// When there is no such source or table, or the only one cannot be described. Where there are
/// several, those that cannot are listed with the reason.
pub async fn run(args: &TablesArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    let sources = match sections(&args.source) {
        Some(sections) => pipeline::sources_of(&sections, shared)?,
        None => pipeline::open_sources(Path::new(&args.source), shared, terminal)?,
    };
    let mut shown = Vec::new();
    let mut unreadable = 0;
    for (name, source) in &sources {
        for table in source.tables().await? {
            let full = format!("{name}.{table}");
            let wanted = |wanted: &String| *wanted == table || *wanted == full;
            if args.tables.is_empty() || args.tables.iter().any(wanted) {
                let described = source.describe(&table).await;
                unreadable += usize::from(described.is_err());
                shown.push((full, described));
            }
        }
    }
    if shown.is_empty() && !args.tables.is_empty() {
        let missing = args.tables.join(", ");
        let trouble = Trouble::new(Exit::Source, format!("there is no table called {missing}"));
        return Err(trouble.help("leave the names out, and all tables are listed"));
    }
    if shown.len() == 1
        && unreadable == 1
        && let Some((_, Err(only))) = shown.pop()
    {
        return Err(only.into());
    }
    if terminal.json() {
        let tables = shown.iter().map(|(name, table)| match table {
            Ok(table) => as_json(name, table),
            Err(error) => json!({ "name": name, "error": error.to_string(), "help": error.help }),
        });
        let tables = json!({ "tables": tables.collect::<Vec<Value>>() });
        terminal.result(&format!("{tables}\n"));
    } else {
        let tables = shown.iter().map(|(name, table)| match table {
            Ok(table) => as_text(name, table, terminal),
            Err(error) => unreadable_as_text(name, error, terminal),
        });
        terminal.result(&tables.collect::<Vec<_>>().join("\n"));
    }
    match unreadable {
        0 => Ok(Exit::Done),
        // What is listed says why.
        _ => Ok(Exit::Source),
    }
}

fn unreadable_as_text(name: &str, error: &SourceError, terminal: &Terminal) -> String {
    let mut text = format!("{}\n", terminal.bold(name));
    text.push_str(&indented(&error.to_string(), 2));
    if let Some(help) = &error.help {
        text.push_str(&indented(&format!("help: {help}"), 2));
    }
    text
}

/// The sections of a pipeline for something that is not one, each with its name and its text.
fn sections(source: &str) -> Option<Vec<(&'static str, String)>> {
    let kinds = kinds(source)?;
    let is_one = kinds.len() == 1;
    let section = |(connector, key): &(&'static str, &str)| {
        let name = if is_one { "source" } else { connector };
        (name, section(name, connector, key, source))
    };
    Some(kinds.iter().map(section).collect())
}

/// The connectors that can read something that is not a pipeline, each with the key of its section
/// that says where it is: a database's URL or file, a file of data, a folder or an archive of them.
pub(crate) fn kinds(source: &str) -> Option<Vec<(&'static str, &'static str)>> {
    let one = |connector, key| Some(vec![(connector, key)]);
    let every = || {
        Some(
            ["csv", "json", "parquet"]
                .map(|connector| (connector, "root"))
                .to_vec(),
        )
    };
    match source.split_once("://") {
        Some(("postgres" | "postgresql", _)) => return one("postgres", "url"),
        Some(("mysql" | "mariadb", _)) => return one("mysql", "url"),
        Some(("mongodb" | "mongodb+srv", _)) => return one("mongodb", "url"),
        _ => {}
    }
    let path = Path::new(source);
    if path.is_dir() {
        return (!path.join("pipeline.toml").exists()).then(every)?;
    }
    let name = source.to_ascii_lowercase();
    let is = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    if is(&[".zip", ".tar", ".tgz"]) || name.contains(".tar.") {
        return every();
    }
    let packed = [".gz", ".zst", ".bz2", ".xz"];
    let plain = packed.iter().find_map(|ending| name.strip_suffix(ending));
    match Path::new(plain.unwrap_or(&name)).extension()?.to_str()? {
        "db" | "sqlite" | "sqlite3" => one("sqlite", "path"),
        "json" | "jsonl" | "ndjson" => one("json", "path"),
        "csv" | "tsv" => one("csv", "path"),
        "parquet" => one("parquet", "path"),
        _ => None,
    }
}

/// A section that says where a source is.
pub(crate) fn section(name: &str, connector: &str, key: &str, value: &str) -> String {
    let value = toml_text(value);
    format!("[sources.{name}]\nconnector = \"{connector}\"\n{key} = {value}\n")
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
    let is_new = |order: &&Order| !table.orders.contains(order);
    let others = table.can_order.iter().filter(is_new);
    for (title, orders) in [
        ("in order of", table.orders.iter().collect::<Vec<_>>()),
        ("can be read in order of", others.collect()),
    ] {
        let orders = orders.iter().map(|order| order.columns.join(" + "));
        let orders = orders.collect::<Vec<_>>().join(", ");
        if !orders.is_empty() {
            text.push_str(&indented(&format!("{title} {orders}"), 2));
        }
    }
    for note in &table.notes {
        text.push_str(&indented(&format!("note: {note}"), 2));
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
