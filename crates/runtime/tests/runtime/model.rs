//! Runs that crash at any moment, against a destination that fails in every way, until one comes to
//! its end: what is there then is what the source has.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Entity, OutcomeKind, Record, References, Shaped, Since};
use chatferry_runtime::{Ended, Finished, FlowInput};
use proptest::prelude::*;

use crate::support::*;

/// Nobody delivers them, and the first letter of none is that of a message.
const SENDERS: [&str; 6] = ["ann", "bob", "cem", "dee", "eve", "fay"];

/// What a case is made of.
#[derive(Clone, Debug)]
struct Case {
    messages: i64,
    conversations: i64,
    batch: usize,
    records_per_request: usize,
    in_flight: usize,
    /// How many of a hundred requests something happens to, and what it is drawn from.
    percent: u64,
    seed: u64,
    /// Every so-manieth message is poison; none if zero.
    poison: i64,
    /// Whether senders are unknown, and something is to stand for each.
    placeholders: bool,
    /// After how many milliseconds each run but the last crashes.
    crashes: Vec<u64>,
}

fn case() -> impl Strategy<Value = Case> {
    (
        (1_i64..300, 1_i64..12, 1_usize..60),
        (1_usize..20, 1_usize..6),
        (0_u64..30, any::<u64>(), any::<bool>()),
        prop_oneof![Just(0_i64), 20_i64..90],
        prop::collection::vec(1_u64..40_000, 0..5),
    )
        .prop_map(|(source, requests, faults, poison, crashes)| Case {
            messages: source.0,
            conversations: source.1,
            batch: source.2,
            records_per_request: requests.0,
            in_flight: requests.1,
            percent: faults.0,
            seed: faults.1 >> 1,
            poison,
            placeholders: faults.2,
            crashes,
        })
}

impl Case {
    fn is_poison(&self, id: &str) -> bool {
        let Some(number) = id.strip_prefix('m') else {
            return false;
        };
        let number: i64 = number.parse().unwrap();
        self.poison > 0 && number % self.poison == self.poison - 1
    }

    fn destination(&self) -> Arc<Scripted> {
        let case = self.clone();
        let mut destination = Scripted {
            latency: Duration::from_millis(700),
            ..Scripted::new(move |records, before, store| {
                if case.placeholders {
                    let senders = records.iter().flat_map(|record| &record.references);
                    for sender in senders {
                        assert!(store.has_id(sender.id.as_str()), "{sender:?} comes later");
                    }
                }
                let is_poison = |record: &&Record| case.is_poison(record.id.as_str());
                if records.iter().any(|record| is_poison(&record)) {
                    for record in records.iter().filter(|record| !is_poison(record)) {
                        store.store(record);
                    }
                    return Err(doubt(false));
                }
                let number = drawn(case.seed ^ (before as u64) << 32);
                match number % 100 < case.percent {
                    true => strike(number / 100, records, store),
                    false => Ok(store.store_all(records)),
                }
            })
        };
        destination.delivery.requests_per_minute = 120.try_into().ok();
        destination.delivery.records_per_request = self.records_per_request.try_into().unwrap();
        destination.delivery.in_flight = self.in_flight.try_into().unwrap();
        Arc::new(destination)
    }

    fn rows(&self) -> Vec<Row> {
        let mut rows = messages(self.messages, self.conversations);
        if self.placeholders {
            for row in &mut rows {
                row.1 = SENDERS[usize::try_from(row.3).unwrap() * 5 % 13 % SENDERS.len()];
            }
        }
        rows
    }

    /// What something has to stand for.
    fn senders(&self) -> BTreeSet<String> {
        let rows = self.rows().into_iter();
        let senders = rows.map(|row| row.1.to_owned());
        senders.filter(|_| self.placeholders).collect()
    }

    /// A source that can be read on from any time.
    fn flows(&self) -> Vec<FlowInput> {
        let rows = self.rows();
        let batch = self.batch;
        let batches = move |since: &Since| -> Vec<Shaped> {
            let from: i64 = since
                .position
                .as_deref()
                .map_or(0, |position| position.parse().unwrap());
            let first = rows.partition_point(|row| row.3 < from);
            let shape = |rows: &[Row]| Shaped {
                positions: Some([rows[0].3, rows[rows.len() - 1].3].map(|time| time.to_string())),
                ..shaped(rows)
            };
            rows[first..].chunks(batch).map(shape).collect()
        };
        let references = match self.placeholders {
            true => placeholders(),
            false => References::Trust,
        };
        vec![flow_of(Entity::Messages, references, batches)]
    }
}

/// One run on a clock of its own. A crash drops everything at once, as the end of a process does.
fn attempt(
    case: &Case,
    folder: &tempfile::TempDir,
    destination: &Arc<Scripted>,
    crash_after: Option<u64>,
) -> Option<Finished> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let run = run(folder, destination, case.flows());
        match crash_after {
            Some(millis) => tokio::time::timeout(Duration::from_millis(millis), run)
                .await
                .ok(),
            None => Some(run.await),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_fails_and_whenever_it_crashes_each_record_is_there_once_and_in_order(case in case()) {
        let folder = tempfile::tempdir().unwrap();
        let destination = case.destination();
        let crashes = case.crashes.iter().copied().map(Some).chain([None]);
        let mut last = None;
        for crash_after in crashes {
            if let Some(finished) = attempt(&case, &folder, &destination, crash_after) {
                prop_assert!(finished.account.adds_up(), "{:#?}", finished.account);
                last = Some(finished);
            }
        }
        let finished = last.expect("the last one does not crash");
        prop_assert!(matches!(finished.ended, Ended::Complete), "{:?}", finished.ended);

        let all = (0..case.messages).map(|number| format!("m{number}"));
        let (poison, good): (BTreeSet<String>, BTreeSet<String>) = all.partition(|id| case.is_poison(id));
        let store = destination.store.lock().unwrap();
        let there: BTreeSet<String> = store.stored.iter().map(|(id, ..)| id.clone()).collect();
        prop_assert_eq!(store.stored.len(), there.len(), "each once");
        let (there, senders): (BTreeSet<String>, BTreeSet<String>) =
            there.into_iter().partition(|id| id.starts_with('m'));
        let wanted = case.senders();
        prop_assert_eq!(senders, wanted);
        prop_assert_eq!(&there, &good);
        prop_assert_eq!(store.out_of_order(), 0);
        let account = &finished.account.flows[0];
        let refused = account.count(OutcomeKind::Refused);
        let delivered = account.settled_before
            + account.count(OutcomeKind::Imported)
            + account.count(OutcomeKind::Present);
        prop_assert_eq!((delivered, refused), (good.len() as u64, poison.len() as u64));
        prop_assert_eq!(account.read, case.messages.unsigned_abs());
    }
}
