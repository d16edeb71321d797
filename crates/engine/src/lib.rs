//! The only crate that knows DataFusion: sources as tables, views, flows and their fields,
//! functions, ordering, spilling.
//!
//! [`Engine`] holds the sources and views of a pipeline. It plans a flow without reading a row
//! ([`Engine::plan`]), which finds every mistake in its SQL and every field whose type does not
//! fit the entity; and the plan gives the flow's rows ([`FlowPlan::shape`]),
//! or a few of them beside what becomes of each ([`FlowPlan::look`]).

mod bookmarks;
mod engine;
mod failure;
mod fit;
mod flow;
pub mod functions;
mod known;
mod look;
mod memory;
mod merge;
mod nulls;
mod order;
mod position;
mod pushdown;
mod shape;
mod sql;
mod table;

pub use engine::{Engine, PlanError, TableColumn};
pub use fit::in_words;
pub use flow::{Column, FlowPlan};
pub use look::{Choice, Rewritten, Seen, SeenStream};
