//! What is noticed of a source's moments.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use async_trait::async_trait;
use chatferry_core::source::{
    Batch, BatchStream, Rows, Scan, Source, SourceError, SourceErrorKind, Table,
};
use chatferry_testkit::moment::assert_one_moment;
use futures::{StreamExt, stream};
use tokio::sync::OnceCell;

/// How a source's moments are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moments {
    /// As they are promised.
    Sound,
    /// There are none.
    Absent,
    /// What is written later is seen, too.
    Loose,
    /// Whoever asks later is given the first one again.
    Once,
    /// Once there was a moment, the source itself stays there.
    Frozen,
}

/// A source of one number, which others write.
#[derive(Debug)]
struct Counter {
    moments: Moments,
    now: Arc<AtomicI64>,
    /// What it was at a moment.
    then: Option<i64>,
    first: OnceCell<i64>,
    table: OnceCell<Arc<Table>>,
}

impl Counter {
    fn new(moments: Moments, now: Arc<AtomicI64>, then: Option<i64>) -> Self {
        Self {
            moments,
            now,
            then,
            first: OnceCell::new(),
            table: OnceCell::new(),
        }
    }

    fn value(&self) -> i64 {
        let frozen = (self.moments == Moments::Frozen).then(|| self.first.get().copied());
        let then = self.then.or(frozen.flatten());
        then.unwrap_or_else(|| self.now.load(Ordering::SeqCst))
    }
}

#[async_trait]
impl Source for Counter {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec!["counter".into()])
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        if table != "counter" {
            let kind = SourceErrorKind::NotFound;
            return Err(SourceError::new(kind, "count", "nothing else is counted"));
        }
        let described = || async {
            Arc::new(Table {
                name: table.to_owned(),
                schema: Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)])),
                orders: Vec::new(),
                can_order: Vec::new(),
                rows: Rows::Exactly(1),
                notes: Vec::new(),
            })
        };
        Ok(Arc::clone(self.table.get_or_init(described).await))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let value = self.value();
        stream::once(async move {
            if scan.table.name != "counter" {
                let kind = SourceErrorKind::NotFound;
                return Err(SourceError::new(kind, "count", "nothing else is counted"));
            }
            let column = Arc::new(Int64Array::from(vec![value]));
            let rows = RecordBatch::try_new(Arc::clone(&scan.table.schema), vec![column]);
            let rows = rows.expect("a column").project(&scan.columns);
            Ok(Batch {
                rows: rows.expect("columns"),
                rejected: Vec::new(),
            })
        })
        .boxed()
    }

    async fn at_one_moment(&self) -> Result<Option<Arc<dyn Source>>, SourceError> {
        let value = self.now.load(Ordering::SeqCst);
        let first = *self.first.get_or_init(|| async { value }).await;
        let then = match self.moments {
            Moments::Absent => return Ok(None),
            Moments::Loose => None,
            Moments::Once => Some(first),
            Moments::Sound | Moments::Frozen => Some(value),
        };
        let moment = Self::new(Moments::Sound, Arc::clone(&self.now), then);
        Ok(Some(Arc::new(moment)))
    }
}

async fn check(moments: Moments) {
    let now = Arc::new(AtomicI64::new(1));
    let counter = Counter::new(moments, Arc::clone(&now), None);
    assert_one_moment(Arc::new(counter), &["counter"], || async {
        now.fetch_add(1, Ordering::SeqCst);
    })
    .await;
}

#[tokio::test]
async fn moments_without_flaws_pass() {
    check(Moments::Sound).await;
}

#[tokio::test]
#[should_panic(expected = "it has moments")]
async fn no_moments_at_all() {
    check(Moments::Absent).await;
}

#[tokio::test]
#[should_panic(expected = "what is written later is not seen")]
async fn a_moment_that_sees_what_is_written_later() {
    check(Moments::Loose).await;
}

#[tokio::test]
#[should_panic(expected = "a later moment is another one")]
async fn a_moment_that_is_given_again() {
    check(Moments::Once).await;
}

#[tokio::test]
#[should_panic(expected = "the source itself is as it is now")]
async fn a_source_that_stays_in_its_moment() {
    check(Moments::Frozen).await;
}
