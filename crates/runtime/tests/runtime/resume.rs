//! A run that is interrupted and gone on with: from where it was, with the same account.

use std::sync::{Arc, Mutex};

use chatferry_core::{Entity, OutcomeKind, References, RejectedRow, Shaped, Since, SkippedRows};
use chatferry_runtime::{Ended, Finished};
use proptest::prelude::*;

use crate::support::{FREE, Row, Scripted, flow_of, forecast, run, run_until, shaped};

/// What a row of the source becomes.
#[derive(Clone, Copy, Debug)]
enum Made {
    Message,
    /// A message with the id of the one that stands so many rows before.
    Double(usize),
    Skipped,
    Rejected,
}

fn made() -> impl Strategy<Value = Made> {
    prop_oneof![
        12 => Just(Made::Message),
        1 => (1_usize..300).prop_map(Made::Double),
        2 => Just(Made::Skipped),
        1 => Just(Made::Rejected),
    ]
}

/// The rows of a source: each as many seconds after the one before, and what it becomes.
fn rows() -> impl Strategy<Value = Vec<(i64, Made)>> {
    prop::collection::vec((0_i64..3, made()), 1..400)
}

/// A source that tells positions, in batches of so many rows, and from where it was last read.
struct Source {
    rows: Vec<(i64, Made)>,
    batch: usize,
    read_from: Mutex<Vec<i64>>,
}

impl Source {
    fn new(steps: &[(i64, Made)], batch: usize) -> Arc<Self> {
        let mut time = 0;
        let at = |(step, made): &(i64, Made)| {
            time += step;
            (time, *made)
        };
        Arc::new(Self {
            rows: steps.iter().map(at).collect(),
            batch,
            read_from: Mutex::default(),
        })
    }

    fn batches(&self, since: &Since) -> Vec<Shaped> {
        let position = since.position.as_deref();
        let from = position.map_or(0, |position| position.parse().unwrap());
        self.read_from.lock().unwrap().push(from);
        let first = self.rows.partition_point(|(time, _)| *time < from);
        let numbered: Vec<(usize, (i64, Made))> = self.rows.iter().copied().enumerate().collect();
        let batches = numbered[first..].chunks(self.batch);
        batches.map(|rows| self.shape(rows)).collect()
    }

    fn shape(&self, rows: &[(usize, (i64, Made))]) -> Shaped {
        let (mut messages, mut rejected, mut skipped) = (Vec::<Row>::new(), Vec::new(), 0);
        for (number, (time, made)) in rows {
            let id = match made {
                Made::Message => *number,
                Made::Double(before) => number.saturating_sub(*before),
                Made::Skipped => {
                    skipped += 1;
                    continue;
                }
                Made::Rejected => {
                    rejected.push(RejectedRow {
                        rule: "malformed".into(),
                        detail: "no text".into(),
                        id: None,
                        place: None,
                    });
                    continue;
                }
            };
            let lane = i64::try_from(id % 7).unwrap();
            messages.push((format!("m{id}"), "ann", lane, *time));
        }
        let ends = [rows.first(), rows.last()].map(|row| row.unwrap().1.0.to_string());
        Shaped {
            rejected,
            skipped: (skipped > 0)
                .then(|| SkippedRows {
                    reason: "system".into(),
                    rows: skipped,
                })
                .into_iter()
                .collect(),
            positions: Some(ends),
            ..shaped(&messages)
        }
    }
}

/// How many rows were read, delivered (now or before), skipped, rejected as doubles, and rejected
/// for another reason.
fn told(finished: &Finished) -> [u64; 5] {
    let flow = &finished.account.flows[0];
    let delivered = flow.count(OutcomeKind::Imported) + flow.count(OutcomeKind::Present);
    let rejected = |rule: &str| {
        let rows = flow.outcomes.get(&(OutcomeKind::Rejected, rule.into()));
        rows.copied().unwrap_or_default()
    };
    [
        flow.read,
        flow.settled_before + delivered,
        flow.count(OutcomeKind::Skipped),
        rejected("duplicate-id"),
        rejected("malformed"),
    ]
}

async fn interrupted_again_and_again(steps: &[(i64, Made)], batch: usize, stops: &[usize]) {
    let source = Source::new(steps, batch);
    let flows = || {
        let source = Arc::clone(&source);
        let batches = move |since: &Since| source.batches(since);
        vec![flow_of(Entity::Messages, References::Trust, batches)]
    };
    let whole = tempfile::tempdir().unwrap();
    let expected = run(&whole, &Arc::new(few_at_once()), flows()).await;

    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(few_at_once());
    for stop_after in stops {
        let stopped = run_until(&folder, &destination, flows(), Some(*stop_after)).await;
        assert!(stopped.account.adds_up(), "{:#?}", stopped.account);
    }
    let forecast = forecast(&folder, &destination, flows()).await;
    let finished = run(&folder, &destination, flows()).await;
    assert!(matches!(finished.ended, Ended::Complete));
    assert!(finished.account.adds_up(), "{:#?}", finished.account);
    assert_eq!(forecast.account, finished.account);
    assert_eq!(forecast.requests(), finished.requests.sent);
    let [read, delivered, skipped, doubles, malformed] = told(&expected);
    let found = told(&finished);
    // A double of what was under way is counted as delivered before; never the other way round.
    assert!(found[3] <= doubles, "{:#?}", finished.account);
    let settled = delivered + doubles - found[3];
    assert_eq!(found, [read, settled, skipped, found[3], malformed]);

    let store = destination.store.lock().unwrap();
    assert_eq!(store.stored.len() as u64, delivered, "each message once");
    assert_eq!(store.out_of_order(), 0);
}

/// A destination that takes a few records in a request, so that there are many answers.
fn few_at_once() -> Scripted {
    let mut destination = Scripted::willing();
    destination.delivery.records_per_request = 5.try_into().unwrap();
    destination.delivery.in_flight = 3.try_into().unwrap();
    assert_eq!(
        destination.delivery.bytes_per_request,
        FREE.bytes_per_request
    );
    destination
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_account_is_that_of_a_run_that_was_never_interrupted(
        steps in rows(),
        batch in 1_usize..40,
        stops in prop::collection::vec(1_usize..30, 1..5),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(interrupted_again_and_again(&steps, batch, &stops));
    }
}

#[tokio::test]
async fn it_is_gone_on_with_from_where_it_was_and_the_run_after_reads_all() {
    let steps = vec![(1, Made::Message); 20_000];
    let source = Source::new(&steps, 1_000);
    let flows = || {
        let source = Arc::clone(&source);
        let batches = move |since: &Since| source.batches(since);
        vec![flow_of(Entity::Messages, References::Trust, batches)]
    };
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    run_until(&folder, &destination, flows(), Some(30)).await;
    run_until(&folder, &destination, flows(), Some(1)).await;
    run(&folder, &destination, flows()).await;
    run(&folder, &destination, flows()).await;
    let read_from = source.read_from.lock().unwrap().clone();
    let [0, second, third, 0] = read_from[..] else {
        panic!("{read_from:?}");
    };
    assert!(1_000 < second && second <= third, "{read_from:?}");
}
