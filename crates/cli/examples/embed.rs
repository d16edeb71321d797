//! chatferry as a library: a program with a source of its own.
//!
//! The source is a chat that the program holds in memory; a pipeline shapes it with SQL, and a run
//! delivers it, here to the simulator in the same process. It prints what became of every row:
//!
//! ```text
//! cargo run -p chatferry --example embed
//! ```

#![expect(clippy::print_stdout, reason = "it tells whoever started it")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use chatferry::in_process::InProcess;
use chatferry_cometchat::{CometChat, destination, entities};
use chatferry_config::{Reading, Registry, Section, read};
use chatferry_core::{
    Account, Batch, BatchStream, Order, OutcomeKind, Rows, Scan, Source, SourceError,
    SourceErrorKind, SourceSettings, Table,
};
use chatferry_engine::{Engine, PlanError};
use chatferry_ledger::Ledger;
use chatferry_runtime::{Again, Ended, FlowInput, Observer, Progress, Run};
use chatferry_simulator::{Settings, Simulator};
use futures::{StreamExt, stream};

/// The users, and what they said when, in seconds since 1970.
const TALK: [(i64, &str, &str, i64); 3] = [
    (1, "ada", "The engine works.", 1_704_103_200),
    (2, "charles", "It does?", 1_704_103_260),
    (3, "ada", "It does.", 1_704_103_320),
];

/// What is to become of them.
const PIPELINE: &str = r#"
name = "embedded"

[cometchat]
base_url = "http://127.0.0.1"
api_key = "none is needed"
requests_per_minute = "off"
retention = "off"

[sources.chat]
connector = "memory"

[[flow]]
entity = "users"
from = "speakers"
fields = { uid = "speaker", name = "initcap(speaker)" }

[[flow]]
entity = "messages"
from = "chat.talk"
[flow.fields]
muid = "id"
sender = "speaker"
receiverType = "'user'"
receiver = "CASE speaker WHEN 'ada' THEN 'charles' ELSE 'ada' END"
category = "'message'"
type = "'text'"
sentAt = "said_at"
data.text = "words"

[views]
speakers = "SELECT DISTINCT speaker FROM chat.talk"
"#;

/// A chat in memory.
#[derive(Debug)]
struct Memory {
    table: Arc<Table>,
}

impl Memory {
    fn new() -> Self {
        let schema = Schema::new(vec![
            Field::new("id", DataType::Int64, false),
            Field::new("speaker", DataType::Utf8, false),
            Field::new("words", DataType::Utf8, false),
            Field::new("said_at", DataType::Int64, false),
        ]);
        let table = Table {
            name: "talk".to_owned(),
            schema: Arc::new(schema),
            // Then nobody has to sort it.
            orders: vec![Order::by(["id"]), Order::by(["said_at"])],
            can_order: Vec::new(),
            rows: Rows::Exactly(TALK.len() as u64),
            notes: Vec::new(),
        };
        Self {
            table: Arc::new(table),
        }
    }
}

#[async_trait]
impl Source for Memory {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec![self.table.name.clone()])
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        match table == self.table.name {
            true => Ok(Arc::clone(&self.table)),
            false => Err(unknown(table)),
        }
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        if scan.table.name != self.table.name {
            return stream::iter([Err(unknown(&scan.table.name))]).boxed();
        }
        let pieces = TALK.chunks(scan.rows_per_batch);
        stream::iter(pieces.map(move |rows| Ok(batch(rows, &scan)))).boxed()
    }
}

/// The wanted columns of some rows.
fn batch(rows: &[(i64, &str, &str, i64)], scan: &Scan) -> Batch {
    let all: [ArrayRef; 4] = [
        Arc::new(rows.iter().map(|row| Some(row.0)).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| Some(row.1)).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| Some(row.2)).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| Some(row.3)).collect::<Int64Array>()),
    ];
    let columns = scan.columns.iter().map(|column| Arc::clone(&all[*column]));
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let rows = RecordBatch::try_new_with_options(scan.schema(), columns.collect(), &options);
    Batch {
        rows: rows.expect("the columns are those of the schema"),
        rejected: Vec::new(),
    }
}

fn unknown(table: &str) -> SourceError {
    let (kind, doing) = (SourceErrorKind::NotFound, format!("read {table}"));
    SourceError::new(kind, doing, "there is no such table").help("the only table is talk")
}

/// The settings of a memory: there are none.
#[derive(Debug)]
struct MemorySettings;

impl SourceSettings for MemorySettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        Ok(Arc::new(Memory::new()))
    }
}

fn plan_memory(_: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    Some(Box::new(MemorySettings))
}

/// Whoever looks at a run while it goes on. Here nobody does.
struct Nobody;

impl Observer for Nobody {
    fn progress(&mut self, _: &Progress<'_>) {}

    fn trouble(&mut self, _: &str) {}
}

/// Carries the chat over, and gives what became of each row.
async fn carry() -> Result<Account, Box<dyn Error>> {
    // 1. The text: the connectors that there are, and the pipeline that names them.
    let mut connectors = Registry::new(destination());
    connectors.source("memory", "A chat in memory", plan_memory);
    let reading = Reading {
        environment: &|_| None,
        folder: Path::new("."),
        overrides: &[],
        without_secrets: false,
    };
    let read = read(PIPELINE, &connectors, &reading);
    let Some(pipeline) = read.pipeline else {
        return Err(format!("the pipeline has mistakes: {:?}", read.mistakes).into());
    };

    // 2. The world: sources are opened, and every flow is planned.
    let mut sources = Vec::new();
    for source in &pipeline.sources {
        sources.push((source.name.clone(), source.settings.open()?));
    }
    let memory = usize::try_from(pipeline.engine.memory)?;
    let (views, variables) = (pipeline.views.clone(), pipeline.variables.clone());
    let engine = Engine::open(sources, views, variables, memory, None).await?;
    let mut flows = Vec::new();
    for flow in &pipeline.flows {
        let planned = engine.plan(flow, entities::fields(flow.entity)).await;
        let plan = Arc::new(planned.map_err(|error| match error {
            PlanError::Mistakes(mistakes) => format!("a flow has mistakes: {mistakes:?}"),
            PlanError::Source(error) => error.to_string(),
        })?);
        flows.push(FlowInput {
            name: flow.name.clone(),
            entity: flow.entity,
            references: flow.references.clone(),
            open: Box::new(move |since| plan.shape_since(since)),
        });
    }

    // 3. The run: a destination, a ledger that says what was delivered, and somebody to look on.
    let simulator = Simulator::new(Settings {
        requests_per_minute: None,
        retention: None,
        ..Settings::default()
    })?;
    let transport = Arc::new(InProcess(simulator));
    let folder = tempfile::tempdir()?;
    let run = Run {
        destination: Arc::new(CometChat::over(&pipeline.destination, transport)),
        flows,
        ledger: Ledger::open(&folder.path().join("embedded.ledger")).await?,
        pipeline: 1,
        again: Again::Nothing,
        spill: None,
        now_ms: Arc::new(|| chrono::Utc::now().timestamp_millis()),
    };
    // `stop` would end it early, without losing what is under way.
    let (_stop, stopped) = chatferry_runtime::stop();
    let finished = run.go(stopped, &mut Nobody).await?;
    finished.ledger.close().await?;
    match finished.ended {
        Ended::Complete => Ok(finished.account),
        other => Err(format!("the run ended early: {other:?}").into()),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let account = carry().await?;
    for flow in &account.flows {
        println!("{}: {} rows", flow.flow, flow.read);
        for kind in OutcomeKind::ALL {
            println!("  {}: {}", kind.name(), flow.count(kind));
        }
    }
    Ok(())
}

#[cfg(test)]
#[tokio::test]
async fn every_row_arrives() {
    let account = carry().await.expect("it is carried over");
    assert!(account.adds_up());
    let imported = account.flows.iter();
    let imported = imported.map(|flow| flow.count(OutcomeKind::Imported));
    assert_eq!(imported.collect::<Vec<_>>(), [2, 3]);
}
