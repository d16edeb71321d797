//! What the records of a request come to.
//!
//! They are read and judged before the lock is taken, and stored in their order while it is held.

use std::sync::Mutex;

use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::request::{Entity, Entries, entries};
use crate::response::Verdicts;
use crate::rules::{self, Verdict, judge};
use crate::settings::Settings;
use crate::simulator::locked;
use crate::state::{State, Terms};
use crate::switches::{EmptyMap, Poison, TooMany};

/// What a message's answer has besides what was sent, in bytes: mostly who its two parties are.
const NOT_SENT: usize = 600;

/// Stores the first `most` records of a body, as far as they can be, and tells of each.
pub(crate) fn store(
    state: &Mutex<State>,
    settings: &Settings,
    entity: Entity,
    body: &[u8],
    most: usize,
) -> Result<Verdicts, Failure> {
    let switches = &settings.switches;
    let mut entries = entries(body, entity, switches.unknown_keys)?;
    check_count(entries.len(), entity, settings)?;
    entries.truncate(most);
    let terms = Terms {
        settings,
        now: settings.clock.now(),
    };
    let importing = Importing {
        state,
        terms,
        entries,
    };
    match entity {
        Entity::Users => importing.each(
            |key, raw| {
                judge(key, "uid", raw, switches, |to, raw| {
                    rules::user(to, "", raw)
                })
            },
            State::add_user,
        ),
        Entity::Groups => importing.each(
            |key, raw| {
                judge(key, "guid", raw, switches, |to, raw| {
                    rules::group(to, "", raw)
                })
            },
            State::add_group,
        ),
        Entity::Members => importing.each(
            |key, raw| judge(key, "memberId", raw, switches, rules::member),
            State::add_member,
        ),
        Entity::Messages => {
            let oldest = oldest(terms);
            importing.each(
                |key, raw| rules::message(key, raw, oldest, switches),
                State::add_message,
            )
        }
    }
}

fn check_count(count: usize, entity: Entity, settings: &Settings) -> Result<(), Failure> {
    let allowed = settings.records_per_request.get();
    if count == 0 && settings.switches.empty_map == EmptyMap::Format {
        return Err(entity.wrong_format());
    }
    if count <= allowed {
        return Ok(());
    }
    match settings.switches.too_many {
        TooMany::BadRequest => {
            let name = entity.name();
            let advice = format!("The {name} may not have more than {allowed} items.");
            Err(Failure::at(name.to_owned(), advice))
        }
        TooMany::Format => Err(entity.wrong_format()),
        TooMany::Accept => Ok(()),
    }
}

/// The least `sentAt` that is not too old.
fn oldest(terms: Terms<'_>) -> Option<i64> {
    let retention = terms.settings.retention?;
    let seconds = i64::try_from(retention.as_secs()).unwrap_or(i64::MAX);
    Some(terms.now.saturating_sub(seconds))
}

struct Importing<'i, 'a> {
    state: &'i Mutex<State>,
    terms: Terms<'i>,
    entries: Entries<'a>,
}

impl<'a> Importing<'_, 'a> {
    /// Judges every record by itself, then adds the good ones in their order.
    fn each<T>(
        &self,
        judge: impl Fn(&str, &'a RawValue) -> Verdict<T>,
        add: impl Fn(&mut State, &T, Terms<'_>, &mut Vec<u8>) -> Result<(), Failure>,
    ) -> Result<Verdicts, Failure> {
        let switches = &self.terms.settings.switches;
        let records = self.entries.iter().map(|(key, raw)| (key, *raw));
        let poison = self.terms.settings.poison.as_deref();
        let judge = |key: &str, raw: &'a RawValue| match poison {
            Some(poison) if raw.get().contains(poison) => Verdict::Poison(Failure::exception()),
            _ => judge(key, raw),
        };
        let judged: Vec<_> = records.map(|(key, raw)| (key, judge(key, raw))).collect();
        let sent: usize = self
            .entries
            .iter()
            .map(|(key, raw)| key.len() + raw.get().len())
            .sum();
        let expected = sent + NOT_SENT * judged.len();
        let mut verdicts = Verdicts::new(switches, judged.len(), expected);
        let mut aborted = false;
        let mut state = locked(self.state);
        for (key, verdict) in judged {
            match verdict {
                Verdict::Good(record) => {
                    verdicts.add(key, |out| add(&mut state, &record, self.terms, out));
                }
                Verdict::Poison(_) if switches.poison == Poison::Abort => aborted = true,
                Verdict::Bad(failure) | Verdict::Poison(failure) => {
                    verdicts.add(key, |_| Err(failure));
                }
            }
        }
        if aborted {
            Err(Failure::exception())
        } else {
            Ok(verdicts)
        }
    }
}
