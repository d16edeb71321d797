//! A source in memory, and a pipeline over it, for tests through the engine's door.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::concat_batches;
use arrow::datatypes::{Field as ArrowField, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use chatferry_core::{
    Batch, BatchStream, Entity, Field, FieldEntry, FieldValue, Flow, Kind, Mistake, Order, Place,
    References, RejectedRow, Scan, Shaped, Skip, Source, SourceError, SourceErrorKind, Span, Sql,
    Table, Value, Variables, View,
};
use chatferry_engine::{Engine, FlowPlan, PlanError};
use futures::StreamExt;

/// A table in memory: what its scan gives, batch by batch.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    pub(crate) schema: Arc<Schema>,
    pub(crate) batches: Vec<Given>,
    pub(crate) orders: Vec<&'static str>,
    /// Whether it can be read on from any batch.
    pub(crate) reads_on: bool,
}

/// What a scan gives.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    Rows(RecordBatch),
    Rejected(u64),
    Error,
}

/// A table of one batch.
pub(crate) fn rows(columns: Vec<(&str, ArrayRef)>) -> Rows {
    let columns = columns.into_iter().map(|(name, column)| {
        (
            ArrowField::new(name, column.data_type().clone(), true),
            column,
        )
    });
    marked(columns.collect())
}

/// A table of one batch whose columns are described in full.
pub(crate) fn marked(columns: Vec<(ArrowField, ArrayRef)>) -> Rows {
    let (fields, columns): (Vec<_>, Vec<_>) = columns.into_iter().unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    Rows {
        schema,
        batches: vec![Given::Rows(batch)],
        orders: Vec::new(),
        reads_on: false,
    }
}

impl Rows {
    pub(crate) fn read_on(mut self) -> Self {
        self.reads_on = true;
        self
    }

    fn count(&self) -> u64 {
        let rows = |given: &Given| match given {
            Given::Rows(batch) => batch.num_rows() as u64,
            _ => 0,
        };
        self.batches.iter().map(rows).sum()
    }

    pub(crate) fn ordered(mut self, by: &[&'static str]) -> Self {
        self.orders = by.to_vec();
        self
    }

    pub(crate) fn then(mut self, given: Given) -> Self {
        self.batches.push(given);
        self
    }

    /// The rows in batches of this many.
    pub(crate) fn in_batches_of(mut self, many: usize) -> Self {
        let split = |given: Given| match given {
            Given::Rows(batch) => (0..batch.num_rows())
                .step_by(many)
                .map(|start| {
                    let rows = many.min(batch.num_rows() - start);
                    Given::Rows(batch.slice(start, rows))
                })
                .collect(),
            other => vec![other],
        };
        self.batches = self.batches.into_iter().flat_map(split).collect();
        self
    }
}

/// The source, which remembers what it was asked for.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    tables: Vec<(String, Rows)>,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

pub(crate) fn place() -> Place {
    Place {
        file: "rows.jsonl".into(),
        line: Some(7),
        byte: None,
    }
}

fn broken() -> SourceError {
    SourceError::new(
        SourceErrorKind::Failed,
        "read rows.jsonl",
        "the disk is gone",
    )
    .at(place())
    .help("bring it back")
}

#[async_trait]
impl Source for Memory {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.tables.iter().map(|(name, _)| name.clone()).collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        let (name, rows) = self.tables.iter().find(|(name, _)| name == table).unwrap();
        if name == "broken" {
            return Err(broken());
        }
        Ok(Arc::new(Table {
            name: name.clone(),
            schema: Arc::clone(&rows.schema),
            orders: rows
                .orders
                .iter()
                .map(|column| Order::by([*column]))
                .collect(),
            can_order: Vec::new(),
            rows: chatferry_core::Rows::Exactly(rows.count()),
            notes: vec![format!("{name} is in memory")],
        }))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let (_, rows) = self
            .tables
            .iter()
            .find(|(name, _)| *name == scan.table.name)
            .unwrap();
        let schema = scan.schema();
        let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let asked = format!("{}: {}", scan.table.name, names.join(", "));
        self.asked.lock().unwrap().push(asked);
        let bookmark = scan.bookmark.clone();
        let batch = move |given: Given| {
            let (rows, rejected) = match given {
                Given::Rows(rows) => (rows.project(&scan.columns).unwrap(), 0),
                Given::Rejected(count) => {
                    let schema = scan.schema();
                    let columns = schema.fields().iter();
                    let columns = columns.map(|f| arrow::array::new_empty_array(f.data_type()));
                    let columns = columns.collect();
                    let options = RecordBatchOptions::new().with_row_count(Some(0));
                    let empty = RecordBatch::try_new_with_options(schema, columns, &options);
                    (empty.unwrap(), count)
                }
                Given::Error => return Err(broken()),
            };
            let rejected = (0..rejected).map(|_| RejectedRow {
                rule: "malformed".into(),
                detail: "not JSON".into(),
                id: None,
                place: Some(place()),
            });
            Ok(Batch {
                rows,
                rejected: rejected.collect(),
            })
        };
        let from = bookmark.begins().map_or(0, |from| from.parse().unwrap());
        let left = rows.reads_on.then(|| rows.batches.len().to_string());
        let end = futures::stream::once(async move {
            left.into_iter().for_each(|left| bookmark.leave(left));
            None
        });
        futures::stream::iter(rows.batches.clone().into_iter().skip(from))
            .map(Some)
            .chain(end)
            .filter_map(std::future::ready)
            .map(batch)
            .boxed()
    }
}

/// A pipeline in the making. Its file is the text of all SQL, a piece a line.
#[derive(Default)]
pub(crate) struct Stage {
    file: String,
    sources: Vec<(String, Memory)>,
    views: Vec<View>,
    variables: Variables,
    memory: Option<usize>,
    spill: Option<PathBuf>,
    entity: Option<Entity>,
    from: Option<Sql>,
    filter: Option<Sql>,
    skip: Vec<Skip>,
    order_by: Vec<Sql>,
    changed_since: Option<Sql>,
    fields: Vec<FieldEntry>,
}

/// A stage with the source `legacy`, which has this table `rows`, and a flow of users from it.
pub(crate) fn over(table: Rows) -> Stage {
    let stage = Stage::default().table("legacy", "rows", table);
    stage.from("legacy.rows")
}

impl Stage {
    fn sql(&mut self, text: &str) -> Sql {
        let start = self.file.len();
        self.file.push_str(text);
        self.file.push('\n');
        Sql {
            text: text.to_owned(),
            at: Some(start..start + text.len()),
            verbatim: true,
        }
    }

    pub(crate) fn table(mut self, source: &str, name: &str, rows: Rows) -> Self {
        let place = self.sources.iter().position(|(known, _)| known == source);
        let place = place.unwrap_or_else(|| {
            self.sources.push((source.to_owned(), Memory::default()));
            self.sources.len() - 1
        });
        self.sources[place].1.tables.push((name.to_owned(), rows));
        self
    }

    pub(crate) fn view(mut self, name: &str, query: &str) -> Self {
        let query = self.sql(query);
        self.views.push(View {
            name: name.to_owned(),
            at: None,
            query,
        });
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: Value) -> Self {
        self.variables.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn memory(mut self, bytes: usize, spill: PathBuf) -> Self {
        self.memory = Some(bytes);
        self.spill = Some(spill);
        self
    }

    pub(crate) fn messages(mut self) -> Self {
        self.entity = Some(Entity::Messages);
        self
    }

    pub(crate) fn from(mut self, from: &str) -> Self {
        self.from = Some(self.sql(from));
        self
    }

    pub(crate) fn filter(mut self, condition: &str) -> Self {
        self.filter = Some(self.sql(condition));
        self
    }

    pub(crate) fn skip(mut self, reason: &str, condition: &str) -> Self {
        let when = self.sql(condition);
        self.skip.push(Skip {
            reason: reason.to_owned(),
            when,
        });
        self
    }

    pub(crate) fn order_by(mut self, key: &str) -> Self {
        let key = self.sql(key);
        self.order_by.push(key);
        self
    }

    pub(crate) fn changed_since(mut self, sql: &str) -> Self {
        self.changed_since = Some(self.sql(sql));
        self
    }

    /// A field, by its dotted name.
    pub(crate) fn field(mut self, name: &str, expression: &str) -> Self {
        let sql = self.sql(expression);
        let mut entries = &mut self.fields;
        let mut parts: Vec<&str> = name.split('.').collect();
        let last = parts.pop().unwrap();
        for part in parts {
            let place = entries.iter().position(|entry| entry.name == part);
            let place = place.unwrap_or_else(|| {
                entries.push(FieldEntry {
                    name: part.to_owned(),
                    at: None,
                    value: FieldValue::Object(Vec::new()),
                });
                entries.len() - 1
            });
            entries = match &mut entries[place].value {
                FieldValue::Object(inner) => inner,
                FieldValue::Expression(_) => panic!("{part} is an expression"),
            };
        }
        entries.push(FieldEntry {
            name: last.to_owned(),
            at: None,
            value: FieldValue::Expression(sql),
        });
        self
    }

    /// A nested table without fields.
    pub(crate) fn empty_object(mut self, name: &str) -> Self {
        self.fields.push(FieldEntry {
            name: name.to_owned(),
            at: None,
            value: FieldValue::Object(Vec::new()),
        });
        self
    }

    /// What the sources are asked for from now on.
    pub(crate) fn asked(&self) -> Arc<Mutex<Vec<String>>> {
        Arc::clone(&self.sources[0].1.asked)
    }

    pub(crate) async fn plan(self) -> Result<FlowPlan, PlanError> {
        let sources = self.sources.into_iter().map(|(name, memory)| {
            let source: Arc<dyn Source> = Arc::new(memory);
            (name, source)
        });
        let entity = self.entity.unwrap_or(Entity::Users);
        let fields = match entity {
            Entity::Messages => MESSAGES,
            _ => USERS,
        };
        let flow = Flow {
            name: entity.name().to_owned(),
            entity,
            from: self.from.unwrap(),
            filter: self.filter,
            skip: self.skip,
            order_by: self.order_by,
            changed_since: self.changed_since,
            fields: self.fields,
            at: None,
            references: References::Require,
        };
        let memory = self.memory.unwrap_or(64 << 20);
        let engine = Engine::open(
            sources.collect(),
            self.views,
            self.variables,
            memory,
            self.spill,
        );
        engine.await.unwrap().plan(&flow, fields).await
    }

    /// Everything that the flow gives.
    pub(crate) async fn run(self) -> Run {
        let plan = self.plan().await;
        let plan = plan.unwrap_or_else(|error| panic!("{error:#?}"));
        run(&plan).await
    }

    /// The mistakes, as a person would see them.
    pub(crate) async fn mistakes(self) -> String {
        let file = self.file.clone();
        match self.plan().await {
            Err(PlanError::Mistakes(found)) => {
                let shown = found.iter().map(|mistake| show(mistake, &file));
                shown.collect::<Vec<_>>().join("\n")
            }
            Err(PlanError::Source(error)) => format!("source: {error}"),
            Ok(plan) => format!("no mistake: {:#?}", plan.columns()),
        }
    }
}

fn show(mistake: &Mistake, file: &str) -> String {
    let underlined = |at: &Span| file[at.clone()].to_owned();
    let mut shown = format!("{}\n", mistake.message);
    shown += &format!(
        "  at: {}\n",
        mistake.at.as_ref().map_or("nowhere".into(), underlined)
    );
    shown += &format!("  label: {}\n", mistake.label);
    if let Some(help) = &mistake.help {
        shown += &format!("  help: {help}\n");
    }
    shown
}

/// What a flow gave.
pub(crate) struct Run {
    pub(crate) rows: RecordBatch,
    pub(crate) rejected: Vec<RejectedRow>,
    pub(crate) skipped: Vec<(String, u64)>,
    pub(crate) rows_read: u64,
    pub(crate) error: Option<SourceError>,
}

pub(crate) async fn run(plan: &FlowPlan) -> Run {
    let given: Vec<Result<Shaped, SourceError>> = plan.shape().collect().await;
    let mut batches = Vec::new();
    let mut run = Run {
        rows: RecordBatch::new_empty(Arc::clone(plan.schema())),
        rejected: Vec::new(),
        skipped: Vec::new(),
        rows_read: 0,
        error: None,
    };
    for shaped in given {
        assert!(run.error.is_none(), "something follows an error");
        match shaped {
            Err(error) => run.error = Some(error),
            Ok(shaped) => {
                run.rows_read += shaped.rows_read();
                batches.push(shaped.rows);
                run.rejected.extend(shaped.rejected);
                for skipped in shaped.skipped {
                    let known = run.skipped.iter_mut().find(|(r, _)| **r == *skipped.reason);
                    match known {
                        Some((_, rows)) => *rows += skipped.rows,
                        None => run.skipped.push((skipped.reason.to_string(), skipped.rows)),
                    }
                }
            }
        }
    }
    run.rows = concat_batches(plan.schema(), &batches).unwrap();
    run
}

impl Run {
    /// A column's values, written out; `null` for none.
    pub(crate) fn column(&self, name: &str) -> Vec<String> {
        values(self.rows.column_by_name(name).unwrap())
    }

    pub(crate) fn details(&self) -> Vec<String> {
        let details = self.rejected.iter();
        details
            .map(|row| format!("{}: {}", row.rule, row.detail))
            .collect()
    }
}

pub(crate) fn values(column: &dyn Array) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let written = ArrayFormatter::try_new(column, &options).unwrap();
    (0..column.len())
        .map(|row| written.value(row).to_string())
        .collect()
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
        about: "",
    }
}

pub(crate) const USERS: &[Field] = &[
    Field {
        required: true,
        ..field("uid", Kind::Text)
    },
    field("name", Kind::Text),
    field("createdAt", Kind::Seconds),
    field("isBanned", Kind::Flag),
    field("metadata", Kind::Object),
    field("tags", Kind::Texts),
];

const MESSAGES: &[Field] = &[
    field("muid", Kind::Text),
    field("sender", Kind::Text),
    field("sentAt", Kind::Seconds),
    field("data", Kind::Fields(DATA)),
    field("tags", Kind::Texts),
];

const DATA: &[Field] = &[
    field("text", Kind::Text),
    field("attachments", Kind::Objects(&[])),
    field("metadata", Kind::Object),
];

pub(crate) fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(arrow::array::StringArray::from(values.to_vec()))
}

pub(crate) fn numbers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(arrow::array::Int64Array::from(values.to_vec()))
}

impl Stage {
    /// From here on the fields' SQL is as if it was written with escapes.
    pub(crate) fn escaped(&mut self) {
        for entry in &mut self.fields {
            if let FieldValue::Expression(sql) = &mut entry.value {
                sql.verbatim = false;
            }
        }
    }
}
