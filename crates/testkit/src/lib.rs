//! What tests of connectors share.
//!
//! [`source`] is the suite that every source passes, [`moment`] that of sources that have moments, and
//! [`kept`] that of sources that keep what they find out;
//! [`servers`] are databases to test with, and a [`host`](mod@host) gives files as it is told to;
//! [`reading`] reads a table to its end and shows it; [`settings`] reads a source's settings, and is
//! the suite of what every connector says of them.

pub mod host;
pub mod kept;
pub mod moment;
pub mod reading;
pub mod servers;
pub mod settings;
pub mod source;
