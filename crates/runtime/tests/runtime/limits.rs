//! A run that ends before its end, because of what was refused or of what was agreed.

use std::sync::Arc;

use chatferry_core::{FailureBudget, OutcomeKind, Receipt, Record, Verdict};
use chatferry_runtime::Ended;

use crate::support::{Scripted, messages, run, trusted};

/// A destination that refuses every record of which that is true.
fn refusing(refuses: impl Fn(&Record) -> bool + Send + Sync + 'static) -> Scripted {
    let mut destination = Scripted::new(move |records, _, store| {
        let receipt = |record: &Record| match refuses(record) {
            true => Receipt {
                id: record.id.clone(),
                verdict: Verdict::Refused {
                    code: "ERR_NO".into(),
                    message: "no".into(),
                },
            },
            false => store.store(record),
        };
        Ok(records.iter().map(receipt).collect())
    });
    destination.delivery.in_flight = 1.try_into().unwrap();
    destination
}

/// Messages with such ids end on 0: every tenth.
fn every_tenth(record: &Record) -> bool {
    record.id.as_str().ends_with('0')
}

#[tokio::test(start_paused = true)]
async fn it_stops_soon_when_more_is_refused_than_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let mut destination = refusing(|record| record.sent_at >= Some(1_000));
    destination.delivery.failure_budget = Some(FailureBudget {
        percent: 20,
        of: 200.try_into().unwrap(),
    });
    let destination = Arc::new(destination);
    let finished = run(&folder, &destination, trusted(messages(10_000, 50))).await;
    let Ended::TooManyRefused { refused, of: 200 } = finished.ended else {
        panic!("{:?}", finished.ended)
    };
    assert!((41..=91).contains(&refused), "{refused}");
    assert!(finished.account.adds_up(), "{:#?}", finished.account);
    assert_eq!(finished.account.count(OutcomeKind::Imported), 1_000);
    assert!(finished.account.flows[0].pending > 0);
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_when_less_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut destination = refusing(every_tenth);
    destination.delivery.failure_budget = Some(FailureBudget {
        percent: 10,
        of: 200.try_into().unwrap(),
    });
    let destination = Arc::new(destination);
    let finished = run(&folder, &destination, trusted(messages(3_000, 50))).await;
    assert!(matches!(finished.ended, Ended::Complete));
    assert_eq!(finished.account.count(OutcomeKind::Refused), 300);
}

#[tokio::test(start_paused = true)]
async fn it_delivers_exactly_what_was_agreed_over_all_runs() {
    let folder = tempfile::tempdir().unwrap();
    let agreed = |allowance| {
        let mut destination = refusing(every_tenth);
        destination.delivery.in_flight = 8.try_into().unwrap();
        destination.delivery.message_allowance = Some(allowance);
        Arc::new(destination)
    };
    for (allowance, delivered) in [(720, 720), (720, 0), (1_000, 280)] {
        let destination = agreed(allowance);
        let finished = run(&folder, &destination, trusted(messages(2_000, 50))).await;
        assert!(matches!(finished.ended, Ended::AllowanceUsedUp));
        assert!(finished.account.adds_up(), "{:#?}", finished.account);
        let stored = destination.store.lock().unwrap().stored.len();
        assert_eq!(stored, delivered, "of {allowance}");
    }
    let finished = run(&folder, &agreed(1_800), trusted(messages(2_000, 50))).await;
    assert!(
        matches!(finished.ended, Ended::Complete),
        "all that there is"
    );
}
