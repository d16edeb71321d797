//! What a plan or a run has come to: as text for a terminal, as JSON for programs, and as a page
//! that can be handed on.
//!
//! Nothing here prints or writes a file; everything gives text. [`words`] is how numbers,
//! durations and lines are written; [`account`] is the table that a plan and a run have in common;
//! [`plan`] tells a forecast and [`run`] what was done, [`progress`] how it comes along and [`pace`] how fast it was; [`html`] makes the pages.
//!
//! What to do about a reason is known by whoever knows the destination, and is given along as
//! [`Advice`].

pub mod account;
pub mod html;
pub mod pace;
pub mod plan;
pub mod progress;
pub mod run;
pub mod words;

use chatferry_core::OutcomeKind;

/// What a person can do about rows that ended so, for a reason of that name.
pub type Advice = fn(OutcomeKind, &str) -> Option<&'static str>;

/// Writes a title, such as in bold on a terminal.
pub type Title<'a> = &'a dyn Fn(&str) -> String;
