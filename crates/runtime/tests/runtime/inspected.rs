//! What a destination holds is verified, and taken away, whatever it does meanwhile.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chatferry_core::{
    Contents, Cursor, Destination, Entity, Expected, Failure, Inspection, Item, Pace, Page, Permit,
    Receipt, Record, RecordId, References, Removal, Removed, Told, Verdict,
};
use chatferry_ledger::Ledger;
use chatferry_runtime::undo::Undone;
use chatferry_runtime::verify::Verified;
use chatferry_runtime::{Ended, Undo, Verify, Watcher};
use tokio::time::Instant;

use crate::support::{Scripted, flow, messages, run};

/// A request for a page, and how many of its kind came before.
type Listing =
    dyn Fn(&Holder, Entity, Option<&Cursor>, usize) -> Result<Page, Failure> + Send + Sync;

/// A destination that holds some messages and shows them as it is told.
struct Holder {
    /// The messages by number, with what each says.
    held: Mutex<HashMap<String, String>>,
    pace: Pace,
    listing: Box<Listing>,
    /// When what was asked.
    asked: Mutex<Vec<(Instant, String)>>,
    /// What removals are answered with first.
    refusals: Mutex<Vec<Result<Removed, Failure>>>,
    /// From which request on single messages are found.
    found_from: usize,
}

impl std::fmt::Debug for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Holder")
    }
}

impl Holder {
    /// One that holds the messages m0 to so many, under the numbers from 1 on.
    fn new(
        count: usize,
        listing: impl Fn(&Self, Entity, Option<&Cursor>, usize) -> Result<Page, Failure>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let held = (0..count).map(|n| ((n + 1).to_string(), format!("m{n}")));
        Self {
            held: Mutex::new(held.collect()),
            pace: Pace {
                requests_per_minute: None,
                in_flight: NonZeroUsize::new(4).unwrap(),
            },
            listing: Box::new(listing),
            asked: Mutex::default(),
            refusals: Mutex::default(),
            found_from: 0,
        }
    }

    /// What it holds, in the order of the numbers.
    fn items(&self) -> Vec<Item> {
        let held = self.held.lock().unwrap();
        let mut items: Vec<_> = held
            .iter()
            .map(|(number, text)| item(number, text))
            .collect();
        items.sort_by_key(|item| item.number.as_ref().unwrap().parse::<u64>().unwrap());
        items
    }

    fn asked(&self, what: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|(_, asked)| asked.starts_with(what))
            .count()
    }

    fn note(&self, what: String) -> usize {
        let mut asked = self.asked.lock().unwrap();
        let kind = what.split(' ').next().unwrap_or_default().to_owned();
        let before = asked
            .iter()
            .filter(|(_, asked)| asked.starts_with(&kind))
            .count();
        asked.push((Instant::now(), what));
        before
    }
}

fn contents(text: &str) -> Contents {
    Contents {
        part_of: Some("c".into()),
        likeness: Some(text.bytes().map(u64::from).sum()),
        fields: vec![Some(Told::plain(text))],
    }
}

fn item(number: &str, text: &str) -> Item {
    Item {
        id: None,
        number: Some(number.into()),
        contents: contents(text),
        deleted: false,
    }
}

/// A list in pages of ten.
fn in_tens(holder: &Holder, entity: Entity, from: Option<&Cursor>) -> Page {
    if entity != Entity::Messages {
        return Page::default();
    }
    let start: usize = from.map_or(0, |cursor| cursor.0.parse().unwrap());
    let items: Vec<Item> = holder.items().into_iter().skip(start).take(10).collect();
    let next = (items.len() == 10).then(|| Cursor((start + 10).to_string()));
    Page { items, next }
}

#[async_trait]
impl Inspection for Holder {
    fn pace(&self) -> Pace {
        self.pace
    }

    fn compared(&self, _entity: Entity) -> &'static [&'static str] {
        &["id"]
    }

    fn expected(&self, record: &Record) -> Expected {
        Expected {
            contents: contents(record.id.as_str()),
            brings: Vec::new(),
        }
    }

    fn is_numbered(&self, entity: Entity) -> bool {
        entity == Entity::Messages
    }

    fn listed_in(&self, _entity: Entity) -> Option<Entity> {
        None
    }

    async fn list(
        &self,
        _permit: Permit,
        entity: Entity,
        _within: Option<&str>,
        from: Option<&Cursor>,
    ) -> Result<Page, Failure> {
        let before = self.note(format!("{entity} {from:?}"));
        (self.listing)(self, entity, from, before)
    }

    async fn find(
        &self,
        _permit: Permit,
        _entity: Entity,
        id: &str,
    ) -> Result<Option<Item>, Failure> {
        let before = self.note(format!("find {id}"));
        let held = self.held.lock().unwrap();
        let found = held.get(id).filter(|_| before >= self.found_from);
        Ok(found.map(|text| item(id, text)))
    }

    async fn remove(&self, _permit: Permit, removal: &Removal) -> Result<Removed, Failure> {
        self.note(format!("remove {}", removal.id));
        if let Some(refusal) = self.refusals.lock().unwrap().pop() {
            return refusal;
        }
        let number = removal.number.as_deref().unwrap_or_default();
        Ok(match self.held.lock().unwrap().remove(number) {
            Some(_) => Removed::Gone,
            None => Removed::Absent,
        })
    }
}

struct Quiet;

impl Watcher for Quiet {
    fn doing(&mut self, _what: &'static str, _entity: Entity, _done: u64, _of: Option<u64>) {}

    fn trouble(&mut self, _what: &str) {}
}

/// A destination that numbers what it stores from 1 on.
fn numbering() -> Arc<Scripted> {
    Arc::new(Scripted::new(|records, _, store| {
        let receipt = |record: &Record| {
            store.store(record);
            let number = record.id.as_str()[1..].parse::<u64>().unwrap() + 1;
            Receipt {
                id: record.id.clone(),
                verdict: Verdict::Imported {
                    remote: Some(number.to_string().into()),
                },
            }
        };
        Ok(records.iter().map(receipt).collect())
    }))
}

fn flows(count: i64) -> Vec<chatferry_runtime::FlowInput> {
    vec![flow(
        Entity::Messages,
        References::Trust,
        &messages(count, 5),
    )]
}

/// A folder with the ledger of so many messages that were imported.
async fn imported(count: i64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let finished = run(&folder, &numbering(), flows(count)).await;
    finished.ledger.close().await.unwrap();
    folder
}

async fn verify(
    folder: &tempfile::TempDir,
    holder: &Arc<Holder>,
    count: i64,
    patience: u64,
) -> Verified {
    let destination: Arc<dyn Destination> = Arc::new(Scripted::willing());
    let verify = Verify {
        inspection: Arc::clone(holder) as _,
        destination,
        flows: flows(count),
        ledger: Ledger::open(&folder.path().join("a.ledger")).await.unwrap(),
        of: "this".into(),
        anew: false,
        patience: Duration::from_secs(patience),
        shown: 10,
        now: 1_700_000_000,
    };
    let (_stop, stopped) = chatferry_runtime::stop();
    verify.go(stopped, &mut Quiet).await.unwrap()
}

async fn undo(folder: &tempfile::TempDir, holder: &Arc<Holder>) -> Undone {
    let undo = Undo {
        inspection: Arc::clone(holder) as _,
        ledger: Ledger::open(&folder.path().join("a.ledger")).await.unwrap(),
        now_ms: Arc::new(|| 1_700_000_000_000),
    };
    let (_stop, stopped) = chatferry_runtime::stop();
    undo.go(stopped, &mut Quiet).await.unwrap()
}

fn doubt(foreign: bool) -> Failure {
    Failure::Doubt {
        what: "HTTP 500".into(),
        foreign,
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_never_ends_is_read_once() {
    for again in [
        // The same page for ever, a cursor that leads back, and both.
        |holder: &Holder, entity, _: Option<&Cursor>, before: usize| Page {
            next: Some(Cursor(before.to_string())),
            ..in_tens(holder, entity, None)
        },
        |holder: &Holder, entity, from: Option<&Cursor>, _: usize| {
            let page = in_tens(holder, entity, from);
            let next = page.next.or(Some(Cursor("10".into())));
            Page { next, ..page }
        },
    ] {
        let folder = imported(10).await;
        let holder = Arc::new(Holder::new(10, move |holder, entity, from, before| {
            Ok(again(holder, entity, from, before))
        }));
        let verified = verify(&folder, &holder, 10, 0).await;
        assert!(verified.agrees(), "{:?}", verified.entities);
        assert!(
            holder.asked("messages") <= 4,
            "{} pages",
            holder.asked("messages")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_list_shows_is_asked_for_by_its_number() {
    let folder = imported(25).await;
    let holder = Arc::new(Holder::new(25, |_, _, _, _| Ok(Page::default())));
    let verified = verify(&folder, &holder, 25, 0).await;
    assert!(verified.agrees());
    assert_eq!(holder.asked("find"), 25);
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_asked_for_again_as_long_as_there_is_patience() {
    for (patience, asked) in [(0, 1), (2, 2), (6, 3), (13, 3), (30, 5)] {
        let folder = imported(3).await;
        let holder = Arc::new(Holder::new(2, |holder, entity, from, _| {
            Ok(in_tens(holder, entity, from))
        }));
        let verified = verify(&folder, &holder, 3, patience).await;
        assert_eq!(holder.asked("find 3"), asked, "{patience} s");
        let messages = &verified.entities[3];
        assert_eq!((messages.sums.same, messages.sums.missing), (2, 1));
        assert_eq!(messages.missing[0].id, "m2");
    }
}

#[tokio::test(start_paused = true)]
async fn what_turns_up_late_is_not_missing() {
    let folder = imported(3).await;
    let holder = Holder {
        found_from: 5,
        ..Holder::new(3, |_, _, _, _| Ok(Page::default()))
    };
    let verified = verify(&folder, &Arc::new(holder), 3, 30).await;
    assert!(verified.agrees());
}

#[tokio::test(start_paused = true)]
async fn nobody_asks_a_thousand_times_for_what_is_not_there() {
    let folder = imported(1_000).await;
    let holder = Arc::new(Holder::new(0, |_, _, _, _| Ok(Page::default())));
    let verified = verify(&folder, &holder, 1_000, 0).await;
    assert_eq!(verified.entities[3].sums.missing, 1_000);
    let asked = holder.asked("find");
    assert!((200..=210).contains(&asked), "{asked} asked for");
}

#[tokio::test(start_paused = true)]
async fn what_differs_and_what_is_too_much_is_told() {
    let folder = imported(12).await;
    let holder = Arc::new(Holder::new(12, |holder, entity, from, _| {
        Ok(in_tens(holder, entity, from))
    }));
    holder
        .held
        .lock()
        .unwrap()
        .insert("4".into(), "changed".into());
    holder
        .held
        .lock()
        .unwrap()
        .insert("99".into(), "new".into());
    let verified = verify(&folder, &holder, 12, 0).await;
    let messages = &verified.entities[3];
    assert_eq!(
        (
            messages.sums.different,
            messages.sums.extra,
            messages.sums.same
        ),
        (1, 1, 11)
    );
    let different = &messages.different[0];
    assert_eq!(
        (
            different.id.as_str(),
            different.expected.as_deref(),
            different.found.as_str()
        ),
        ("m3", Some("m3"), "changed")
    );
    assert_eq!(messages.extra[0].id, "99");
    assert_eq!(verified.conversations.differing, 1);
}

#[tokio::test(start_paused = true)]
async fn a_pace_is_kept_and_a_hold_holds() {
    let folder = imported(40).await;
    let mut holder = Holder::new(40, |holder, entity, from, before| match (entity, before) {
        (Entity::Messages, 2) => Err(Failure::Throttled {
            wait: Some(Duration::from_secs(90)),
        }),
        _ => Ok(in_tens(holder, entity, from)),
    });
    holder.pace.requests_per_minute = NonZeroU32::new(60);
    let holder = Arc::new(holder);
    let verified = verify(&folder, &holder, 40, 0).await;
    assert!(verified.agrees());
    assert_eq!(verified.asked.throttled, 1);
    let asked = holder.asked.lock().unwrap();
    let times: Vec<Instant> = asked
        .iter()
        .filter(|(_, what)| what.starts_with("messages"))
        .map(|(at, _)| *at)
        .collect();
    let gaps: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        gaps.iter().all(|gap| *gap >= Duration::from_secs(1)),
        "{gaps:?}"
    );
    assert!(gaps[2] >= Duration::from_secs(90), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn failures_are_asked_again_and_an_address_that_never_answers_is_given_up() {
    let folder = imported(5).await;
    let holder = Arc::new(Holder::new(
        5,
        |holder, entity, from, before| match before {
            0..3 => Err(doubt(false)),
            _ => Ok(in_tens(holder, entity, from)),
        },
    ));
    assert!(verify(&folder, &holder, 5, 0).await.agrees());
    let holder = Arc::new(Holder::new(5, |_, _, _, _| Err(doubt(true))));
    let verified = verify(&folder, &holder, 5, 0).await;
    assert!(
        matches!(verified.ended, Ended::Silent { .. }),
        "{:?}",
        verified.ended
    );
    assert!(holder.asked("users") <= 4);
}

#[tokio::test(start_paused = true)]
async fn one_blow_to_all_that_is_under_way_is_one_failure() {
    let folder = imported(30).await;
    let mut holder = Holder::new(30, |_, _, _, _| Ok(Page::default()));
    holder.pace.in_flight = NonZeroUsize::new(8).unwrap();
    *holder.refusals.lock().unwrap() = (0..8).map(|_| Err(doubt(true))).collect();
    let undone = undo(&folder, &Arc::new(holder)).await;
    assert_eq!(
        undone.removed[&Entity::Messages],
        (30, 0),
        "{:?}",
        undone.ended
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_imported_is_taken_away_and_imported_again() {
    let folder = imported(120).await;
    let holder = Arc::new(Holder::new(119, |_, _, _, _| Ok(Page::default())));
    let undone = undo(&folder, &holder).await;
    assert_eq!(
        undone.removed[&Entity::Messages],
        (119, 1),
        "one was not there any more"
    );
    assert!(holder.held.lock().unwrap().is_empty());
    undone.ledger.close().await.unwrap();
    let again = run(&folder, &numbering(), flows(120)).await;
    assert_eq!(again.account.flows[0].settled_before, 0);
    assert_eq!(
        again.account.count(chatferry_core::OutcomeKind::Imported),
        120
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_away_is_tried_once_more_and_stays_in_the_ledger() {
    let refused = || {
        Ok(Removed::Refused {
            code: "ERR_NO".into(),
            message: String::new(),
        })
    };
    let folder = imported(9).await;
    let holder = Arc::new(Holder::new(9, |_, _, _, _| Ok(Page::default())));
    *holder.refusals.lock().unwrap() =
        vec![refused(), Ok(Removed::NotYet), Err(doubt(false)), refused()];
    let undone = undo(&folder, &holder).await;
    assert_eq!(
        (undone.removed[&Entity::Messages], undone.left.len()),
        ((9, 0), 0)
    );
    undone.ledger.close().await.unwrap();

    let folder = imported(9).await;
    let mut holder = Holder::new(9, |_, _, _, _| Ok(Page::default()));
    holder.pace.in_flight = NonZeroUsize::MIN;
    let holder = Arc::new(holder);
    // The first message is refused, the others go, and then it is refused again.
    let mut refusals = vec![refused()];
    refusals.extend((0..8).map(|_| Ok(Removed::Gone)));
    refusals.push(refused());
    *holder.refusals.lock().unwrap() = refusals;
    let mut undone = undo(&folder, &holder).await;
    assert_eq!(
        (
            undone.left[&Entity::Messages],
            undone.removed[&Entity::Messages]
        ),
        (1, (8, 0))
    );
    let example = &undone.examples[0];
    assert_eq!((example.1.as_str(), example.2.as_str()), ("m0", "ERR_NO"));
    let kept = undone
        .ledger
        .imported(Entity::Messages, 0, 10)
        .await
        .unwrap();
    assert_eq!(kept[0].id, RecordId::new("m0"));
}
