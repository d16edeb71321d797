//! What becomes of one request.
//!
//! In turn: is the body too long, is there such an endpoint, is the key right, is the limit
//! reached, does a fault strike, and what do its records come to.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use serde::Serialize;
use tokio::time::Instant;

use crate::dump;
use crate::failure::Failure;
use crate::fault::{Fault, Told};
use crate::import::store;
use crate::limit::{Allowance, Limit, Throttled};
use crate::limit_headers::{tell, throttled};
use crate::request::{Endpoint, Entity, authorize, status_of};
use crate::response::Verdicts;
use crate::settings::Settings;
use crate::state::State;

/// A stand-in for CometChat. Clones are handles to the same one.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    settings: Settings,
    door: Mutex<Door>,
    state: Mutex<State>,
}

/// What a request passes before its body is looked at.
struct Door {
    limit: Limit,
    faults: VecDeque<Fault>,
    requests: u64,
    throttled: u64,
}

/// The connection was closed without an answer, as [`Fault::ConnectionReset`] asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connection closed without an answer")]
pub struct Dropped;

/// How much was stored and seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Users stored.
    pub users: u64,
    /// Groups stored.
    pub groups: u64,
    /// Members stored, banned ones included.
    pub members: u64,
    /// Messages stored.
    pub messages: u64,
    /// Messages stored after a newer one of the same conversation.
    pub order_violations: u64,
    /// Import requests seen, whatever became of them, except those with too long a body.
    pub requests: u64,
    /// Import requests answered with 429.
    pub throttled: u64,
    /// The most import requests within the limit in any 60 seconds.
    pub worst_minute: u64,
}

/// An answer, and how long it takes.
struct Answer {
    wait: Duration,
    response: Result<Response<Bytes>, Dropped>,
}

impl Simulator {
    /// A service without any records.
    ///
    /// # Errors
    ///
    /// When the temporary file for messages cannot be made. There is none with
    /// [`Keep::Ids`](crate::Keep::Ids).
    pub fn new(settings: Settings) -> io::Result<Self> {
        let door = Door {
            limit: Limit::new(settings.requests_per_minute, settings.switches.window),
            faults: settings.faults.clone(),
            requests: 0,
            throttled: 0,
        };
        let state = State::new(settings.keep)?;
        Ok(Self(Arc::new(Inner {
            settings,
            door: Mutex::new(door),
            state: Mutex::new(state),
        })))
    }

    /// Answers a request, after the latency that was set.
    ///
    /// What is stored is stored before any waiting: a caller who gives up on an answer finds its
    /// records there.
    ///
    /// # Errors
    ///
    /// When a [`Fault::ConnectionReset`] struck. Everything else, bad requests included, is an
    /// answer.
    pub async fn answer(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Dropped> {
        let answer = self.decide(&request);
        drop(request);
        if !answer.wait.is_zero() {
            tokio::time::sleep(answer.wait).await;
        }
        answer.response
    }

    /// Lets a fault strike after those that are waiting.
    pub fn inject(&self, fault: Fault) {
        locked(&self.0.door).faults.push_back(fault);
    }

    /// How much was stored and seen so far.
    pub fn counts(&self) -> Counts {
        let count = |number: usize| u64::try_from(number).expect("memory is counted in 64 bits");
        let (requests, throttled, worst_minute) = {
            let door = locked(&self.0.door);
            (
                door.requests,
                door.throttled,
                count(door.limit.worst_minute()),
            )
        };
        let state = locked(&self.0.state);
        Counts {
            users: count(state.users.things().len()),
            groups: count(state.groups.things().len()),
            members: count(state.members.things().len()),
            messages: state.messages.len(),
            order_violations: state.messages.order_violations(),
            requests,
            throttled,
            worst_minute,
        }
    }

    /// How many messages were stored after a newer one of the same conversation, by `sentAt`.
    pub fn order_violations(&self) -> u64 {
        locked(&self.0.state).messages.order_violations()
    }

    /// Writes everything that is stored as JSON lines, `{"entity":"users","record":{…}}`: users,
    /// groups, members, messages, each in the order in which they were stored.
    ///
    /// A message is without the `entities` its answer had. With [`Keep::Ids`](crate::Keep::Ids)
    /// nothing is written.
    ///
    /// # Errors
    ///
    /// When `to` cannot be written to, or the temporary file not read.
    pub fn dump(&self, to: &mut impl Write) -> io::Result<()> {
        dump::dump(&self.0.state, to)
    }

    /// Bytes a body may have.
    pub(crate) fn max_body(&self) -> usize {
        self.0.settings.max_body
    }

    /// The answer to a body that is too long to be read.
    pub(crate) fn too_long(&self) -> Response<Bytes> {
        let most = self.max_body();
        let failure = Failure::bad_request(format!(
            "The request body may not be greater than {most} bytes."
        ));
        json(StatusCode::PAYLOAD_TOO_LARGE, failure.body())
    }

    fn decide(&self, request: &Request<Bytes>) -> Answer {
        if request.body().len() > self.max_body() {
            return Answer::now(self.too_long());
        }
        match Endpoint::of(request.method(), request.uri().path()) {
            None => {
                let text = "The API endpoint is invalid. Please verify the API call.";
                Answer::now(failed(&Failure::new("ERR_API_NOT_FOUND", text)))
            }
            Some(Endpoint::Import(entity)) => {
                let mut answer = self.import(entity, request);
                answer.wait += self.0.settings.latency;
                answer
            }
            Some(Endpoint::Dump) => self.ours(request, "application/x-ndjson", || {
                let mut lines = Vec::new();
                self.dump(&mut lines).map(|()| lines)
            }),
            Some(Endpoint::Counts) => self.ours(request, "application/json", || {
                Ok(serde_json::to_vec(&self.counts()).expect("numbers are always JSON"))
            }),
        }
    }

    /// Answers at an endpoint that is not CometChat's. A key is asked for only if one is set.
    fn ours(
        &self,
        request: &Request<Bytes>,
        content_type: &'static str,
        body: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> Answer {
        let settings = &self.0.settings;
        if settings.api_key.is_some()
            && let Err(failure) = authorize(request, settings)
        {
            return Answer::now(failed(&failure));
        }
        Answer::now(match body() {
            Ok(body) => respond(StatusCode::OK, content_type, body),
            Err(error) => {
                tracing::error!(%error, "cannot read the temporary file of messages");
                let text = "The operation failed, please try again.";
                failed(&Failure::new("ERR_OPERATION_FAILED", text))
            }
        })
    }

    fn import(&self, entity: Entity, request: &Request<Bytes>) -> Answer {
        let settings = &self.0.settings;
        let (allowance, fault) = {
            let mut door = locked(&self.0.door);
            door.requests += 1;
            if let Err(failure) = authorize(request, settings) {
                return Answer::now(failed(&failure));
            }
            match door.enter() {
                Ok(entered) => entered,
                Err((refusal, told)) => {
                    drop(door);
                    let now = settings.clock.now();
                    return Answer::now(throttled(refusal, told, &settings.switches, now));
                }
            }
        };
        let mut answer = self.struck(fault, entity, request.body());
        if let (Ok(response), Some(allowance)) = (&mut answer.response, allowance) {
            tell(
                allowance,
                settings.switches.rate_headers,
                response.headers_mut(),
            );
        }
        answer
    }

    /// Answers a request that a fault strikes, if only [`Fault::Nothing`].
    fn struck(&self, fault: Fault, entity: Entity, body: &[u8]) -> Answer {
        let settings = &self.0.settings;
        let stored = || match store(&self.0.state, settings, entity, body, usize::MAX) {
            Ok(verdicts) => json(StatusCode::OK, verdicts.into_body()),
            Err(failure) => failed(&failure),
        };
        let reshaped = |reshape: &dyn Fn(&mut Verdicts)| {
            Answer::now(
                match store(&self.0.state, settings, entity, body, usize::MAX) {
                    Ok(mut verdicts) => {
                        reshape(&mut verdicts);
                        json(StatusCode::OK, verdicts.into_body())
                    }
                    Err(failure) => failed(&failure),
                },
            )
        };
        match fault {
            Fault::Nothing | Fault::Throttle { .. } => Answer::now(stored()),
            Fault::Status(status, body) if body.is_empty() => Answer::now(plain_failure(status)),
            Fault::Status(status, body) => {
                let content_type = match body.trim_start().starts_with(['{', '[']) {
                    true => "application/json",
                    false => "text/plain",
                };
                Answer::now(respond(
                    status_code(status),
                    content_type,
                    body.into_bytes(),
                ))
            }
            Fault::StatusAfterStoring(status) => {
                stored();
                Answer::now(plain_failure(status))
            }
            Fault::StoreSomeThen500(records) => {
                let failure = store(&self.0.state, settings, entity, body, records).err();
                Answer::now(failed(&failure.unwrap_or_else(Failure::exception)))
            }
            Fault::HtmlBody => {
                let page = "<html><head><title>502 Bad Gateway</title></head>\
                            <body><h1>502 Bad Gateway</h1></body></html>";
                Answer::now(respond(StatusCode::BAD_GATEWAY, "text/html", page.into()))
            }
            Fault::TruncatedJson => {
                let mut response = stored();
                let half = response.body().len() / 2;
                response.body_mut().truncate(half);
                Answer::now(response)
            }
            Fault::MissingIds(count) => reshaped(&|verdicts| verdicts.forget_first(count)),
            Fault::RecasedIds => reshaped(&Verdicts::upper_case),
            Fault::ReorderedIds => reshaped(&Verdicts::reverse),
            Fault::Hang(wait) => Answer {
                wait,
                response: Ok(stored()),
            },
            Fault::ConnectionReset { stored: whether } => {
                if whether {
                    stored();
                }
                Answer {
                    wait: Duration::ZERO,
                    response: Err(Dropped),
                }
            }
        }
    }
}

impl Door {
    /// Lets a request in, with what is left of the limit and the fault that strikes it.
    fn enter(&mut self) -> Result<(Option<Allowance>, Fault), (Throttled, Option<Told>)> {
        if let Some(Fault::Throttle { wait, told }) = self.faults.front() {
            let refusal = (
                Throttled {
                    limit: self.limit.told(),
                    wait: *wait,
                },
                Some(*told),
            );
            self.faults.pop_front();
            self.throttled += 1;
            return Err(refusal);
        }
        match self.limit.enter(Instant::now()) {
            Ok(allowance) => Ok((allowance, self.faults.pop_front().unwrap_or(Fault::Nothing))),
            Err(throttled) => {
                self.throttled += 1;
                Err((throttled, None))
            }
        }
    }
}

impl Answer {
    fn now(response: Response<Bytes>) -> Self {
        Self {
            wait: Duration::ZERO,
            response: Ok(response),
        }
    }
}

/// Locks, even after a panic elsewhere: no section that holds a lock leaves half a change behind.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An answer that is a failure of the request as a whole.
pub(crate) fn failed(failure: &Failure) -> Response<Bytes> {
    json(status_of(failure), failure.body())
}

/// An answer with a status that was asked for and CometChat's body for a failure.
fn plain_failure(status: u16) -> Response<Bytes> {
    json(status_code(status), Failure::exception().body())
}

/// A status; those that no answer can have become 500.
fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status)
        .ok()
        .filter(|code| !code.is_informational())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn json(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    respond(status, "application/json", body)
}

fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
