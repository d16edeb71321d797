//! What reasons mean, and what a person can do about them.

use chatferry_cometchat::{codes, rules};
use chatferry_core::OutcomeKind;

use crate::catalogue;

/// What rows ended for, by the names that are not the destination's own: a name, what it means,
/// and what to do.
const OURS: &[(&str, &str, &str)] = &[
    (
        "malformed",
        "the source could not read the row",
        "`chatferry plan` names the place; correct the source, or accept the loss",
    ),
    (
        "truncated",
        "the source ends within the row",
        "`chatferry plan` names the place; correct the source, or accept the loss",
    ),
    (
        "duplicate-key",
        "the row has a key twice",
        "`chatferry plan` names the place; correct the source, or accept the loss",
    ),
    (
        "record-too-long",
        "the row is longer than the source takes",
        "`chatferry plan` names the place; correct the source, or accept the loss",
    ),
    (
        "type-mismatch",
        "a value is not of its column's type",
        "`chatferry plan` names the place; correct the source, or accept the loss",
    ),
    (
        "expression-failed",
        "an expression of the flow failed on the row",
        "`chatferry plan` names the field; make the expression accept such values",
    ),
    (
        "duplicate-id",
        "another row of the same run has the same id",
        "two rows have one id; leave one out in a view",
    ),
    (
        "unknown-reference",
        "it refers to a user or group that no flow delivers",
        "import what it refers to in a flow, or set references = \"trust\" if it is in the app",
    ),
];

/// Every reason for which a row may not be delivered, and every code of the API: the names that
/// [`meaning`] and [`advice`] know, and `blocked` for all that is.
pub fn all() -> impl Iterator<Item = &'static str> {
    let ours = OURS.iter().map(|(name, ..)| *name);
    let rules = rules::ALL.iter().map(|rule| rule.name);
    let codes = codes::ALL.iter().map(|known| known.code);
    ours.chain(rules)
        .chain(codes)
        .chain([OutcomeKind::Blocked.name()])
}

fn ours(reason: &str) -> Option<&'static (&'static str, &'static str, &'static str)> {
    OURS.iter().find(|(name, ..)| *name == reason)
}

fn rule(reason: &str) -> Option<&'static rules::Rule> {
    rules::ALL.iter().find(|known| known.name == reason)
}

/// What to type to have more said of these reasons: an example of it, with the first of them that
/// there is more to say of.
#[must_use]
pub fn more_on<'r>(reasons: impl IntoIterator<Item = (OutcomeKind, &'r str)>) -> Option<String> {
    let code = |(kind, reason): (OutcomeKind, &'r str)| match kind {
        OutcomeKind::Imported | OutcomeKind::Present => None,
        OutcomeKind::Blocked => catalogue::find(kind.name()),
        OutcomeKind::Skipped | OutcomeKind::Rejected | OutcomeKind::Refused => {
            catalogue::find(reason)
        }
    };
    let code = reasons.into_iter().find_map(code)?.code;
    Some(format!("more on a reason: chatferry explain {code}\n"))
}

/// What it means that rows ended so, as far as that is known.
#[must_use]
pub fn meaning(kind: OutcomeKind, reason: &str) -> Option<&'static str> {
    match kind {
        OutcomeKind::Rejected | OutcomeKind::Skipped => ours(reason)
            .map(|(_, meaning, _)| *meaning)
            .or_else(|| rule(reason).map(|rule| rule.demands)),
        OutcomeKind::Refused => codes::about(reason),
        OutcomeKind::Blocked => Some("a user or group that it refers to could not be delivered"),
        OutcomeKind::Imported | OutcomeKind::Present => None,
    }
}

/// What a person can do about rows that ended so.
#[must_use]
pub fn advice(kind: OutcomeKind, reason: &str) -> Option<&'static str> {
    match kind {
        OutcomeKind::Rejected => ours(reason)
            .map(|(_, _, remedy)| *remedy)
            .or_else(|| rule(reason).map(|rule| rule.remedy)),
        OutcomeKind::Skipped => rule(reason).map(|rule| rule.remedy),
        OutcomeKind::Refused => Some(codes::remedy(reason)),
        OutcomeKind::Blocked => {
            Some("what it refers to was rejected or refused; settle that first")
        }
        OutcomeKind::Imported | OutcomeKind::Present => None,
    }
}
