//! What tests of connectors share.
//!
//! [`source`] is the suite that every source passes.

pub mod source;
