//! What an answer says of each record.
//!
//! An answer is judged by its codes and by its verdict on each id, never by the HTTP status
//! alone, and matched by id, never by place. Both published shapes are read: the entity under
//! `data.<id>.data`, and one level deeper. An entry that cannot be understood puts its own record
//! in doubt, and no other.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use chatferry_core::{Entity, Failure, Receipt, Record, Verdict};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::Reply;
use crate::codes::{Meaning, meaning};
use crate::failure::{ApiError, describe, failure_with};
use crate::stored::Stored;
use crate::wait::wait;

/// Reads an answer to a request of these records. `now` is in UNIX seconds.
///
/// # Errors
///
/// What the whole request's failure asks for, when there are no verdicts.
pub fn receipts(
    entity: Entity,
    records: &[Record],
    reply: &Reply,
    now: i64,
) -> Result<Vec<Receipt>, Failure> {
    // Checked once as a whole, which is several times faster than string by string; and whether
    // it is sound first, which is several times faster than mending.
    let text = match str::from_utf8(&reply.body) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(&reply.body),
    };
    let Some(mut envelope) = Envelope::read(&text) else {
        return Err(failure_with(None, reply, now));
    };
    let mut receipts = envelope.receipts(entity, records);
    if receipts.is_empty()
        && envelope
            .data
            .as_ref()
            .is_some_and(|data| !data.0.is_empty())
    {
        envelope = Envelope::read_patiently(&text).unwrap_or(envelope);
        receipts = envelope.receipts(entity, records);
    }
    if let Some(wait) = throttled(&receipts, reply, now) {
        return Err(Failure::Throttled { wait });
    }
    if matches!(reply.status, 200..=299) && envelope.data.is_some() {
        return Ok(receipts);
    }
    let failure = failure_with(envelope.error.as_ref(), reply, now);
    match (&failure, records) {
        // What it says of each record is worth more than the status.
        (Failure::Doubt { .. }, _) if !receipts.is_empty() => Ok(receipts),
        (Failure::Doubt { .. }, [only]) if envelope.says_present() => Ok(vec![Receipt {
            id: only.id.clone(),
            verdict: Verdict::Present,
        }]),
        _ => Err(failure),
    }
}

/// For how long nothing should be sent, where each record is told that there were too many requests.
fn throttled(receipts: &[Receipt], reply: &Reply, now: i64) -> Option<Option<std::time::Duration>> {
    let is_throttled = |receipt: &Receipt| match &receipt.verdict {
        Verdict::Doubt { code } => meaning(code) == Meaning::Throttled,
        _ => false,
    };
    let all = !receipts.is_empty() && receipts.iter().all(is_throttled);
    all.then(|| wait(&reply.headers, &String::from_utf8_lossy(&reply.body), now))
}

/// An answer: verdicts, or an error.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<Entries<'a, Entry<'a>>>,
    #[serde(borrow, default)]
    error: Option<ApiError<'a>>,
}

/// What came under each id, in the order in which it came.
struct Entries<'a, E>(Vec<(Cow<'a, str>, E)>);

/// One verdict.
#[derive(Default, Deserialize)]
struct Entry<'a> {
    #[serde(default)]
    success: Option<bool>,
    #[serde(borrow, default)]
    data: Option<Stored<'a>>,
    #[serde(borrow, default)]
    error: Option<ApiError<'a>>,
}

/// Text borrowed from the answer where it has no escapes.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a, E: Deserialize<'de>> Deserialize<'de> for Entries<'a, E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit<E>(PhantomData<E>);
        impl<'de, E: Deserialize<'de>> Visitor<'de> for Visit<E> {
            type Value = Entries<'de, E>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of verdicts keyed by id")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::with_capacity(50);
                while let Some(id) = map.next_key::<Text<'de>>()? {
                    entries.push((id.0, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Visit(PhantomData))
    }
}

impl<'a> Envelope<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let read = serde_json::from_str(text).ok();
        read.or_else(|| Self::read_patiently(text))
    }

    /// Reads each entry by itself, whatever its shape.
    fn read_patiently(text: &'a str) -> Option<Self> {
        #[derive(Deserialize)]
        struct Loose<'a> {
            #[serde(borrow, default)]
            data: Option<&'a RawValue>,
            #[serde(borrow, default)]
            error: Option<&'a RawValue>,
        }
        let Loose { data, error } = serde_json::from_str(text).ok()?;
        let entries = |data: &'a RawValue| {
            let Entries(entries) =
                serde_json::from_str::<Entries<'a, &'a RawValue>>(data.get()).ok()?;
            let entries = entries.into_iter().map(|(id, raw)| (id, Entry::of(raw)));
            Some(Entries(entries.collect()))
        };
        let data = data.and_then(entries);
        let error = error.and_then(|error| serde_json::from_str(error.get()).ok());
        (data.is_some() || error.is_some()).then_some(Self { data, error })
    }

    /// The receipts of those records that it has a verdict on, in the order of the records.
    fn receipts(&self, entity: Entity, records: &[Record]) -> Vec<Receipt> {
        let Some(Entries(entries)) = &self.data else {
            return Vec::new();
        };
        let mut told: Vec<Told> = Vec::new();
        told.resize_with(records.len(), Told::default);
        for (place, (id, entry)) in entries.iter().enumerate() {
            if let Some(record) = record_of(entity, records, place, id, entry)
                && let Some(verdict) = verdict(entity, entry)
            {
                told[record].add(verdict);
            }
        }
        let told = records.iter().zip(told);
        let receipt = |(record, told): (&Record, Told)| match told {
            Told::Once(verdict) => Some(Receipt {
                id: record.id.clone(),
                verdict,
            }),
            Told::Nothing | Told::Contradictions => None,
        };
        told.filter_map(receipt).collect()
    }

    /// Whether the request as a whole is told that its record is there.
    fn says_present(&self) -> bool {
        let code = self.error.as_ref().and_then(|error| error.code.as_deref());
        code.is_some_and(|code| meaning(code) == Meaning::Present)
    }
}

/// What an answer says of one record.
#[derive(Default)]
enum Told {
    #[default]
    Nothing,
    Once(Verdict),
    /// One thing and another: as good as nothing.
    Contradictions,
}

impl Told {
    fn add(&mut self, verdict: Verdict) {
        *self = match std::mem::take(self) {
            Self::Nothing => Self::Once(verdict),
            Self::Once(earlier) if earlier == verdict => Self::Once(earlier),
            Self::Once(_) | Self::Contradictions => Self::Contradictions,
        };
    }
}

/// The place of the record that an entry is about: by the id as sent, then without regard to case,
/// then by the id inside the entity.
fn record_of(
    entity: Entity,
    records: &[Record],
    place: usize,
    id: &str,
    entry: &Entry<'_>,
) -> Option<usize> {
    let is = |record: &Record| record.id.as_str() == id;
    // An answer mostly has the order of the request, which saves the search, and no more.
    if records.get(place).is_some_and(is) {
        return Some(place);
    }
    let by = |is: &dyn Fn(&Record) -> bool| records.iter().position(is);
    let like = |id: &str| by(&|record| record.id.as_str().eq_ignore_ascii_case(id));
    by(&is).or_else(|| like(id)).or_else(|| {
        let stored = entry.data.clone()?.unwrapped()?;
        like(&stored.record_id(entity)?)
    })
}

impl<'a> Entry<'a> {
    /// What can be understood of an entry, whatever its shape.
    fn of(raw: &'a RawValue) -> Self {
        match serde_json::from_str::<Self>(raw.get()) {
            Ok(entry) if entry.success.is_some() || entry.error.is_some() => entry,
            // The published schema has the bare entity here.
            Ok(_) => {
                let stored: Option<Stored<'a>> = serde_json::from_str(raw.get()).ok();
                let data = stored.filter(Stored::names_itself);
                Self {
                    success: data.is_some().then_some(true),
                    data,
                    error: None,
                }
            }
            Err(_) => Self::mended(&serde_json::from_str(raw.get()).unwrap_or_default()),
        }
    }

    /// The verdict in an entry whose parts are of other types than they should be.
    fn mended(entry: &Value) -> Self {
        let text = |value: &Value| match value {
            Value::String(text) => Some(Cow::Owned(text.clone())),
            Value::Number(number) => Some(Cow::Owned(number.to_string())),
            _ => None,
        };
        let success = match &entry["success"] {
            Value::Bool(success) => Some(*success),
            Value::String(word) => word.parse().ok(),
            Value::Number(number) => number.as_i64().map(|number| number != 0),
            _ => None,
        };
        let error = match &entry["error"] {
            Value::Null => None,
            error @ Value::Object(_) => Some(ApiError {
                code: text(&error["code"]),
                message: text(&error["message"]),
                details: None,
            }),
            error => Some(ApiError {
                code: text(error).filter(|text| !text.contains(' ')),
                message: text(error),
                details: None,
            }),
        };
        Self {
            success,
            data: None,
            error,
        }
    }
}

/// What an entry says; `None` when it says nothing that can be understood.
fn verdict(entity: Entity, entry: &Entry<'_>) -> Option<Verdict> {
    if entry.success == Some(true) {
        let stored = (entity == Entity::Messages).then(|| entry.data.clone()?.unwrapped());
        let remote = stored.flatten().and_then(|stored| stored.remote());
        return Some(Verdict::Imported { remote });
    }
    let error = entry.error.as_ref();
    if error.is_none() && entry.success.is_none() {
        return None;
    }
    let code = error
        .and_then(|error| error.code.as_deref())
        .unwrap_or("UNKNOWN")
        .to_owned();
    let message = error.map(describe).unwrap_or_default();
    Some(match meaning(&code) {
        Meaning::Present => Verdict::Present,
        Meaning::Refused => Verdict::Refused { code, message },
        Meaning::Doubt | Meaning::Throttled => Verdict::Doubt { code },
        Meaning::Stop(remedy) => Verdict::Stop {
            code,
            message,
            remedy: remedy.into(),
        },
    })
}
