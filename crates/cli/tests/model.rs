//! Do runtime, ledger and simulator agree with a model of them, whatever is answered and whenever it
//! crashes?
//!
//! A case is a chat of users, groups, memberships and messages, some of which break a rule and some of
//! which the service cannot store, and the faults and crashes on its way. The model says, without any
//! of our code, what must be there at the end and why the rest is not.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::num::{NonZeroU32, NonZeroUsize};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use chatferry::in_process::InProcess;
use chatferry_cometchat::{CometChat, Retention, Settings};
use chatferry_core::{
    Delivery, Entity, MessageOrder, OutcomeKind, Placeholders, References, Secret, Shaped, Since,
};
use chatferry_ledger::Ledger;
use chatferry_runtime::{Again, Ended, Finished, FlowInput, Observer, Progress, Run};
use chatferry_simulator::{Clock, Simulator};
use futures::StreamExt;
use proptest::prelude::*;
use tokio::time::Instant;

/// Import requests a minute.
const LIMIT: NonZeroU32 = NonZeroU32::new(120).unwrap();
/// What it is at the beginning, in seconds since 1970.
const NOW: i64 = 1_750_000_000;
/// No record that holds it can be stored.
const POISON: &str = "arsenic";

/// What a case is made of. Every so-manieth of something is never one, if the number is zero.
#[derive(Clone, Debug)]
struct Case {
    users: usize,
    groups: usize,
    messages: usize,
    /// Every so-manieth user has no name, which is against the rules.
    nameless: usize,
    /// Every so-manieth group cannot be stored.
    poisoned_groups: usize,
    /// Every so-manieth message cannot be stored.
    poisoned_messages: usize,
    batch: usize,
    records_per_request: usize,
    in_flight: usize,
    /// How many of a hundred requests a fault strikes, and what it is drawn from.
    percent: u8,
    seed: u64,
    /// Whether no flow delivers users, and something is to stand for each. Nothing but messages is
    /// wrong then.
    placeholders: bool,
    /// At which of its steps each run but the last crashes.
    crashes: Vec<u32>,
}

fn case() -> impl Strategy<Value = Case> {
    (
        (1_usize..40, 1_usize..6, 1_usize..250),
        (
            prop_oneof![Just(0), 2_usize..9],
            0_usize..5,
            prop_oneof![Just(0), 20_usize..90],
        ),
        (1_usize..60, 1_usize..20, 1_usize..6),
        (0_u8..25, any::<u64>()),
        (any::<bool>(), prop::collection::vec(1_u32..300, 0..5)),
    )
        .prop_map(
            |(chat, wrong, requests, faults, (placeholders, crashes))| Case {
                users: chat.0,
                groups: chat.1,
                messages: chat.2,
                nameless: if placeholders { 0 } else { wrong.0 },
                poisoned_groups: if placeholders { 0 } else { wrong.1 },
                poisoned_messages: wrong.2,
                batch: requests.0,
                records_per_request: requests.1,
                in_flight: requests.2,
                percent: faults.0,
                seed: faults.1,
                placeholders,
                crashes,
            },
        )
}

fn is_one_of(every: usize, number: usize) -> bool {
    every > 0 && number % every == every - 1
}

/// A record of the chat, and what the model says of it.
struct Told {
    id: String,
    columns: Vec<(&'static str, String)>,
    fate: Option<OutcomeKind>,
}

impl Case {
    fn user_fate(&self, user: usize) -> Option<OutcomeKind> {
        is_one_of(self.nameless, user).then_some(OutcomeKind::Rejected)
    }

    fn group_fate(&self, group: usize) -> Option<OutcomeKind> {
        is_one_of(self.poisoned_groups, group).then_some(OutcomeKind::Refused)
    }

    /// What becomes of what refers to these, and would itself have that fate.
    fn fate(
        &self,
        users: &[usize],
        group: Option<usize>,
        own: Option<OutcomeKind>,
    ) -> Option<OutcomeKind> {
        let users = users.iter().find_map(|user| self.user_fate(*user));
        let group = group.and_then(|group| self.group_fate(group));
        match users.or(group) {
            Some(_) => Some(OutcomeKind::Blocked),
            None => own,
        }
    }

    fn told(&self, entity: Entity) -> Vec<Told> {
        match entity {
            Entity::Users => (0..self.users).map(|user| self.user(user)).collect(),
            Entity::Groups => (0..self.groups).map(|group| self.group(group)).collect(),
            Entity::Members => (0..self.users * self.groups)
                .filter(|number| number.is_multiple_of(3))
                .map(|number| self.member(number / self.groups, number % self.groups))
                .collect(),
            Entity::Messages => (0..self.messages).map(|n| self.message(n)).collect(),
        }
    }

    fn user(&self, user: usize) -> Told {
        let fate = self.user_fate(user);
        let name = if fate.is_some() { "" } else { "Somebody" };
        Told {
            id: format!("u{user}"),
            columns: vec![("uid", format!("u{user}")), ("name", name.to_owned())],
            fate,
        }
    }

    fn group(&self, group: usize) -> Told {
        let fate = self.group_fate(group);
        let name = if fate.is_some() { POISON } else { "Room" };
        Told {
            id: format!("g{group}"),
            columns: vec![
                ("guid", format!("g{group}")),
                ("name", name.to_owned()),
                ("type", "private".to_owned()),
            ],
            fate,
        }
    }

    fn member(&self, user: usize, group: usize) -> Told {
        let id = format!("g{group}_member_u{user}");
        Told {
            columns: vec![
                ("memberId", id.clone()),
                ("guid", format!("g{group}")),
                ("uid", format!("u{user}")),
            ],
            id,
            fate: self.fate(&[user], Some(group), None),
        }
    }

    /// Every third one is from user to user.
    fn message(&self, number: usize) -> Told {
        let sender = number * 5 % self.users;
        let (to_user, to_group) = (number * 3 % self.users, number % self.groups);
        let direct = number.is_multiple_of(3);
        let own = is_one_of(self.poisoned_messages, number).then_some(OutcomeKind::Refused);
        let (kind, receiver, fate) = match direct {
            true => (
                "user",
                format!("u{to_user}"),
                self.fate(&[sender, to_user], None, own),
            ),
            false => (
                "group",
                format!("g{to_group}"),
                self.fate(&[sender], Some(to_group), own),
            ),
        };
        let text = if own.is_some() { POISON } else { "hello" };
        Told {
            id: format!("m{number}"),
            columns: vec![
                ("muid", format!("m{number}")),
                ("sender", format!("u{sender}")),
                ("receiverType", kind.to_owned()),
                ("receiver", receiver),
                ("category", "message".to_owned()),
                ("type", "text".to_owned()),
                ("text", text.to_owned()),
            ],
            fate,
        }
    }

    fn entities(&self) -> &'static [Entity] {
        &Entity::ALL[usize::from(self.placeholders)..]
    }

    /// The users that something has to stand for.
    fn missing(&self) -> BTreeSet<String> {
        let told = [Entity::Members, Entity::Messages].map(|entity| self.told(entity));
        let columns = told.iter().flatten().flat_map(|told| &told.columns);
        let is_user = |(name, id): &&(&str, String)| match *name {
            "uid" | "sender" => true,
            "receiver" => id.starts_with('u'),
            _ => false,
        };
        let users = columns.filter(is_user).map(|(_, id)| id.clone());
        users.filter(|_| self.placeholders).collect()
    }

    /// That of messages can be read on from any time.
    fn flows(&self) -> Vec<FlowInput> {
        let entities = self.entities().iter();
        entities.map(|entity| self.flow(*entity)).collect()
    }

    fn flow(&self, entity: Entity) -> FlowInput {
        let case = self.clone();
        let open = move |since: &Since| {
            let from = since.position.as_deref();
            let from: usize = from.map_or(0, |position| position.parse().unwrap());
            let told = case.told(entity);
            let batches: Vec<Shaped> = told[from..]
                .chunks(case.batch)
                .enumerate()
                .map(|(batch, told)| shaped(entity, told, from + batch * case.batch))
                .collect();
            Some(futures::stream::iter(batches.into_iter().map(Ok)).boxed())
        };
        FlowInput {
            name: entity.name().to_owned(),
            entity,
            references: match self.placeholders {
                true => References::Placeholder(Placeholders {
                    user: "Former user".into(),
                    group: "Former group".into(),
                }),
                false => References::Require,
            },
            open: Box::new(open),
        }
    }

    fn simulator(&self) -> Simulator {
        let settings = chatferry_simulator::Settings {
            requests_per_minute: Some(LIMIT),
            latency: Duration::from_millis(700),
            retention: None,
            clock: Clock::stopped_at(NOW),
            poison: Some(POISON.to_owned()),
            fault_percent: self.percent,
            seed: self.seed,
            ..chatferry_simulator::Settings::default()
        };
        Simulator::new(settings).unwrap()
    }

    fn destination(&self, simulator: Simulator) -> CometChat {
        let settings = Settings {
            base_url: "http://127.0.0.1:1/v3".parse().unwrap(),
            api_key: Secret::Value(String::new()),
            delivery: Delivery {
                requests_per_minute: Some(LIMIT),
                records_per_request: NonZeroUsize::new(self.records_per_request).unwrap(),
                bytes_per_request: NonZeroUsize::new(1 << 20).unwrap(),
                in_flight: NonZeroUsize::new(self.in_flight).unwrap(),
                message_order: MessageOrder::Conversation,
                failure_budget: None,
                message_allowance: None,
            },
            other_requests_per_minute: None,
            retention: Retention::Off,
            timeout: Duration::from_secs(60),
        };
        CometChat::over(&settings, Arc::new(InProcess(simulator)))
    }
}

/// Rows as the engine makes them of a pipeline's fields, of which the first is the `from`th.
fn shaped(entity: Entity, told: &[Told], from: usize) -> Shaped {
    let names = told[0].columns.iter().map(|(name, _)| *name);
    let mut columns: Vec<(&str, ArrayRef)> = names
        .enumerate()
        .map(|(at, name)| -> (&str, ArrayRef) {
            let texts = told.iter().map(|told| &told.columns[at].1);
            (name, Arc::new(StringArray::from_iter_values(texts)))
        })
        .collect();
    let is_message = entity == Entity::Messages;
    if is_message {
        let (_, texts) = columns.pop().unwrap();
        let fields = Fields::from(vec![Field::new("text", DataType::Utf8, true)]);
        columns.push((
            "data",
            Arc::new(StructArray::new(fields, vec![texts], None)),
        ));
        let first = NOW - 1_000_000 + i64::try_from(from).unwrap();
        let times = first..first + i64::try_from(told.len()).unwrap();
        columns.push(("sentAt", Arc::new(Int64Array::from_iter_values(times))));
    }
    let positions = [from, from + told.len() - 1].map(|position| position.to_string());
    Shaped {
        rows: RecordBatch::try_from_iter(columns).unwrap(),
        rejected: Vec::new(),
        skipped: Vec::new(),
        positions: is_message.then_some(positions),
        changed: None,
    }
}

struct Nobody;

impl Observer for Nobody {
    fn progress(&mut self, _progress: &Progress<'_>) {}

    fn trouble(&mut self, _what: &str) {}
}

/// A clock that goes on from one run to the next, as the service's does.
struct Time {
    began: Instant,
    passed: Duration,
}

impl Time {
    /// Runs until the end or a crash, which drops everything at once, as the end of a process does.
    fn run(
        &mut self,
        case: &Case,
        folder: &tempfile::TempDir,
        simulator: &Simulator,
        again: Again,
        crash_at: Option<u32>,
    ) -> Option<Finished> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let behind = (self.began + self.passed).saturating_duration_since(Instant::now());
            tokio::time::advance(behind).await;
            let finished = {
                let mut run = pin!(self.attempt(case, folder, simulator, again));
                let mut steps = 0;
                let until_crash = poll_fn(|context| {
                    steps += 1;
                    match crash_at {
                        Some(crash_at) if steps == crash_at => Poll::Ready(None),
                        _ => run.as_mut().poll(context).map(Some),
                    }
                });
                until_crash.await
            };
            self.passed = self.began.elapsed();
            finished
        })
    }

    async fn attempt(
        &self,
        case: &Case,
        folder: &tempfile::TempDir,
        simulator: &Simulator,
        again: Again,
    ) -> Finished {
        let began = self.began;
        let now_ms = move || NOW * 1_000 + i64::try_from(began.elapsed().as_millis()).unwrap();
        let run = Run {
            destination: Arc::new(case.destination(simulator.clone())),
            flows: case.flows(),
            ledger: Ledger::open(&folder.path().join("a.ledger")).await.unwrap(),
            pipeline: 1,
            again,
            spill: None,
            now_ms: Arc::new(now_ms),
        };
        let (_stop, stopped) = chatferry_runtime::stop();
        run.go(stopped, &mut Nobody).await.unwrap()
    }
}

/// The ids of what the simulator has, as often as it has them.
fn stored(simulator: &Simulator) -> BTreeMap<String, Vec<String>> {
    let mut dump = Vec::new();
    simulator.dump(&mut dump).unwrap();
    let mut stored: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in std::str::from_utf8(&dump).unwrap().lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let (entity, record) = (line["entity"].as_str().unwrap(), &line["record"]);
        let text = |field: &str| record[field].as_str().unwrap_or_default().to_owned();
        let id = match entity {
            "users" => text("uid"),
            "groups" => text("guid"),
            "members" => format!("{}_member_{}", text("guid"), text("uid")),
            _ => text("muid"),
        };
        stored.entry(entity.to_owned()).or_default().push(id);
    }
    stored
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_there_at_the_end_is_what_the_model_says(case in case()) {
        let folder = tempfile::tempdir().unwrap();
        let simulator = case.simulator();
        let mut time = Time { began: Instant::now(), passed: Duration::ZERO };
        for crash_at in case.crashes.iter().copied().map(Some).chain([None]) {
            let finished = time.run(&case, &folder, &simulator, Again::Nothing, crash_at);
            if let Some(finished) = &finished {
                prop_assert!(finished.account.adds_up(), "{:#?}", finished.account);
            }
        }
        // A record whose every request is struck, by chance, is refused as if it were poison. Whoever
        // reads its reason sends it again.
        let finished = time.run(&case, &folder, &simulator, Again::Refused, None);
        let finished = finished.expect("it does not crash");
        prop_assert!(matches!(finished.ended, Ended::Complete), "{:?}", finished.ended);

        let counts = simulator.counts();
        prop_assert!(counts.worst_minute <= u64::from(LIMIT.get()), "{:?}", counts);
        prop_assert_eq!(simulator.order_violations(), 0);
        let mut stored = stored(&simulator);
        if case.placeholders {
            let there: Vec<String> = stored.remove("users").unwrap_or_default();
            prop_assert_eq!(there.len(), case.missing().len(), "each once");
            prop_assert_eq!(there.into_iter().collect::<BTreeSet<_>>(), case.missing());
        }
        for (entity, account) in case.entities().iter().zip(&finished.account.flows) {
            let told = case.told(*entity);
            let mut there = stored.remove(entity.name()).unwrap_or_default();
            there.sort();
            let good = told.iter().filter(|told| told.fate.is_none());
            let good: BTreeSet<String> = good.map(|told| told.id.clone()).collect();
            let good: Vec<String> = good.into_iter().collect();
            prop_assert_eq!(&there, &good, "{}, each once", entity.name());

            for kind in [OutcomeKind::Rejected, OutcomeKind::Refused, OutcomeKind::Blocked] {
                let wanted = told.iter().filter(|told| told.fate == Some(kind)).count() as u64;
                prop_assert_eq!(account.count(kind), wanted, "{} {:?}: {:#?}", entity.name(), kind, account);
            }
            let delivered = account.settled_before
                + account.count(OutcomeKind::Imported)
                + account.count(OutcomeKind::Present);
            prop_assert_eq!(delivered, good.len() as u64);
            prop_assert_eq!(account.read, told.len() as u64);
        }
    }
}
