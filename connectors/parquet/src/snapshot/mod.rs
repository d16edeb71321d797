//! A copy of the tables of sources, made once and read any number of times.
//!
//! `write` makes it, `manifest` says what is in it, and `source` reads it as if it were what it was
//! copied from. `kept` is how values are kept for which Parquet has no type, `rejected` keeps what
//! the sources could not read, and `checksum` tells whether a file is still what was written.

mod checksum;
mod kept;
mod manifest;
mod rejected;
mod source;
mod write;

pub(crate) use kept::INTERVAL_BYTES;
pub use manifest::{
    Kept, KeptColumn, KeptRejected, KeptSource, KeptTable, Manifest, RejectedPlace,
};
pub use source::Snapshot;
pub use write::{SnapshotError, SnapshotWriter};
