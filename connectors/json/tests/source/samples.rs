//! Real exports as they lie there: every value of every table, beside what another parser reads.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::properties::{at, same};
use crate::workshop::{Rows, Workshop, rows};

/// The folder with the exports, which `CHATFERRY_SAMPLES` names.
fn samples() -> Option<PathBuf> {
    let folder = std::env::var_os("CHATFERRY_SAMPLES").map(PathBuf::from);
    if folder.is_none() {
        // Past what catches the words of tests that succeed.
        let said = "NOT TESTED: real exports are not here; CHATFERRY_SAMPLES names their folder";
        writeln!(std::io::stderr(), "\n{said}\n").expect("somebody listens");
    }
    folder
}

/// All files below a folder whose names end so.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, endings));
        } else if endings
            .iter()
            .any(|ending| path.to_string_lossy().ends_with(ending))
        {
            found.push(path);
        }
    }
    // By the whole name, as files of a table are read: `a-/x` comes before `a/x`.
    found.sort_by_key(|path| path.to_string_lossy().into_owned());
    found
}

/// The values of a file, one behind the other.
fn values(path: &Path) -> Vec<Value> {
    let text = fs::read(path).expect("a file");
    let values = serde_json::Deserializer::from_slice(&text).into_iter::<Value>();
    values.map(|value| value.expect("JSON")).collect()
}

/// What is said of a file, and the records that it then has, each with what is around it.
fn expected(path: &Path) -> (String, Vec<Value>) {
    let values = values(path);
    let [value] = values.as_slice() else {
        return (String::new(), values);
    };
    let Value::Object(around) = value else {
        let records = value.as_array().expect("a list");
        return (String::new(), records.clone());
    };
    let Some(key) = ["messages", "members", "team"]
        .into_iter()
        .find(|key| around.contains_key(*key))
    else {
        return (String::new(), values);
    };
    // The rest goes with each record, under names of its own.
    let others: Vec<&String> = around.keys().filter(|other| *other != key).collect();
    let parents = others
        .iter()
        .map(|other| format!("around_{other} = \"{other}\""));
    let parents: Vec<String> = parents.collect();
    let settings = format!(
        "records = \"{key}\"\nparents = {{ {} }}",
        parents.join(", ")
    );
    let records = match &around[key] {
        Value::Array(records) => records.clone(),
        one => vec![one.clone()],
    };
    let with_others = |mut record: Value| {
        let fields = record.as_object_mut().expect("an object");
        for other in &others {
            fields.insert(format!("around_{other}"), around[*other].clone());
        }
        record
    };
    (settings, records.into_iter().map(with_others).collect())
}

/// The same with times and the like as what they stand for.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(fields) => match fields.get("$date").and_then(Value::as_str) {
            Some(time) => {
                let time = chrono::DateTime::parse_from_rfc3339(time).expect("a time");
                time.timestamp_millis().into()
            }
            None => {
                let field = |(key, value): (&String, &Value)| (key.clone(), plain(value));
                Value::Object(fields.iter().map(field).collect())
            }
        },
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

/// Compares a table with its records, one by one. `times` tells that there are extended values.
fn compare(what: &str, read: &Rows, records: &[Value], times: bool) {
    assert!(read.failed.is_none(), "{what}: {:?}", read.failed);
    assert!(read.rejected.is_empty(), "{what}: {:?}", read.rejected);
    assert_eq!(read.rows.num_rows(), records.len(), "{what}: as many rows");
    for (row, record) in records.iter().enumerate() {
        let columns = read.table.schema.fields().iter().zip(read.rows.columns());
        let again: Map<String, Value> = columns
            .map(|(field, column)| (field.name().clone(), at(field, column, row)))
            .collect();
        let record = if times { plain(record) } else { record.clone() };
        assert!(same(&record, &again.into()), "{what}, row {row}");
    }
}

#[tokio::test]
async fn every_file_of_every_export_is_read_as_it_is() {
    let Some(samples) = samples() else { return };
    let workshop = Workshop::new();
    let (mut tables, mut count) = (0, 0);
    for path in files(&samples, &[".json", ".jsonl"]) {
        let (settings, records) = expected(&path);
        let source = workshop.source(&format!(
            "path = {:?}\n{settings}",
            path.display().to_string()
        ));
        let what = path.display().to_string();
        if records.iter().all(|record| !record.is_object()) {
            // A list of texts has no records, and that is said.
            assert!(rows(&source, "records").await.is_err(), "{what}");
            continue;
        }
        let read = rows(&source, "records").await.expect("rows");
        compare(&what, &read, &records, what.contains("rocketchat"));
        tables += 1;
        count += records.len();
    }
    assert!(
        (tables, count) > (300, 20_000),
        "{tables} files, {count} records"
    );
}

#[tokio::test]
async fn a_whole_export_of_slack_is_one_table_with_its_channels_and_dates() {
    let Some(samples) = samples() else { return };
    let workshop = Workshop::new();
    for name in [
        "slack-houstondatavis",
        "slack-zulip-fixture",
        "slack-zulip-unicode-fixture",
    ] {
        let folder = samples.join(name);
        let mut records = Vec::new();
        for path in files(&folder, &[".json"]) {
            let below = path
                .strip_prefix(&folder)
                .expect("below it")
                .to_string_lossy();
            let Some((channel, file)) = below.split_once('/') else {
                continue;
            };
            let date = file.strip_suffix(".json").expect("it ends so");
            for mut record in values(&path).remove(0).as_array().expect("a list").clone() {
                record["channel_of_path"] = json!(channel);
                record["date_of_path"] = json!(date);
                records.push(record);
            }
        }
        let source = workshop.source(&format!(
            "root = {:?}\ntables.messages = \"{{channel_of_path}}/{{date_of_path}}.json\"",
            folder.display().to_string()
        ));
        assert_eq!(source.tables().await.expect("tables"), ["messages"]);
        let read = rows(&source, "messages").await.expect("rows");
        compare(name, &read, &records, false);
    }
}
