//! What becomes of one request.
//!
//! In turn: is the body too long, is there such an endpoint, is the key right, is the limit
//! reached, does a fault strike, and what do its records come to.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response, StatusCode};
use serde::Serialize;

use crate::call::Call;
use crate::chance::Chance;
use crate::change;
use crate::door::{Door, TurnedAway};
use crate::dump;
use crate::failure::Failure;
use crate::fault::Fault;
use crate::import::store;
use crate::limit_headers::{http_date, tell, throttled};
use crate::listing;
use crate::query::Query;
use crate::removal;
use crate::request::{Endpoint, authorize, no_such_key, status_of};
use crate::response::Verdicts;
use crate::settings::{Clock, Keep, Settings};
use crate::state::State;
use crate::strike::{Work, struck};

/// A stand-in for CometChat. Clones are handles to the same one.
#[derive(Clone)]
pub struct Simulator(Arc<Inner>);

struct Inner {
    settings: Settings,
    import: Mutex<Door>,
    /// For what makes or ends users, groups and memberships, and for all the rest.
    other: Mutex<Door>,
    /// What the times of answers are drawn from.
    chance: Mutex<Chance>,
    state: Mutex<State>,
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
    /// Other requests seen: lists, single things, removals.
    pub other_requests: u64,
    /// Of those, the ones answered with 429.
    pub other_throttled: u64,
    /// The most of those within their limits in any 60 seconds.
    pub other_worst_minute: u64,
}

/// An answer, and how it comes.
pub(crate) struct Answer {
    pub(crate) wait: Duration,
    /// `None` closes the connection.
    pub(crate) response: Option<Response<Bytes>>,
    pub(crate) manner: Manner,
}

/// How the body of an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// At once.
    Whole,
    /// In pieces, over this long.
    Slowly(Duration),
    /// Half of it; then the connection closes.
    Broken,
}

impl Simulator {
    /// A service without any records.
    ///
    /// # Errors
    ///
    /// When the temporary file for messages cannot be made. There is none with
    /// [`Keep::Ids`](crate::Keep::Ids).
    pub fn new(settings: Settings) -> io::Result<Self> {
        let window = settings.switches.window;
        let import = [settings.requests_per_minute];
        let other = [
            settings.core_requests_per_minute,
            settings.other_requests_per_minute,
        ];
        let state = State::new(settings.keep, settings.read_delay)?;
        Ok(Self(Arc::new(Inner {
            import: Mutex::new(
                Door::new(IMPORT, &import, window, settings.faults.clone())
                    .over(settings.minute)
                    .with_chance(settings.fault_percent, settings.seed),
            ),
            other: Mutex::new(Door::new(
                OTHER,
                &other,
                window,
                settings.other_faults.clone(),
            )),
            chance: Mutex::new(Chance::of(settings.seed)),
            settings,
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
        let (response, manner) = self.begin(request).await?;
        match manner {
            Manner::Whole => Ok(response),
            Manner::Slowly(time) => {
                tokio::time::sleep(time).await;
                Ok(response)
            }
            Manner::Broken => Err(Dropped),
        }
    }

    /// Answers a request up to its body, which comes in its own manner.
    pub(crate) async fn begin(
        &self,
        request: Request<Bytes>,
    ) -> Result<(Response<Bytes>, Manner), Dropped> {
        let answer = self.decide(&request);
        drop(request);
        if !answer.wait.is_zero() {
            tokio::time::sleep(answer.wait).await;
        }
        let response = answer.response.ok_or(Dropped)?;
        Ok((response, answer.manner))
    }

    /// The header `Date`, if the clock of the service is not the computer's.
    pub(crate) fn date(&self) -> Option<HeaderValue> {
        let now = self.0.settings.clock.now();
        let off = now.abs_diff(Clock::default().now());
        (off > 1).then(|| http_date(now))
    }

    /// Lets a fault strike after those that are waiting for an import.
    pub fn inject(&self, fault: Fault) {
        locked(&self.0.import).faults.push_back(fault);
    }

    /// Lets a fault strike after those that are waiting for any other request.
    pub fn inject_other(&self, fault: Fault) {
        locked(&self.0.other).faults.push_back(fault);
    }

    /// How much was stored and seen so far.
    pub fn counts(&self) -> Counts {
        let count = |number: usize| u64::try_from(number).expect("memory is counted in 64 bits");
        let seen = |door: &Mutex<Door>| {
            let door = locked(door);
            let worst_minute = count(door.worst_minute());
            (door.requests, door.throttled, worst_minute)
        };
        let (requests, throttled, worst_minute) = seen(&self.0.import);
        let (other_requests, other_throttled, other_worst_minute) = seen(&self.0.other);
        let state = locked(&self.0.state);
        Counts {
            users: count(state.users.len()),
            groups: count(state.groups.len()),
            members: count(state.members.len()),
            messages: state.messages.len(),
            order_violations: state.messages.order_violations(),
            requests,
            throttled,
            worst_minute,
            other_requests,
            other_throttled,
            other_worst_minute,
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
                let store = |most, reshape: &dyn Fn(&mut Verdicts)| {
                    let Inner {
                        state, settings, ..
                    } = &*self.0;
                    let mut verdicts = store(state, settings, entity, request.body(), most)?;
                    reshape(&mut verdicts);
                    Ok(verdicts.into_body())
                };
                self.behind(&self.0.import, 0, request, &store)
            }
            Some(Endpoint::Other(call)) => {
                let class = usize::from(!call.is_core());
                let work: &Work<'_> = &|_, _| self.call(&call, request);
                self.behind(&self.0.other, class, request, work)
            }
            Some(Endpoint::Edit) => self.ours(request, "application/json", || {
                let settings = &self.0.settings;
                let edited = change::edit(&mut locked(&self.0.state), settings, request.body());
                Ok(edited.unwrap_or_else(|failure| failure.body()))
            }),
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

    /// Answers at an endpoint of CometChat's, if the request gets through its door.
    fn behind(
        &self,
        door: &Mutex<Door>,
        class: usize,
        request: &Request<Bytes>,
        work: &Work<'_>,
    ) -> Answer {
        let mut answer = self.let_in(door, class, request, work);
        answer.wait +=
            self.0.settings.latency + locked(&self.0.chance).time(self.0.settings.spread);
        answer
    }

    fn let_in(
        &self,
        door: &Mutex<Door>,
        class: usize,
        request: &Request<Bytes>,
        work: &Work<'_>,
    ) -> Answer {
        let settings = &self.0.settings;
        let (allowance, fault) = {
            let mut door = locked(door);
            door.requests += 1;
            if let Err(failure) = authorize(request, settings) {
                return Answer::now(failed(&failure));
            }
            match door.enter(class) {
                Ok(entered) => entered,
                Err(TurnedAway::Revoked) => {
                    return Answer::now(failed(&no_such_key()));
                }
                Err(TurnedAway::Throttled(refusal, told)) => {
                    let what = door.name;
                    drop(door);
                    let now = settings.clock.now();
                    return Answer::now(throttled(what, refusal, told, &settings.switches, now));
                }
            }
        };
        let mut answer = struck(fault, work);
        if let (Some(response), Some(allowance)) = (&mut answer.response, allowance) {
            tell(
                allowance,
                settings.switches.rate_headers,
                response.headers_mut(),
            );
        }
        answer
    }

    /// Does what is asked of the part of the API that does not import.
    fn call(&self, call: &Call, request: &Request<Bytes>) -> Result<Vec<u8>, Failure> {
        let settings = &self.0.settings;
        if settings.keep == Keep::Ids {
            return Err(Failure::new("ERR_API_NOT_FOUND", NOTHING_KEPT));
        }
        let (query, body) = (Query::of(request.uri()), request.body());
        let switches = &settings.switches;
        let state = &mut locked(&self.0.state);
        match call {
            Call::Users => listing::users(state, &query, switches),
            Call::User(uid) => listing::user(state, uid),
            Call::DeleteUser(uid) => removal::delete_user(state, settings, uid, body),
            Call::DeactivateUsers => removal::deactivate(state, settings, body),
            Call::ActivateUsers => removal::activate(state, body),
            Call::Groups => listing::groups(state, &query, switches),
            Call::Group(guid) => listing::group(state, guid),
            Call::DeleteGroup(guid) => removal::delete_group(state, guid),
            Call::Members(guid) => listing::members(state, guid, false, &query, switches),
            Call::BannedUsers(guid) => listing::members(state, guid, true, &query, switches),
            Call::Kick { guid, uid } => removal::kick(state, guid, uid),
            Call::Messages => listing::messages(state, &query, switches),
            Call::Message(id) => listing::message(state, id, switches),
            Call::DeleteMessage(id) => removal::delete_message(state, settings, id, body),
        }
    }
}

/// What a 429 calls imports, and what it calls everything else.
const IMPORT: &str = "data import API";
const OTHER: &str = "this API";

const NOTHING_KEPT: &str = "Only ids are kept here, so there is nothing to read back.";

impl Answer {
    pub(crate) fn now(response: Response<Bytes>) -> Self {
        Self {
            wait: Duration::ZERO,
            response: Some(response),
            manner: Manner::Whole,
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

pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response<Bytes> {
    respond(status, "application/json", body)
}

pub(crate) fn respond(
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
