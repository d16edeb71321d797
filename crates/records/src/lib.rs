//! JSON text as tables, wherever the text comes from.
//!
//! A text's way, in the order of these modules:
//!
//! 1. `options` says what a person may write of a table; `chatferry_files` opens what it is read
//!    from as decompressed bytes;
//! 2. `input` makes sure that these are text; `window` holds the part that is in memory;
//!    `splitter` finds where records end, in `lines` or in a `document`, and what stands `around`
//!    them; `pieces` does so for all files of a table;
//! 3. [`describe`] reads a table once: on all processors, `parcel` by parcel, `infer` finds out the
//!    `kind` of each column, with the help of `seen`, `number` and `extended`, and whether it ever
//!    descends;
//! 4. [`read`] reads it again, in `scan`: of each parcel `decode` makes Arrow columns, each a
//!    `column` of numbers, texts or times of the `calendar`; both read records by the `scanner`, which tells
//!    each `key` from others, and
//!    `syntax` says what is wrong with those that cannot be read.
//!
//! Everything here blocks, and belongs on a thread that may.

#[cfg(test)]
mod arbitrary;
mod around;
mod calendar;
mod column;
mod decode;
mod describe;
mod document;
mod extended;
mod infer;
mod input;
mod key;
mod kind;
mod lines;
mod number;
mod options;
mod parcel;
mod pieces;
mod scan;
mod scanner;
mod seen;
mod splitter;
mod syntax;
mod window;

pub use around::Parent;
pub use describe::{Described, declared, describe};
pub use kind::Kind;
pub use options::{Options, TableSettings, fields};
pub use scan::read;
pub use splitter::Format;
