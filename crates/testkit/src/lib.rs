//! What tests of connectors share.
//!
//! [`source`] is the suite that every source passes; [`servers`] are databases to test with.

pub mod servers;
pub mod source;
