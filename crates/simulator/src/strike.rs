//! What a fault does to a request.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::failure::Failure;
use crate::fault::Fault;
use crate::response::Verdicts;
use crate::simulator::{Answer, Manner, failed, json, respond};

/// What an endpoint does with at most so many records, and how its verdicts are changed: the body
/// of the answer.
pub(crate) type Work<'w> = dyn Fn(usize, &dyn Fn(&mut Verdicts)) -> Result<Vec<u8>, Failure> + 'w;

/// Answers a request that a fault strikes, if only [`Fault::Nothing`].
pub(crate) fn struck(fault: Fault, work: &Work<'_>) -> Answer {
    let reshaped = |most, reshape: &dyn Fn(&mut Verdicts)| match work(most, reshape) {
        Ok(body) => json(StatusCode::OK, body),
        Err(failure) => failed(&failure),
    };
    let stored = || reshaped(usize::MAX, &|_| {});
    let stored_but = |reshape: &dyn Fn(&mut Verdicts)| Answer::now(reshaped(usize::MAX, reshape));
    match fault {
        // The door turns away for some, and changes the limit for another.
        Fault::Nothing | Fault::Throttle { .. } | Fault::Revoke(_) | Fault::Limit(_) => {
            Answer::now(stored())
        }
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
            let failure = work(records, &|_| {}).err();
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
        Fault::MissingIds(count) => stored_but(&|verdicts| verdicts.forget_first(count)),
        Fault::ExtraIds(count) => stored_but(&|verdicts| verdicts.invent(count)),
        Fault::RecasedIds => stored_but(&Verdicts::upper_case),
        Fault::ReorderedIds => stored_but(&Verdicts::reverse),
        Fault::Hang(wait) => Answer {
            wait,
            ..Answer::now(stored())
        },
        Fault::SlowBody(time) => Answer {
            manner: Manner::Slowly(time),
            ..Answer::now(stored())
        },
        Fault::BrokenBody => Answer {
            manner: Manner::Broken,
            ..Answer::now(stored())
        },
        Fault::ConnectionReset { stored: whether } => {
            if whether {
                stored();
            }
            Answer {
                wait: Duration::ZERO,
                response: None,
                manner: Manner::Whole,
            }
        }
    }
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
