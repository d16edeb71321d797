//! Shaped rows in, prepared and in order.
//!
//! Several flows may make the same entity. Their records are merged by the time of sending, so
//! that a conversation fed by two flows is still told in order; entities without times come flow
//! after flow.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use chatferry_core::{
    Destination, Entity, Origin, Prepared, Record, RecordId, References, RejectedRow, Shaped,
    ShapedStream, Since, SkippedRows, SourceError, SourceErrorKind,
};
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Starts reading those rows of a flow; `None` when what is asked for is not something that the
/// flow has told. All rows can always be read.
pub type Open = dyn Fn(&Since) -> Option<ShapedStream> + Send + Sync;

/// A flow as the runtime takes it.
pub struct FlowInput {
    /// Its name.
    pub name: String,
    /// What it makes.
    pub entity: Entity,
    /// What to do with references to what no flow has delivered.
    pub references: References,
    /// Starts reading it.
    pub open: Box<Open>,
}

impl FlowInput {
    /// Starts reading all of it.
    ///
    /// # Panics
    ///
    /// When `open` breaks its promise.
    #[must_use]
    pub fn all(&self) -> ShapedStream {
        (self.open)(&Since::default()).expect("all rows can always be read")
    }

    /// Starts reading what is to be read of it.
    pub(crate) fn since(&self, since: &Since) -> ShapedStream {
        (self.open)(since).unwrap_or_else(|| self.all())
    }
}

impl fmt::Debug for FlowInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.entity)
    }
}

/// Some rows of some flows of one entity.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// How many rows were read.
    pub(crate) read: Vec<(Origin, u64)>,
    /// Where new stretches of flows begin, in order.
    pub(crate) cuts: Vec<Cut>,
    /// By what the last change of a row that was read is known, by flow.
    pub(crate) changes: Vec<(usize, String)>,
    /// What became of the rows so far.
    pub(crate) items: Vec<(Origin, Item)>,
}

/// The beginning of a flow's next stretch.
#[derive(Debug)]
pub(crate) struct Cut {
    /// The flow, as its place in the account.
    pub(crate) flow: usize,
    /// The position of its first row, which no row before has.
    pub(crate) begins: String,
}

impl Chunk {
    fn is_empty(&self) -> bool {
        self.read.is_empty() && self.items.is_empty()
    }
}

/// What became of a row, or of several, before it could be sent.
#[derive(Debug)]
pub(crate) enum Item {
    Record(Record),
    Skipped(SkippedRows),
    /// Skipped by the destination's policy.
    OutOfPolicy {
        id: RecordId,
        reason: &'static str,
    },
    Rejected(RejectedRow),
}

/// Items in a chunk at most; as many as the engine's batches have rows.
const ITEMS: usize = 4_096;

/// Starts reading the flows, in a task of its own so that the next rows are shaped while the
/// last ones are sent. One chunk is read ahead. Dropping the receiver ends it.
pub(crate) fn start(
    destination: Arc<dyn Destination>,
    flows: Vec<(usize, ShapedStream)>,
    entity: Entity,
    now: impl Fn() -> i64 + Send + 'static,
) -> Intake {
    let (give, chunks) = mpsc::channel(1);
    let task = tokio::spawn(async move {
        let mut merge = Merge {
            destination,
            entity,
            now,
            heads: flows
                .into_iter()
                .map(|(flow, rows)| Head::new(flow, rows))
                .collect(),
        };
        loop {
            let mut chunk = Chunk::default();
            let read = merge.read_into(&mut chunk).await;
            if !chunk.is_empty() && give.send(Ok(chunk)).await.is_err() {
                return;
            }
            match read {
                Ok(true) => {}
                Ok(false) => return,
                // Whoever takes the rows has gone when this cannot be told; nobody misses it then.
                Err(error) => return drop(give.send(Err(error)).await),
            }
        }
    });
    Intake {
        chunks,
        task: Some(task),
    }
}

/// The chunks of the flows of one entity, as they are read.
#[derive(Debug)]
pub(crate) struct Intake {
    chunks: mpsc::Receiver<Result<Chunk, SourceError>>,
    task: Option<JoinHandle<()>>,
}

impl Intake {
    /// The next chunk; `None` when every row was read. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Result<Chunk, SourceError>> {
        if let Some(chunk) = self.chunks.recv().await {
            return Some(chunk);
        }
        // A task that has ended early must not be taken for the end of the rows.
        let ended = self.task.as_mut()?.await;
        self.task = None;
        ended.err().map(|_| {
            Err(SourceError::new(
                SourceErrorKind::Failed,
                "shape the rows",
                "chatferry has a fault",
            )
            .help("please report it with what was printed above"))
        })
    }
}

/// Flows that are merged by time.
struct Merge<N> {
    destination: Arc<dyn Destination>,
    entity: Entity,
    now: N,
    heads: Vec<Head>,
}

/// One flow's next items.
struct Head {
    /// The flow, and the stretch that is being read.
    origin: Origin,
    rows: ShapedStream,
    items: VecDeque<(Origin, Item)>,
    /// The position of the last row that was read, if it has one.
    position: Option<String>,
    ended: bool,
    /// The latest time that this flow has given.
    latest: i64,
}

impl Head {
    fn new(flow: usize, rows: ShapedStream) -> Self {
        Self {
            origin: Origin { flow, stretch: 0 },
            rows,
            items: VecDeque::new(),
            position: None,
            ended: false,
            latest: i64::MIN,
        }
    }

    /// When the next item was sent; items without a time come at once.
    fn time(&self) -> Option<i64> {
        match &self.items.front()?.1 {
            Item::Record(record) => Some(record.sent_at.unwrap_or(i64::MIN)),
            _ => Some(i64::MIN),
        }
    }
}

impl<N: Fn() -> i64> Merge<N> {
    /// Reads the next items of all flows; says whether there may be more. What was read before
    /// an error is in the chunk all the same.
    async fn read_into(&mut self, chunk: &mut Chunk) -> Result<bool, SourceError> {
        while chunk.items.len() < ITEMS {
            let mut read_on = false;
            for place in 0..self.heads.len() {
                if self.heads[place].items.is_empty() && !self.heads[place].ended {
                    self.read(place, chunk).await?;
                    read_on = true;
                }
            }
            if read_on {
                continue;
            }
            let next = self
                .heads
                .iter()
                .enumerate()
                .filter_map(|(place, head)| Some((head.time()?, place)))
                .min();
            let Some((_, place)) = next else {
                return Ok(false);
            };
            let alone = self
                .heads
                .iter()
                .filter(|head| !head.items.is_empty())
                .count()
                == 1;
            let head = &mut self.heads[place];
            let take = if alone {
                head.items.len().min(ITEMS - chunk.items.len())
            } else {
                1
            };
            chunk.items.extend(head.items.drain(..take));
            if head.items.is_empty() && chunk.items.len() >= ITEMS / 2 {
                break;
            }
        }
        Ok(true)
    }

    /// Reads the next batch of one flow and has it prepared.
    async fn read(&mut self, place: usize, chunk: &mut Chunk) -> Result<(), SourceError> {
        let head = &mut self.heads[place];
        let Some(shaped) = head.rows.next().await else {
            head.ended = true;
            return Ok(());
        };
        let mut shaped = shaped?;
        head.cut(&shaped, chunk);
        let changed = shaped.changed.take();
        chunk
            .changes
            .extend(changed.map(|changed| (head.origin.flow, changed)));
        let origin = head.origin;
        chunk.read.push((origin, shaped.rows_read()));
        let rejected = shaped.rejected.into_iter().map(Item::Rejected);
        let skipped = shaped.skipped.into_iter().map(Item::Skipped);
        let left_out = rejected.chain(skipped).map(|item| (origin, item));
        head.items.extend(left_out);
        for prepared in self
            .destination
            .prepare(self.entity, &shaped.rows, (self.now)())
        {
            let item = match prepared {
                Prepared::Ready(mut record) => {
                    record.origin = origin;
                    if let Some(sent_at) = record.sent_at {
                        if sent_at < head.latest {
                            return Err(out_of_order(&record, head.latest));
                        }
                        head.latest = sent_at;
                    }
                    Item::Record(record)
                }
                Prepared::Skipped { id, reason } => Item::OutOfPolicy { id, reason },
                Prepared::Rejected(row) => Item::Rejected(row),
            };
            head.items.push_back((origin, item));
        }
        Ok(())
    }
}

impl Head {
    /// Begins a new stretch where the rows have another position than those before.
    fn cut(&mut self, shaped: &Shaped, chunk: &mut Chunk) {
        let (first, last) = match &shaped.positions {
            Some([first, last]) => (Some(first), Some(last)),
            None => (None, None),
        };
        if let (Some(before), Some(first)) = (&self.position, first)
            && before != first
        {
            self.origin.stretch += 1;
            chunk.cuts.push(Cut {
                flow: self.origin.flow,
                begins: first.clone(),
            });
        }
        self.position = last.cloned();
    }
}

fn out_of_order(record: &Record, latest: i64) -> SourceError {
    let reason = format!(
        "`order_by` gives the message {}, sent at {}, after one that was sent at {latest}",
        record.id,
        record.sent_at.unwrap_or_default(),
    );
    SourceError::new(
        SourceErrorKind::Pipeline,
        "send messages oldest first",
        reason,
    )
    .help("leave `order_by` out, or let it begin with the expression of sentAt")
}
