//! What tests of connectors share.
//!
//! [`source`] is the suite that every source passes; [`servers`] are databases to test with;
//! [`reading`] reads a table to its end and shows it.

pub mod reading;
pub mod servers;
pub mod source;
