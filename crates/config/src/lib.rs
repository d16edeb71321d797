//! The pipeline file: from text to a plan.
//!
//! [`read`] takes the text, the environment and the [`Registry`] of connectors, and gives a
//! [`Pipeline`], or every mistake in the file at once, each with the place where it stands. It
//! opens no file and no socket and asks no clock, so it can be run on every save. [`report`]
//! shows mistakes to a person. [`schema`](schema()) tells editors what may stand in a file, which
//! `survey` finds out by having the same code read no file at all.
//!
//! A text goes through these modules in this order:
//!
//! 1. `document` parses it into values that know where they were written, and lays what
//!    [`Override`]s say over them;
//! 2. `pipeline` walks the document: [`section`] reads one table key by key, [`node`] one value;
//!    the [`registry`] knows who reads the tables of connectors; `flow` and `fields` read what
//!    becomes an entity, `views` the named queries, [`attachments`] where files go;
//! 3. `interpolate` puts the environment into texts, [`units`] reads sizes and durations;
//!    [`suggest`] finds what a person may have meant.

pub mod attachments;
pub mod database;
mod document;
mod excerpt;
mod fields;
mod flow;
mod interpolate;
pub mod node;
mod overrides;
mod pipeline;
pub mod registry;
pub mod report;
mod schema;
pub mod section;
pub mod suggest;
mod survey;
mod syntax;
mod tables;
pub mod units;
mod views;

pub use attachments::Attachments;
pub use node::{Node, Setting, Shape};
pub use overrides::Override;
pub use pipeline::{EngineSettings, NamedSource, Pipeline, Read, Reading, read};
pub use registry::{DestinationKind, PlanSource, Registry, SourceKind, StandIn};
pub use report::{Report, render};
pub use schema::schema;
pub use section::Section;
