//! A first pipeline for a chat that nobody has described.
//!
//! What a source says of its tables, and some of their rows, goes in; a pipeline file comes out, and
//! why each choice was made. Nothing is read or written here.
//!
//! 1. `seen` is a table as it was described, with some of its values; `values` tells what these look
//!    like: times and their unit, yes and no, addresses.
//! 2. `words` knows what people call things; `columns` finds a table's column for some purpose.
//! 3. `tables` finds what each table is for, and `parts` which of its columns are what.
//! 4. `chat` puts the tables together: who refers to whom, and what is between two people.
//! 5. `write` makes the pipeline file, with the views of `views` and the flows of `flows`; `sql`
//!    writes names as SQL takes them.
//! 6. `known` are the systems for which there are pipelines already; `documents` are files by which some
//!    of them are known.

mod chat;
mod columns;
mod documents;
mod flows;
mod known;
mod parts;
mod seen;
mod sql;
mod tables;
mod values;
mod views;
mod words;
mod write;

pub use chat::{Chat, Reason, propose};
pub use documents::{BEGINNING, Document};
pub use known::{KNOWN, System, recognised, recognised_by};
pub use seen::{Column, Kind, Seen};
pub use tables::{Candidate, Chosen, Role, candidates};
pub use write::{Place, written};
