//! Millions of ids, each a hash of 64 bits, in little memory.
//!
//! [`Keys`] are in memory, about ten bytes for each. Of [`SpillingKeys`] nearly all are in sorted files,
//! and about one and a half bytes for each in memory.

mod keys;
mod same;
mod sorted_file;
mod spilling;

pub use keys::Keys;
pub use same::{AsTheyAre, Same};
pub use spilling::SpillingKeys;
