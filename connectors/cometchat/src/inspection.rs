//! CometChat asked what it holds, and told to take it away.

use async_trait::async_trait;
use bytes::Bytes;
use chatferry_core::{
    Cursor, Entity, Expected, Failure, Inspection, Item, Pace, Page, Permit, Record, Removal,
    Removed,
};
use chrono::Utc;
use http::Method;
use serde_json::Value;

use crate::client::{Reply, TransportError};
use crate::codes::{Meaning, meaning};
use crate::contents;
use crate::destination::CometChat;
use crate::failure::{code_of, failure_of};
use crate::lists::{Place, escaped};
use crate::removal;

/// What an answer says.
enum Said {
    /// What was asked for.
    This(Value),
    /// That it is not there.
    Absent,
    /// That it cannot be had or done.
    No { code: String, message: String },
}

#[async_trait]
impl Inspection for CometChat {
    fn pace(&self) -> Pace {
        Pace {
            requests_per_minute: self.other_requests_per_minute,
            in_flight: self.delivery.in_flight,
        }
    }

    fn compared(&self, entity: Entity) -> &'static [&'static str] {
        contents::compared(entity)
    }

    fn expected(&self, record: &Record) -> Expected {
        contents::expected(record)
    }

    fn is_numbered(&self, entity: Entity) -> bool {
        entity == Entity::Messages
    }

    fn listed_in(&self, entity: Entity) -> Option<Entity> {
        (entity == Entity::Members).then_some(Entity::Groups)
    }

    async fn list(
        &self,
        _permit: Permit,
        entity: Entity,
        within: Option<&str>,
        from: Option<&Cursor>,
    ) -> Result<Page, Failure> {
        let place = Place::of(entity, within, from);
        match self.ask(Method::GET, &place.path(), Bytes::new()).await? {
            Said::This(answer) => Ok(place.read(&answer)),
            Said::Absent => Ok(place.absent()),
            Said::No { .. } if matches!(place, Place::Start(_)) => Ok(place.absent()),
            Said::No { code, message } => Err(unlisted(code, message)),
        }
    }

    async fn find(
        &self,
        _permit: Permit,
        entity: Entity,
        id: &str,
    ) -> Result<Option<Item>, Failure> {
        let path = format!("/{}/{}", entity.name(), escaped(id));
        match self.ask(Method::GET, &path, Bytes::new()).await? {
            Said::This(answer) => Ok(answer
                .get("data")
                .and_then(|data| contents::item(entity, data))),
            Said::Absent => Ok(None),
            Said::No { code, message } => Err(unlisted(code, message)),
        }
    }

    async fn remove(&self, _permit: Permit, removal: &Removal) -> Result<Removed, Failure> {
        let Some(step) = removal::step(removal) else {
            return Ok(Removed::Refused {
                code: "UNKNOWN_ID".into(),
                message: "nothing tells how the API knows it".into(),
            });
        };
        let said = self
            .ask(step.method.clone(), &step.path, step.body.clone())
            .await?;
        Ok(match said {
            Said::This(answer) => step.taken(removal, &answer),
            Said::Absent => step.absent(),
            Said::No { code, message } => Removed::Refused { code, message },
        })
    }
}

impl CometChat {
    /// Sends a request to the part of the API that does not import.
    async fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<Said, Failure> {
        match self.transport.ask(method, path, body).await {
            Ok(reply) => read(&reply, Utc::now().timestamp()),
            Err(TransportError::Unreachable(what)) => Err(Failure::Unreachable { what }),
            Err(TransportError::Lost(what)) => Err(Failure::Doubt {
                what,
                foreign: false,
            }),
        }
    }
}

/// Reads an answer. `now` is in UNIX seconds.
fn read(reply: &Reply, now: i64) -> Result<Said, Failure> {
    if (200..300).contains(&reply.status)
        && let Ok(answer @ Value::Object(_)) = serde_json::from_slice::<Value>(&reply.body)
        && answer.get("data").is_some()
    {
        return Ok(Said::This(answer));
    }
    let Some((code, message)) = code_of(reply) else {
        return Err(failure_of(reply, now));
    };
    match code.as_str() {
        "ERR_UID_NOT_FOUND"
        | "ERR_GUID_NOT_FOUND"
        | "ERR_MESSAGE_ID_NOT_FOUND"
        | "ERR_MSG_NOT_FOUND"
        | "ERR_NOT_A_MEMBER"
        | "ERR_GROUP_NOT_JOINED" => Ok(Said::Absent),
        _ if (400..500).contains(&reply.status)
            && !matches!(reply.status, 401 | 403 | 413 | 429)
            && meaning(&code) == Meaning::Refused =>
        {
            Ok(Said::No { code, message })
        }
        _ => Err(failure_of(reply, now)),
    }
}

/// A list that the API does not give will not be given later either.
fn unlisted(code: String, message: String) -> Failure {
    Failure::Stop {
        code,
        message,
        remedy: "the API does not let this be read back; see the code in CometChat's error guide"
            .into(),
    }
}
