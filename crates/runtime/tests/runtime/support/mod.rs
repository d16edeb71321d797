//! A chat that is made up and a destination that does as it is told.

use std::collections::HashSet;
use std::fmt;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use async_trait::async_trait;
use bytes::Bytes;
use chatferry_core::{
    Answer, Delivery, Destination, Entity, Failure, MessageOrder, Origin, Permit, Placeholders,
    Prepared, Receipt, Record, RecordId, Reference, References, Shaped, Since, Verdict,
};
use chatferry_ledger::Ledger;
use chatferry_runtime::{
    Again, Finished, FlowInput, Forecast, Observer, Plan, Progress, Run, Stop,
};
use futures::StreamExt;
use tokio::time::Instant;

/// What a destination does with a request: the records, how many requests came before, and what
/// is stored.
pub(crate) type Behaviour =
    dyn Fn(&[Record], usize, &mut Store) -> Result<Vec<Receipt>, Failure> + Send + Sync;

/// What a destination has stored.
#[derive(Debug, Default)]
pub(crate) struct Store {
    ids: HashSet<String>,
    /// Ids in the order in which they were stored, each with its lane and time.
    pub(crate) stored: Vec<(String, u64, i64)>,
    /// When each request came, and how many records it had.
    pub(crate) requests: Vec<(Instant, usize)>,
}

impl Store {
    /// Stores a record, or says that it is there.
    pub(crate) fn store(&mut self, record: &Record) -> Receipt {
        let id = record.id.as_str().to_owned();
        let verdict = if self.ids.insert(id.clone()) {
            self.stored
                .push((id, record.lane, record.sent_at.unwrap_or_default()));
            Verdict::Imported { remote: None }
        } else {
            Verdict::Present
        };
        Receipt {
            id: record.id.clone(),
            verdict,
        }
    }

    /// Whether something with that id is stored.
    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// Whether a record is stored.
    pub(crate) fn has(&self, record: &Record) -> bool {
        self.ids.contains(record.id.as_str())
    }

    /// Stores all of them.
    pub(crate) fn store_all(&mut self, records: &[Record]) -> Vec<Receipt> {
        records.iter().map(|record| self.store(record)).collect()
    }

    /// How many records were stored after a later one of their lane.
    pub(crate) fn out_of_order(&self) -> usize {
        let mut latest = std::collections::HashMap::new();
        let mut wrong = 0;
        for (_, lane, sent_at) in &self.stored {
            let latest = latest.entry(lane).or_insert(i64::MIN);
            wrong += usize::from(sent_at < latest);
            *latest = *sent_at.max(latest);
        }
        wrong
    }
}

/// A destination that does as it is told.
pub(crate) struct Scripted {
    pub(crate) delivery: Delivery,
    pub(crate) latency: Duration,
    pub(crate) behaviour: Box<Behaviour>,
    pub(crate) store: Arc<Mutex<Store>>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

/// No pace, 50 records a request, 8 in flight.
pub(crate) const FREE: Delivery = Delivery {
    requests_per_minute: None,
    records_per_request: NonZeroUsize::new(50).unwrap(),
    bytes_per_request: NonZeroUsize::new(1 << 20).unwrap(),
    in_flight: NonZeroUsize::new(8).unwrap(),
    message_order: MessageOrder::Conversation,
    failure_budget: None,
    message_allowance: None,
};

/// So many requests a minute.
pub(crate) fn paced(requests_per_minute: u32) -> Delivery {
    Delivery {
        requests_per_minute: NonZeroU32::new(requests_per_minute),
        ..FREE
    }
}

impl Scripted {
    /// A destination that behaves so, answering at once and without a pace.
    pub(crate) fn new(
        behaviour: impl Fn(&[Record], usize, &mut Store) -> Result<Vec<Receipt>, Failure>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            delivery: FREE,
            latency: Duration::ZERO,
            behaviour: Box::new(behaviour),
            store: Arc::default(),
        }
    }

    /// A destination that stores everything.
    pub(crate) fn willing() -> Self {
        Self::new(|records, _, store| Ok(store.store_all(records)))
    }
}

#[async_trait]
impl Destination for Scripted {
    fn delivery(&self) -> Delivery {
        self.delivery
    }

    fn prepare(&self, entity: Entity, rows: &RecordBatch, _now: i64) -> Vec<Prepared> {
        let (ids, senders) = (
            rows.column(0).as_string::<i32>(),
            rows.column(1).as_string::<i32>(),
        );
        let (lanes, times) = (
            rows.column(2).as_primitive::<Int64Type>(),
            rows.column(3).as_primitive::<Int64Type>(),
        );
        let record = |row: usize| {
            let sender = Reference {
                field: "sender",
                entity: Entity::Users,
                id: RecordId::new(senders.value(row)),
            };
            let is_message = entity == Entity::Messages;
            Prepared::Ready(Record {
                entity,
                id: RecordId::new(ids.value(row)),
                origin: Origin::default(),
                lane: lanes.value(row).unsigned_abs(),
                sent_at: is_message.then(|| times.value(row)),
                references: if is_message { vec![sender] } else { Vec::new() },
                adjusted: Vec::new(),
                json: Bytes::from(format!("{{\"id\":\"{}\"}}", ids.value(row))),
            })
        };
        (0..rows.num_rows()).map(record).collect()
    }

    fn placeholder(&self, entity: Entity, id: &RecordId, name: &str) -> Option<Record> {
        let bytes = id.as_str().bytes();
        let lane = bytes.fold(1 << 40, |lane: u64, byte| {
            lane.wrapping_mul(31) ^ u64::from(byte)
        });
        (id.as_str() != "nobody").then(|| Record {
            entity,
            id: id.clone(),
            origin: Origin::default(),
            lane,
            sent_at: None,
            references: Vec::new(),
            adjusted: Vec::new(),
            json: Bytes::from(format!(
                "{{\"id\":\"{}\",\"name\":\"{name}\"}}",
                id.as_str()
            )),
        })
    }

    async fn send(&self, _permit: Permit, _entity: Entity, records: &[Record]) -> Answer {
        let receipts = {
            let mut store = self.store.lock().unwrap();
            let before = store.requests.len();
            store.requests.push((Instant::now(), records.len()));
            (self.behaviour)(records, before, &mut store)
        };
        tokio::time::sleep(self.latency).await;
        Answer {
            status: Some(200),
            bytes: records.iter().map(|record| record.json.len()).sum(),
            receipts,
        }
    }
}

/// Something stands for whoever is referred to and is not there.
pub(crate) fn placeholders() -> References {
    References::Placeholder(Placeholders {
        user: "Former user".into(),
        group: "Former group".into(),
    })
}

/// A row: its id, who sent it, its conversation and its time.
pub(crate) type Row = (String, &'static str, i64, i64);

/// So many messages of the user `ann` in so many conversations, one a second.
pub(crate) fn messages(count: i64, conversations: i64) -> Vec<Row> {
    (0..count)
        .map(|n| (format!("m{n}"), "ann", n * 7 % conversations, n))
        .collect()
}

/// A flow of these rows, in batches of 1,000.
pub(crate) fn flow(entity: Entity, references: References, rows: &[Row]) -> FlowInput {
    let batches: Vec<Shaped> = rows.chunks(1_000).map(shaped).collect();
    flow_of(entity, references, move |_| batches.clone())
}

/// A flow of the batches that are given when they are first asked for.
pub(crate) fn flow_of(
    entity: Entity,
    references: References,
    batches: impl Fn(&Since) -> Vec<Shaped> + Send + Sync + 'static,
) -> FlowInput {
    let batches = Arc::new(batches);
    let stream = move |since: &Since| {
        let (batches, since) = (Arc::clone(&batches), since.clone());
        let batches = move || batches(&since).into_iter().map(Ok);
        let lazily = futures::stream::once(async move { futures::stream::iter(batches()) });
        Some(lazily.flatten().boxed())
    };
    FlowInput {
        name: entity.name().to_owned(),
        entity,
        references,
        open: Box::new(stream),
    }
}

pub(crate) fn shaped(rows: &[Row]) -> Shaped {
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "id",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| &row.0))),
        ),
        (
            "sender",
            Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.1))),
        ),
        (
            "lane",
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.2))),
        ),
        (
            "sent",
            Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.3))),
        ),
    ];
    Shaped {
        rows: RecordBatch::try_from_iter(columns).unwrap(),
        rejected: Vec::new(),
        skipped: Vec::new(),
        positions: None,
        changed: None,
    }
}

/// Messages whose sender is trusted to be there.
#[expect(
    clippy::needless_pass_by_value,
    reason = "rows are made for it alone, at every place"
)]
pub(crate) fn trusted(rows: Vec<Row>) -> Vec<FlowInput> {
    vec![flow(Entity::Messages, References::Trust, &rows)]
}

/// Sees nothing, and can stop a run after so many answers.
pub(crate) struct Quiet(pub(crate) Option<(Stop, usize)>);

impl Observer for Quiet {
    fn progress(&mut self, _progress: &Progress<'_>) {
        if let Some((stop, left)) = &mut self.0 {
            *left = left.saturating_sub(1);
            if *left == 0 {
                stop.now();
            }
        }
    }

    fn trouble(&mut self, _what: &str) {}
}

/// A run with a ledger in a folder.
pub(crate) async fn run(
    folder: &tempfile::TempDir,
    destination: &Arc<Scripted>,
    flows: Vec<FlowInput>,
) -> Finished {
    run_until(folder, destination, flows, None).await
}

/// A run that sends again what was refused.
pub(crate) async fn run_again(
    folder: &tempfile::TempDir,
    destination: &Arc<Scripted>,
    flows: Vec<FlowInput>,
) -> Finished {
    go(folder, destination, flows, Again::Refused, None).await
}

/// A run that is stopped after so many answers or chunks of rows.
pub(crate) async fn run_until(
    folder: &tempfile::TempDir,
    destination: &Arc<Scripted>,
    flows: Vec<FlowInput>,
    stop_after: Option<usize>,
) -> Finished {
    go(folder, destination, flows, Again::Nothing, stop_after).await
}

async fn go(
    folder: &tempfile::TempDir,
    destination: &Arc<Scripted>,
    flows: Vec<FlowInput>,
    again: Again,
    stop_after: Option<usize>,
) -> Finished {
    let ledger = Ledger::open(&folder.path().join("a.ledger")).await.unwrap();
    let destination: Arc<dyn Destination> = Arc::clone(destination) as _;
    let start = Instant::now();
    let now_ms =
        Arc::new(move || 1_700_000_000_000 + i64::try_from(start.elapsed().as_millis()).unwrap());
    let (stop, stopped) = chatferry_runtime::stop();
    let mut observer = Quiet(stop_after.map(|after| (stop.clone(), after)));
    let run = Run {
        destination,
        flows,
        ledger,
        pipeline: 1,
        again,
        spill: None,
        now_ms,
    };
    run.go(stopped, &mut observer).await.unwrap()
}

/// What a run with the ledger of that folder would come to; there need be none.
pub(crate) async fn forecast(
    folder: &tempfile::TempDir,
    destination: &Arc<Scripted>,
    flows: Vec<FlowInput>,
) -> Forecast {
    let path = folder.path().join("a.ledger");
    let ledger = match path.exists() {
        true => Some(Ledger::read(&path).await.unwrap()),
        false => None,
    };
    let plan = Plan {
        destination: Arc::clone(destination) as _,
        flows,
        ledger,
        pipeline: 1,
        again: Again::Nothing,
        spill: None,
        now_ms: Arc::new(|| 1_700_000_000_000),
    };
    let (_stop, stopped) = chatferry_runtime::stop();
    plan.go(stopped, &mut Quiet(None)).await.unwrap()
}

/// A failure of the API itself, or of something before it.
pub(crate) fn doubt(foreign: bool) -> Failure {
    Failure::Doubt {
        what: "HTTP 500".into(),
        foreign,
    }
}

/// Numbers without a pattern that are the same in every run.
pub(crate) fn drawn(number: u64) -> u64 {
    let mixed = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 20
}

/// Does one of the things that can happen to a request, chosen by a number: before anything is
/// stored, after some is, after all is, or to the answer.
pub(crate) fn strike(
    number: u64,
    records: &[Record],
    store: &mut Store,
) -> Result<Vec<Receipt>, Failure> {
    match number % 10 {
        0 => Err(doubt(false)),
        1 => Err(doubt(true)),
        2 => {
            store.store_all(records);
            Err(doubt(false))
        }
        3 => {
            store.store_all(records);
            Err(doubt(true))
        }
        4 => {
            store.store_all(&records[..records.len() / 2]);
            Err(doubt(false))
        }
        5 => Err(Failure::Throttled {
            wait: Some(Duration::from_secs(2)),
        }),
        6 => Err(Failure::Unreachable {
            what: "connection refused".into(),
        }),
        7 => {
            let mut receipts = store.store_all(records);
            receipts.truncate(receipts.len() / 3);
            Ok(receipts)
        }
        8 => {
            store.store_all(records);
            Ok(Vec::new())
        }
        _ => {
            let mut receipts = store.store_all(records);
            receipts.reverse();
            Ok(receipts)
        }
    }
}
