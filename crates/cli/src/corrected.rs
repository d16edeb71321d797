//! Records that were corrected by hand: the lines of an export, as flows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int64Array, ListBuilder, RecordBatch, RecordBatchOptions, StringArray,
    StringBuilder, StructArray,
};
use arrow::datatypes::{Field as Column, Fields, Schema};
use chatferry_cometchat::entities;
use chatferry_core::{Entity, Field, Flow, Kind, Shaped, SkippedRows, json};
use chatferry_runtime::FlowInput;
use futures::StreamExt;
use serde_json::{Map, Value};

use crate::trouble::{Exit, Trouble};

/// Records in one batch, as many as the engine's have.
const ROWS: usize = 4_096;
/// Mistakes that are told at once.
const TOLD: usize = 20;
/// Why lines that have no record are left out.
const WITHOUT_RECORD: &str = "without a record";

/// The records of a file, as flows that can be delivered.
pub struct Corrected {
    /// One for each flow that the file names.
    pub flows: Vec<FlowInput>,
    /// How many rows each has, in the order of delivery.
    pub totals: Vec<Option<u64>>,
}

impl std::fmt::Debug for Corrected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Corrected({:?})", self.flows)
    }
}

/// The lines of one flow.
#[derive(Default)]
struct Lines {
    records: Vec<Map<String, Value>>,
    without_record: u64,
}

impl Corrected {
    /// Reads a file; all of it is kept in memory, since messages go out by their times.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or lines of it are not what `failures --export` writes: all of
    /// these are told at once, and nothing is sent.
    pub fn read(path: &Path, flows: &[Flow]) -> Result<Self, Trouble> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read {}: {error}", path.display());
            Trouble::new(Exit::Usage, message)
                .help("name a file that `chatferry failures --export` has written")
        })?;
        let mut mistakes = Vec::new();
        let mut by_flow: BTreeMap<usize, Lines> = BTreeMap::new();
        for (number, line) in (1_u64..).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            match read_line(line, flows) {
                Ok((flow, record)) => {
                    let lines = by_flow.entry(flow).or_default();
                    match record {
                        Some(record) => lines.records.push(record),
                        None => lines.without_record += 1,
                    }
                }
                Err(mistake) => mistakes.push(format!("line {number}: {mistake}")),
            }
        }
        if !mistakes.is_empty() {
            return Err(wrong(path, &mistakes));
        }
        let mut inputs: Vec<(FlowInput, u64)> = by_flow
            .into_iter()
            .map(|(flow, lines)| input(&flows[flow], lines))
            .collect();
        inputs.sort_by_key(|(flow, _)| flow.entity);
        Ok(Self {
            totals: inputs.iter().map(|(_, rows)| Some(*rows)).collect(),
            flows: inputs.into_iter().map(|(flow, _)| flow).collect(),
        })
    }
}

fn wrong(path: &Path, mistakes: &[String]) -> Trouble {
    let told = mistakes.iter().take(TOLD).cloned().collect::<Vec<_>>();
    let mut told = told.join("; ");
    if mistakes.len() > TOLD {
        told.push_str(&format!("; and {} more lines", mistakes.len() - TOLD));
    }
    let message = format!("cannot use {}: {told}", path.display());
    Trouble::new(Exit::Usage, message)
        .help("nothing was sent; correct these lines, or export them once more")
}

/// The flow and the record of a line.
fn read_line(line: &str, flows: &[Flow]) -> Result<(usize, Option<Map<String, Value>>), String> {
    let line: Value = serde_json::from_str(line).map_err(|error| {
        // Its place in the line, without the line that it counts itself.
        format!("it is not JSON at column {}", error.column())
    })?;
    let name = line["flow"].as_str().ok_or("it has no `flow`")?;
    let flow = flows.iter().position(|flow| flow.name == name);
    let flow = flow.ok_or_else(|| format!("the pipeline has no flow `{name}`"))?;
    let fields = entities::fields(flows[flow].entity);
    match &line["record"] {
        Value::Null => Ok((flow, None)),
        Value::Object(record) => {
            let mut record = record.clone();
            fit(&mut record, fields, "", false)?;
            Ok((flow, Some(record)))
        }
        _ => Err("`record` is no JSON object".into()),
    }
}

/// Makes sure that a record has only fields that there are, each of its type. Numbers that stand
/// for texts become texts, and the other way round.
fn fit(
    record: &mut Map<String, Value>,
    fields: &[Field],
    within: &str,
    others: bool,
) -> Result<(), String> {
    for (name, value) in record.iter_mut() {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            if others {
                continue;
            }
            return Err(format!("there is no field `{within}{name}`"));
        };
        if value.is_null() {
            continue;
        }
        let fits = match field.kind {
            Kind::Text => {
                if let Value::Number(number) = value {
                    *value = Value::String(number.to_string());
                }
                value.is_string()
            }
            Kind::Seconds => {
                if let Some(seconds) = value.as_str().and_then(|text| text.parse::<i64>().ok()) {
                    *value = seconds.into();
                }
                value.is_i64()
            }
            Kind::Flag => value.is_boolean(),
            Kind::Texts => {
                let texts = value.as_array();
                texts.is_some_and(|texts| texts.iter().all(Value::is_string))
            }
            Kind::Object => value.is_object(),
            Kind::Objects(_) => value.is_array(),
            Kind::Fields(fields) => match value.as_object_mut() {
                Some(value) => {
                    fit(value, fields, &format!("{within}{name}."), true)?;
                    true
                }
                None => false,
            },
        };
        if !fits {
            let takes = field.kind.takes();
            return Err(format!("`{within}{name}` takes {takes}"));
        }
    }
    Ok(())
}

/// The lines of a flow as a flow, and how many rows it has.
fn input(flow: &Flow, mut lines: Lines) -> (FlowInput, u64) {
    if flow.entity == Entity::Messages {
        lines
            .records
            .sort_by_key(|record| record.get("sentAt").and_then(Value::as_i64));
    }
    let fields = entities::fields(flow.entity);
    let mut batches: Vec<Shaped> = lines
        .records
        .chunks(ROWS)
        .map(|records| Shaped {
            rows: rows(records, fields),
            rejected: Vec::new(),
            skipped: Vec::new(),
            positions: None,
            changed: None,
        })
        .collect();
    if lines.without_record > 0 {
        batches.push(Shaped {
            rows: rows(&[], fields),
            rejected: Vec::new(),
            skipped: vec![SkippedRows {
                reason: WITHOUT_RECORD.into(),
                rows: lines.without_record,
            }],
            positions: None,
            changed: None,
        });
    }
    let read = lines.records.len() as u64 + lines.without_record;
    let flow = FlowInput {
        // Another name than the flow's own: the rows that are not in the file stay as they are.
        name: format!("{} by hand", flow.name),
        entity: flow.entity,
        references: flow.references.clone(),
        open: Box::new(move |_| {
            let batches = batches.clone();
            Some(futures::stream::iter(batches.into_iter().map(Ok)).boxed())
        }),
    };
    (flow, read)
}

/// Records as the rows that a flow makes.
fn rows(records: &[Map<String, Value>], fields: &[Field]) -> RecordBatch {
    let records: Vec<Option<&Map<String, Value>>> = records.iter().map(Some).collect();
    let (columns, arrays): (Vec<Column>, Vec<ArrayRef>) =
        columns(&records, fields).into_iter().unzip();
    let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(columns)), arrays, &options)
        .expect("every column has a value for every record")
}

/// A column for each field, and for each other key that a record has.
fn columns(records: &[Option<&Map<String, Value>>], fields: &[Field]) -> Vec<(Column, ArrayRef)> {
    let keys = records.iter().flatten().flat_map(|record| record.keys());
    let others: BTreeSet<&String> = keys
        .filter(|key| !fields.iter().any(|field| field.name == *key))
        .collect();
    let value = |record: &Option<&'_ Map<String, Value>>, name: &str| -> Option<Value> {
        let value = record.as_ref()?.get(name)?;
        (!value.is_null()).then(|| value.clone())
    };
    let mut columns: Vec<(Column, ArrayRef)> = Vec::new();
    for field in fields {
        let values: Vec<Option<Value>> = records.iter().map(|it| value(it, field.name)).collect();
        if values.iter().any(Option::is_some) || field.required {
            columns.push(column(field.name, field.kind, &values));
        }
    }
    for name in others {
        let values: Vec<Option<Value>> = records.iter().map(|it| value(it, name)).collect();
        columns.push(column(name, Kind::Object, &values));
    }
    columns
}

/// The values of one field, which fit it.
fn column(name: &str, kind: Kind, values: &[Option<Value>]) -> (Column, ArrayRef) {
    let each = || values.iter().map(Option::as_ref);
    let array: ArrayRef = match kind {
        Kind::Text => {
            let texts = each().map(|value| value.and_then(Value::as_str));
            Arc::new(texts.collect::<StringArray>())
        }
        Kind::Seconds => {
            let times = each().map(|value| value.and_then(Value::as_i64));
            Arc::new(times.collect::<Int64Array>())
        }
        Kind::Flag => {
            let flags = each().map(|value| value.and_then(Value::as_bool));
            Arc::new(flags.collect::<BooleanArray>())
        }
        Kind::Texts => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for value in each() {
                let texts = value.and_then(Value::as_array);
                for text in texts.into_iter().flatten() {
                    lists.values().append_option(text.as_str());
                }
                lists.append(texts.is_some());
            }
            Arc::new(lists.finish())
        }
        Kind::Object | Kind::Objects(_) => {
            let texts = each().map(|value| value.map(Value::to_string));
            let array = Arc::new(texts.collect::<StringArray>());
            return (json::column(name), array);
        }
        Kind::Fields(fields) => {
            let objects: Vec<_> = each()
                .map(|value| value.and_then(Value::as_object))
                .collect();
            let (fields, arrays): (Vec<Column>, Vec<ArrayRef>) =
                columns(&objects, fields).into_iter().unzip();
            let nulls = objects
                .iter()
                .map(Option::is_some)
                .collect::<Vec<bool>>()
                .into();
            let objects = StructArray::try_new_with_length(
                Fields::from(fields),
                arrays,
                Some(nulls),
                objects.len(),
            );
            Arc::new(objects.expect("every field has a value for every object"))
        }
    };
    (Column::new(name, array.data_type().clone(), true), array)
}
