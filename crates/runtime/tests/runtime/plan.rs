//! What a plan tells beside the account, which is compared with that of runs in `resume.rs`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Entity, OutcomeKind, References, RejectedRow, Shaped};
use chatferry_runtime::plan::{Messages, Month};

use crate::support::*;

fn row(id: &str, sender: &'static str, lane: i64, at: i64) -> Row {
    (id.to_owned(), sender, lane, at)
}

#[tokio::test]
async fn nothing_is_sent_and_no_ledger_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let destination = Arc::new(Scripted::willing());
    let forecast = forecast(&folder, &destination, trusted(messages(120, 4))).await;
    assert_eq!(forecast.account.count(OutcomeKind::Imported), 120);
    assert_eq!((forecast.requests(), forecast.records()), (3, 120));
    assert!(destination.store.lock().unwrap().requests.is_empty());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn it_names_who_is_missing_what_comes_twice_and_what_differs_in_capitals_alone() {
    let users = [
        row("ann", "", 0, 0),
        row("Bob", "", 1, 0),
        row("bob", "", 2, 0),
    ];
    let zed = |n: i64| row(&format!("z{n}"), "zed", 1, n);
    let mut sent: Vec<Row> = (0..5).map(zed).collect();
    sent.extend([
        row("a", "ann", 2, 40 * 86_400),
        row("a", "ann", 2, 41 * 86_400),
        row("b", "ann", 3, 42 * 86_400),
    ]);
    let rejected = RejectedRow {
        rule: "malformed".into(),
        detail: "not JSON".into(),
        id: None,
        place: None,
    };
    let broken = flow_of(Entity::Users, References::Require, move |_| {
        vec![Shaped {
            rejected: vec![rejected.clone(); 9],
            ..shaped(&users)
        }]
    });
    let sent = flow(Entity::Messages, References::Require, &sent);
    let folder = tempfile::tempdir().unwrap();
    let forecast = forecast(&folder, &Arc::new(Scripted::willing()), vec![broken, sent]).await;

    assert!(forecast.account.adds_up());
    let unknown = &forecast.unknown;
    assert!(unknown.exact);
    assert_eq!(
        (unknown.top[0].name.as_str(), unknown.top[0].count),
        ("user zed", 5)
    );
    let doubles = &forecast.duplicates.top;
    assert_eq!(
        (doubles[0].name.as_str(), doubles[0].count),
        ("message a", 1)
    );
    assert_eq!(forecast.collisions.count, 1);
    assert_eq!(
        forecast.collisions.examples,
        [(Entity::Users, "bob".to_owned())]
    );
    let malformed = (0, OutcomeKind::Rejected, "malformed".to_owned());
    assert_eq!(forecast.examples[&malformed].len(), 3, "a few of the nine");
    let february = Month {
        year: 1970,
        month: 2,
    };
    assert_eq!(forecast.months[&february], Messages { due: 2, earlier: 0 });
    assert_eq!(forecast.months.len(), 1);
    assert_eq!(forecast.conversations.different, 2);
}

#[tokio::test]
async fn time_and_allowance_are_reckoned_from_what_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut destination = Scripted::willing();
    run(
        &folder,
        &Arc::new(Scripted::willing()),
        trusted(messages(100, 4)),
    )
    .await;
    destination.delivery.requests_per_minute = NonZeroU32::new(60);
    destination.delivery.message_allowance = Some(250);
    let rows = trusted(messages(400, 4));
    let forecast = forecast(&folder, &Arc::new(destination), rows).await;
    assert_eq!(forecast.account.flows[0].settled_before, 100);
    assert_eq!((forecast.messages_before, forecast.requests()), (100, 6));
    assert_eq!(forecast.beyond_allowance(), Some(150));
    let time = forecast.time().unwrap();
    assert!(
        time >= Duration::from_secs(6) && time < Duration::from_secs(7),
        "{time:?}"
    );
    let month = Month {
        year: 1970,
        month: 1,
    };
    assert_eq!(
        forecast.months[&month],
        Messages {
            due: 300,
            earlier: 100
        }
    );
}
