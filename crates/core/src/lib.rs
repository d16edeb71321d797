//! The words of chatferry as types and traits. No input, no output.
//!
//! One record's life, in the order of these modules:
//!
//! 1. a [`source`] gives the rows of a table as Arrow batches, those that a [`filter`] keeps;
//! 2. a [`plan`] says which view or table feeds which [`entity`], one SQL expression per [`field`];
//! 3. what comes out is [`shaped`]: rows as the entity wants them, beside those that could not be;
//! 4. a [`destination`] turns shaped rows into [`record`]s, asks where their [`files`] are by now,
//!    sends them under a permit and tells what became of each;
//! 5. which is its [`outcome`], and the outcomes of all rows make the [`account`];
//! 6. an [`inspection`] tells what the destination holds in the end, and takes it away again.
//!
//! This crate depends on no other crate of chatferry; every other one depends on it.

pub mod account;
pub mod bookmark;
pub mod cache;
pub mod delivery;
pub mod destination;
pub mod entity;
pub mod field;
pub mod files;
pub mod filter;
pub mod inspection;
pub mod json;
pub mod lineage;
pub mod mistake;
pub mod outcome;
pub mod place;
pub mod plan;
pub mod record;
pub mod secret;
pub mod shaped;
pub mod source;

pub use account::{Account, FlowAccount};
pub use bookmark::Bookmark;
pub use delivery::{Delivery, FailureBudget, MessageOrder};
pub use destination::{Answer, Destination, Failure, Permit, Prepared, Receipt, Verdict};
pub use entity::Entity;
pub use field::{Field, Kind};
pub use files::{Declared, Files, Whereabouts};
pub use filter::{Comparison, Filter, Operand};
pub use inspection::{
    Contents, Cursor, Expected, Inspection, Item, Pace, Page, Removal, Removed, Told,
};
pub use lineage::{Lineage, LineageChange};
pub use mistake::{Mistake, Severity, Span};
pub use outcome::{Outcome, OutcomeKind};
pub use place::Place;
pub use plan::{
    FieldEntry, FieldValue, Flow, Placeholders, References, Skip, Sql, Value, Variables, View,
};
pub use record::{Key, Origin, Record, RecordId, Reference};
pub use secret::Secret;
pub use shaped::{RejectedRow, Shaped, ShapedStream, Since, SkippedRows};
pub use source::{
    Batch, BatchStream, Order, Rows, Scan, Source, SourceError, SourceErrorKind, SourceSettings,
    Table,
};
