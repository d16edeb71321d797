//! A generated chat, ready to be asked: its folder, its pipeline, its flows.
//!
//! What a bench measures is its own; what it needs before the clock starts is here.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use chatferry_cometchat::{CometChat, Settings, entities};
use chatferry_config::{Override, Pipeline, Reading};
use chatferry_core::{Destination, Entity, Flow, Prepared, Record, References, Source};
use chatferry_engine::{Engine, FlowPlan};
use chatferry_ledger::Ledger;
use chatferry_runtime::{Again, Ended, Finished, FlowInput, Observer, Progress, Run, stop};
use chatferry_simulator::{Keep, Simulator};
use futures::StreamExt;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::generate::{Chat, NOW_MS, Order, Size};

/// The seed of every chat that is measured.
const SEED: u64 = 7;
/// Bytes of memory the engine gets: its default.
const MEMORY: usize = 64 << 20;

/// How many messages to measure with: what `CHATFERRY_BENCH_MESSAGES` says, or 100,000; few in a
/// build that is not optimised, which only shows that the bench still works.
///
/// # Panics
///
/// When the variable is no number.
#[must_use]
pub fn messages() -> u64 {
    match std::env::var("CHATFERRY_BENCH_MESSAGES") {
        Ok(number) => number
            .replace('_', "")
            .parse()
            .expect("CHATFERRY_BENCH_MESSAGES is a number"),
        Err(_) if cfg!(debug_assertions) => 2_000,
        Err(_) => 100_000,
    }
}

/// The runtime that the program has.
///
/// # Panics
///
/// When the system gives no threads.
#[must_use]
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("the system gives threads")
}

/// A generated chat in a folder of its own, which goes away with it.
#[derive(Debug)]
pub struct Measured {
    folder: TempDir,
    /// How many messages it has.
    pub messages: u64,
    /// How many bytes the file of messages has.
    pub bytes: u64,
}

impl Measured {
    /// Writes a chat of so many messages.
    ///
    /// # Panics
    ///
    /// When the temporary folder cannot be written.
    #[must_use]
    pub fn new(messages: u64, order: Order) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder is made");
        let chat = Chat::new(SEED, Size::of(messages));
        chat.write(folder.path(), order)
            .expect("the chat is written");
        let file = folder.path().join("messages.jsonl");
        let bytes = std::fs::metadata(file).expect("the file was written").len();
        Self {
            folder,
            messages,
            bytes,
        }
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its pipeline, sending to `base_url` or to nowhere.
    ///
    /// # Panics
    ///
    /// When the pipeline file has a mistake.
    #[must_use]
    pub fn pipeline(&self, base_url: Option<&str>) -> Pipeline<Settings> {
        let registry = chatferry::connectors::all();
        let base_url = base_url.map(|url| format!("cometchat.base_url={url}"));
        let overrides: Vec<Override> = base_url
            .iter()
            .map(|text| Override::parse(text).expect("a key and a value"))
            .collect();
        let reading = Reading {
            environment: &|_| None,
            folder: self.folder(),
            overrides: &overrides,
            without_secrets: false,
        };
        let read = chatferry_config::read(crate::generate::PIPELINE, &registry, &reading);
        read.pipeline
            .unwrap_or_else(|| panic!("the pipeline has mistakes: {:#?}", read.mistakes))
    }

    /// Its source, of which nothing has been read yet.
    ///
    /// # Panics
    ///
    /// When the folder is gone.
    #[must_use]
    pub fn source(&self) -> Arc<dyn Source> {
        let pipeline = self.pipeline(None);
        pipeline.sources[0]
            .settings
            .open()
            .expect("the folder is there")
    }

    /// Everything up to the account, from the first look at the files on: what `chatferry run`
    /// does.
    ///
    /// # Panics
    ///
    /// When anything goes wrong, or a row is not imported.
    pub async fn import(&self, destination: Arc<dyn Destination>) -> Finished {
        let pipeline = self.pipeline(None);
        let flows = inputs(self.source(), &pipeline.flows).await;
        let folder = tempfile::tempdir().expect("a temporary folder is made");
        let ledger = Ledger::open(&folder.path().join("ledger"))
            .await
            .expect("a new ledger opens");
        let run = Run {
            destination,
            flows,
            ledger,
            pipeline: 0,
            again: Again::Nothing,
            spill: None,
            now_ms: Arc::new(|| i64::try_from(NOW_MS).expect("the year is not far off")),
        };
        let (_stop, stopped) = stop();
        let finished = run
            .go(stopped, &mut Nobody)
            .await
            .expect("a new ledger can be read");
        assert!(
            matches!(finished.ended, Ended::Complete),
            "the run ended with {:?}",
            finished.ended
        );
        assert_eq!(finished.account.undelivered(), 0, "{:#?}", finished.account);
        finished
    }
}

/// The flow that makes `entity`.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn flow(pipeline: &Pipeline<Settings>, entity: Entity) -> &Flow {
    let found = pipeline.flows.iter().find(|flow| flow.entity == entity);
    found.expect("the pipeline has a flow for each entity")
}

/// Plans a flow over a source that is called as in the pipeline.
///
/// # Panics
///
/// When the flow cannot be planned.
pub async fn plan(source: Arc<dyn Source>, flow: &Flow) -> FlowPlan {
    let engine = engine(source).await;
    let plan = engine.plan(flow, entities::fields(flow.entity)).await;
    plan.unwrap_or_else(|error| panic!("the flow {} cannot be planned: {error:#?}", flow.name))
}

async fn engine(source: Arc<dyn Source>) -> Engine {
    let sources = vec![("chat".to_owned(), source)];
    let engine = Engine::open(
        sources,
        Vec::new(),
        chatferry_core::Variables::new(),
        MEMORY,
        None,
    );
    engine.await.expect("the source lists its tables")
}

/// The flows as the runtime takes them.
async fn inputs(source: Arc<dyn Source>, flows: &[Flow]) -> Vec<FlowInput> {
    let mut inputs = Vec::with_capacity(flows.len());
    for flow in flows {
        let plan = plan(Arc::clone(&source), flow).await;
        inputs.push(FlowInput {
            name: flow.name.clone(),
            entity: flow.entity,
            references: References::Require,
            open: Box::new(move |since| plan.shape_since(since)),
        });
    }
    inputs
}

/// All shaped rows of a plan.
///
/// # Panics
///
/// When a row cannot be read or shaped.
pub async fn shaped(plan: &FlowPlan) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    let mut rows = plan.shape();
    while let Some(shaped) = rows.next().await {
        let shaped = shaped.expect("generated rows can be read");
        assert!(
            shaped.rejected.is_empty(),
            "generated rows can be shaped: {:?}",
            shaped.rejected
        );
        batches.push(shaped.rows);
    }
    batches
}

/// The records of an entity, validated and encoded.
///
/// # Panics
///
/// When a row breaks a rule.
pub async fn records(chat: &Measured, entity: Entity) -> Vec<Record> {
    let pipeline = chat.pipeline(None);
    let plan = plan(chat.source(), flow(&pipeline, entity)).await;
    let destination = CometChat::offline(&pipeline.destination);
    let mut records = Vec::new();
    for rows in shaped(&plan).await {
        for prepared in destination.prepare(entity, &rows, now()) {
            match prepared {
                Prepared::Ready(record) => records.push(record),
                other => panic!("a generated row breaks a rule: {other:?}"),
            }
        }
    }
    records
}

/// The chat's now, in UNIX seconds.
#[must_use]
pub fn now() -> i64 {
    i64::try_from(NOW_MS / 1_000).expect("the year is not far off")
}

/// A simulator without records and limits, which keeps no more than it must.
///
/// # Panics
///
/// Never; only keeping records needs a file.
#[must_use]
pub fn simulator() -> Simulator {
    let settings = chatferry_simulator::Settings {
        requests_per_minute: None,
        retention: None,
        clock: chatferry_simulator::Clock::stopped_at(now()),
        keep: Keep::Ids,
        ..chatferry_simulator::Settings::default()
    };
    Simulator::new(settings).expect("keeping ids needs no file")
}

/// A request as the simulator takes it.
///
/// # Panics
///
/// When `path` is none.
#[must_use]
pub fn request(path: &str, body: Bytes) -> http::Request<Bytes> {
    http::Request::post(path)
        .header("apikey", "bench")
        .body(body)
        .expect("a path and a header make a request")
}

/// A simulator over HTTP, on a thread of its own, as a server would be.
#[derive(Debug)]
pub struct Loopback {
    /// Where it is, as `base_url` takes it.
    pub url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Loopback {
    /// Serves a simulator until this is dropped.
    ///
    /// # Panics
    ///
    /// When no port can be had.
    #[must_use]
    pub fn serve(simulator: Simulator) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime
                .expect("the system gives a runtime")
                .block_on(async {
                    let listener = TcpListener::bind("127.0.0.1:0")
                        .await
                        .expect("a port is free");
                    tell.send(listener.local_addr().expect("it is bound"))
                        .expect("someone waits");
                    let stopped = async {
                        // Whether told or forgotten, it is over.
                        let _ = stopped.await;
                    };
                    simulator
                        .serve(listener, stopped)
                        .await
                        .expect("loopback does not fail");
                });
        });
        let address = told.recv().expect("the thread tells its address");
        Self {
            url: format!("http://{address}/v3"),
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed there.
            let _ = thread.join();
        }
    }
}

/// A full request's worth of records.
#[must_use]
pub fn per_request(chat: &Measured) -> NonZeroUsize {
    chat.pipeline(None).destination.delivery.records_per_request
}

/// Watches a run without looking.
#[derive(Clone, Copy, Debug)]
pub struct Nobody;

impl Observer for Nobody {
    fn progress(&mut self, _progress: &Progress<'_>) {}

    fn trouble(&mut self, what: &str) {
        panic!("nothing can go wrong, and yet: {what}");
    }
}
