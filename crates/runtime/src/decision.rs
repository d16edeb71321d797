//! What an answer asks for next: pure functions of what happened.
//!
//! A doubt (a lost answer, a 5xx, an answer that makes no sense) is resolved by sending the same
//! records again: those that were stored are then answered with "already exists". If it fails
//! again, one record may be poison for the whole request, so the request is halved down to it;
//! it is refused with what was seen, and the others live.

use std::time::Duration;

use chatferry_core::{Failure, Outcome, Verdict};

/// How things stand when a request has failed.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// How many records it carried.
    pub records: usize,
    /// How many times these records, as this very set, have been in doubt, this time included.
    pub doubts: u32,
    /// Whether any request has been answered with verdicts since these records were first sent.
    pub answered_since: bool,
    /// Whether the destination itself has ever answered in this run, if only with a failure of its own.
    pub ever_heard: bool,
    /// Whether there is a record that is known to be delivered, to ask for a sign of life with.
    pub can_probe: bool,
    /// How many requests in a row have failed, this one included. Those that were under way
    /// together count as one.
    pub failures_in_a_row: u32,
    /// How many requests in a row came too early, this one included, counted in the same way.
    pub throttles_in_a_row: u32,
    /// How long nothing but failures has been seen.
    pub silent_for: Duration,
}

/// What to do with the records of a failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send the same records again, after a wait.
    Again {
        /// How long to wait at least.
        after: Duration,
    },
    /// Ask for a sign of life: send a record that is known to be delivered, which is answered with
    /// "already exists" if anything is. Then the same records again, after a wait.
    Probe {
        /// How long to wait at least.
        after: Duration,
    },
    /// Send nothing at all for this long, then the same records again.
    Hold {
        /// How long.
        wait: Duration,
    },
    /// Send each half on its own, one after the other.
    Halve,
    /// It is this one record: refuse it with what was seen.
    Blame {
        /// What was seen.
        what: String,
    },
    /// Stop the run: the destination does not answer. The records stay as they are.
    GiveUp {
        /// What was seen.
        what: String,
    },
    /// Stop the run: nothing will succeed until a person acts.
    Stop {
        /// The API's code.
        code: String,
        /// The API's words.
        message: String,
        /// What to do.
        remedy: String,
    },
}

/// What to do with one record of a request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordStep {
    /// That is its outcome.
    Settle(Outcome),
    /// It is in doubt: send it again.
    Doubt(String),
    /// Stop the run: nothing will succeed until a person acts.
    Stop {
        /// The API's code.
        code: String,
        /// The API's words.
        message: String,
        /// What to do.
        remedy: String,
    },
}

/// How long the destination may be silent before the run stops.
const SILENCE: Duration = Duration::from_secs(600);
/// How often a destination that was never heard of is tried before the run stops: the address is
/// probably wrong.
const FIRST_TRIES: u32 = 4;
/// How often records are sent as they are before the request is halved.
const TRIES: u32 = 2;
/// How often one record is sent before it is blamed: a service that fails on one request in ten
/// would else be taken, now and then, for one that fails on a record.
const TRIES_ALONE: u32 = 5;
/// How often records are sent on which somebody else than the API answers, such as a gateway, before
/// they are suspected at all.
const TRIES_BEYOND_A_GATEWAY: u32 = 4;
/// How long a hold lasts when the destination does not say: the first of several in a row, and the
/// longest ("Rate limits": 60 s, doubled each time, up to five minutes).
const HOLDS: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(300));
/// How long a hold lasts at least.
const SHORTEST_HOLD: Duration = Duration::from_secs(1);
/// How long the first wait after a failure is, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What a failed request asks for.
#[must_use]
pub fn after_failure(failure: &Failure, situation: &Situation) -> Step {
    let again = Step::Again {
        after: doubled(WAITS, situation.failures_in_a_row),
    };
    match failure {
        Failure::Throttled { wait } => Step::Hold {
            wait: wait.map_or_else(
                || doubled(HOLDS, situation.throttles_in_a_row),
                |wait| wait.max(SHORTEST_HOLD),
            ),
        },
        Failure::Stop {
            code,
            message,
            remedy,
        } => Step::Stop {
            code: code.clone(),
            message: message.clone(),
            remedy: remedy.clone(),
        },
        Failure::TooLarge if situation.records > 1 => Step::Halve,
        Failure::TooLarge => Step::Blame {
            what: "the request is too large".into(),
        },
        Failure::Unreachable { what } => {
            let tries_are_up = !situation.ever_heard && situation.failures_in_a_row >= FIRST_TRIES;
            if tries_are_up || situation.silent_for >= SILENCE {
                return Step::GiveUp { what: what.clone() };
            }
            again
        }
        Failure::Doubt { what, foreign } => {
            let wrong_address =
                *foreign && !situation.ever_heard && situation.failures_in_a_row >= FIRST_TRIES;
            if wrong_address || situation.silent_for >= SILENCE {
                return Step::GiveUp { what: what.clone() };
            }
            in_doubt(what, *foreign, situation)
        }
    }
}

/// What records in doubt ask for.
fn in_doubt(what: &str, foreign: bool, situation: &Situation) -> Step {
    // Where others are answered it is not the service that needs time.
    let after = match situation.answered_since {
        true => doubled(WAITS, situation.doubts),
        false => doubled(WAITS, situation.failures_in_a_row),
    };
    let tries = match situation.records {
        1 => TRIES_ALONE,
        _ if foreign && !situation.answered_since => TRIES_BEYOND_A_GATEWAY,
        _ => TRIES,
    };
    match situation.records {
        _ if situation.doubts < tries => Step::Again { after },
        1 if situation.answered_since => Step::Blame { what: what.into() },
        _ if situation.answered_since => Step::Halve,
        // It may be these records or an outage, and everything else may be waiting for them.
        _ if situation.can_probe => Step::Probe { after },
        2.. if !foreign => Step::Halve,
        _ => Step::Again { after },
    }
}

/// What a verdict asks for, or its absence.
#[must_use]
pub fn after_verdict(verdict: Option<Verdict>) -> RecordStep {
    match verdict {
        Some(Verdict::Imported { remote }) => RecordStep::Settle(Outcome::Imported { remote }),
        Some(Verdict::Present) => RecordStep::Settle(Outcome::Present),
        Some(Verdict::Refused { code, message }) => {
            RecordStep::Settle(Outcome::Refused { code, message })
        }
        Some(Verdict::Doubt { code }) => RecordStep::Doubt(code),
        Some(Verdict::Stop {
            code,
            message,
            remedy,
        }) => RecordStep::Stop {
            code,
            message,
            remedy,
        },
        None => RecordStep::Doubt("NO_VERDICT".into()),
    }
}

/// How long to wait the so-manieth time in a row: twice as long each time, between the first and the
/// longest.
fn doubled((first, longest): (Duration, Duration), times: u32) -> Duration {
    let doublings = times.saturating_sub(1).min(10);
    (first * 2_u32.pow(doublings)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Situation = Situation {
        records: 50,
        doubts: 1,
        answered_since: false,
        ever_heard: true,
        can_probe: false,
        failures_in_a_row: 1,
        throttles_in_a_row: 0,
        silent_for: Duration::ZERO,
    };

    fn doubt() -> Failure {
        Failure::Doubt {
            what: "HTTP 500".into(),
            foreign: false,
        }
    }

    fn foreign() -> Failure {
        Failure::Doubt {
            what: "HTTP 502 from a web page".into(),
            foreign: true,
        }
    }

    fn unreachable() -> Failure {
        Failure::Unreachable {
            what: "connection refused".into(),
        }
    }

    fn again(seconds: u64) -> Step {
        Step::Again {
            after: Duration::from_secs(seconds),
        }
    }

    #[test]
    fn each_failure_in_each_situation_has_its_step() {
        let blame = || Step::Blame {
            what: "HTTP 500".into(),
        };
        let give_up = |what: &str| Step::GiveUp { what: what.into() };
        let probe = |seconds| Step::Probe {
            after: Duration::from_secs(seconds),
        };
        let long = Duration::from_secs(601);
        let table: Vec<(&str, Failure, Situation, Step)> = vec![
            ("a doubt is sent again", doubt(), FIRST, again(1)),
            (
                "a second doubt is halved",
                doubt(),
                Situation {
                    doubts: 2,
                    failures_in_a_row: 2,
                    ..FIRST
                },
                Step::Halve,
            ),
            (
                "a lone record is tried again first",
                doubt(),
                Situation {
                    records: 1,
                    answered_since: true,
                    ..FIRST
                },
                again(1),
            ),
            (
                "a lone record is blamed when others were answered, and not at once",
                doubt(),
                Situation {
                    records: 1,
                    doubts: 5,
                    answered_since: true,
                    ..FIRST
                },
                blame(),
            ),
            (
                "a lone record is not blamed for an outage",
                doubt(),
                Situation {
                    records: 1,
                    doubts: 7,
                    failures_in_a_row: 7,
                    ..FIRST
                },
                again(60),
            ),
            (
                "unless there is a way to tell them apart",
                doubt(),
                Situation {
                    records: 1,
                    doubts: 5,
                    can_probe: true,
                    ..FIRST
                },
                Step::Probe {
                    after: Duration::from_secs(1),
                },
            ),
            (
                "a gateway's page is not a record's fault",
                foreign(),
                Situation {
                    doubts: 5,
                    failures_in_a_row: 3,
                    ..FIRST
                },
                again(4),
            ),
            (
                "a gateway's page may be, when others were answered",
                foreign(),
                Situation {
                    doubts: 2,
                    answered_since: true,
                    ..FIRST
                },
                Step::Halve,
            ),
            (
                "records are not suspected of an outage",
                doubt(),
                Situation {
                    doubts: 2,
                    can_probe: true,
                    ..FIRST
                },
                probe(1),
            ),
            (
                "but are once something else was answered",
                doubt(),
                Situation {
                    doubts: 2,
                    answered_since: true,
                    can_probe: true,
                    ..FIRST
                },
                Step::Halve,
            ),
            (
                "a gateway that fails on what everything waits for is asked about something else",
                foreign(),
                Situation {
                    records: 1,
                    doubts: 5,
                    can_probe: true,
                    failures_in_a_row: 3,
                    ..FIRST
                },
                probe(4),
            ),
            (
                "but has some time first",
                foreign(),
                Situation {
                    doubts: 3,
                    can_probe: true,
                    ..FIRST
                },
                again(1),
            ),
            (
                "a lone record has more tries than several, each later than the one before",
                doubt(),
                Situation {
                    records: 1,
                    doubts: 4,
                    answered_since: true,
                    failures_in_a_row: 12,
                    ..FIRST
                },
                again(8),
            ),
            (
                "silence ends the run",
                doubt(),
                Situation {
                    silent_for: long,
                    ..FIRST
                },
                give_up("HTTP 500"),
            ),
            (
                "an unreachable API is tried again",
                unreachable(),
                Situation {
                    failures_in_a_row: 9,
                    ..FIRST
                },
                again(60),
            ),
            (
                "for ten minutes",
                unreachable(),
                Situation {
                    silent_for: long,
                    ..FIRST
                },
                give_up("connection refused"),
            ),
            (
                "but not if it never answered",
                unreachable(),
                Situation {
                    ever_heard: false,
                    failures_in_a_row: 4,
                    ..FIRST
                },
                give_up("connection refused"),
            ),
            (
                "nor if a web page answers instead",
                foreign(),
                Situation {
                    ever_heard: false,
                    failures_in_a_row: 4,
                    ..FIRST
                },
                give_up("HTTP 502 from a web page"),
            ),
            (
                "poison in the first request is still found",
                doubt(),
                Situation {
                    ever_heard: false,
                    doubts: 2,
                    failures_in_a_row: 4,
                    ..FIRST
                },
                Step::Halve,
            ),
            (
                "a throttle holds everybody",
                Failure::Throttled {
                    wait: Some(Duration::from_secs(7)),
                },
                FIRST,
                Step::Hold {
                    wait: Duration::from_secs(7),
                },
            ),
            (
                "for a minute if not told",
                Failure::Throttled { wait: None },
                FIRST,
                Step::Hold {
                    wait: Duration::from_secs(60),
                },
            ),
            (
                "for longer each time",
                Failure::Throttled { wait: None },
                Situation {
                    throttles_in_a_row: 2,
                    ..FIRST
                },
                Step::Hold {
                    wait: Duration::from_secs(120),
                },
            ),
            (
                "but no longer than five minutes",
                Failure::Throttled { wait: None },
                Situation {
                    throttles_in_a_row: 20,
                    ..FIRST
                },
                Step::Hold {
                    wait: Duration::from_secs(300),
                },
            ),
            (
                "and for a moment at least",
                Failure::Throttled {
                    wait: Some(Duration::ZERO),
                },
                FIRST,
                Step::Hold {
                    wait: Duration::from_secs(1),
                },
            ),
            (
                "too large is halved at once",
                Failure::TooLarge,
                FIRST,
                Step::Halve,
            ),
            (
                "down to the record",
                Failure::TooLarge,
                Situation {
                    records: 1,
                    ..FIRST
                },
                Step::Blame {
                    what: "the request is too large".into(),
                },
            ),
        ];
        for (case, failure, situation, step) in table {
            assert_eq!(after_failure(&failure, &situation), step, "{case}");
        }
        let stop = Failure::Stop {
            code: "AUTH".into(),
            message: "m".into(),
            remedy: "r".into(),
        };
        assert!(matches!(after_failure(&stop, &FIRST), Step::Stop { .. }));
    }

    #[test]
    fn each_verdict_has_its_outcome() {
        let refused = Outcome::Refused {
            code: "E".into(),
            message: "m".into(),
        };
        let stop = Verdict::Stop {
            code: "E".into(),
            message: "m".into(),
            remedy: "r".into(),
        };
        let doubtful = "ERR_OPERATION_FAILED";
        for (verdict, step) in [
            (
                Some(Verdict::Imported { remote: None }),
                RecordStep::Settle(Outcome::Imported { remote: None }),
            ),
            (Some(Verdict::Present), RecordStep::Settle(Outcome::Present)),
            (
                Some(Verdict::Refused {
                    code: "E".into(),
                    message: "m".into(),
                }),
                RecordStep::Settle(refused),
            ),
            (
                Some(Verdict::Doubt {
                    code: doubtful.into(),
                }),
                RecordStep::Doubt(doubtful.into()),
            ),
            (None, RecordStep::Doubt("NO_VERDICT".into())),
            (
                Some(stop),
                RecordStep::Stop {
                    code: "E".into(),
                    message: "m".into(),
                    remedy: "r".into(),
                },
            ),
        ] {
            assert_eq!(after_verdict(verdict), step);
        }
    }
}
