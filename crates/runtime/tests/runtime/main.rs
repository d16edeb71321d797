//! The runtime through its own door.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

mod changes;
mod figures;
mod inspected;
mod limits;
mod placeholders;
mod plan;
mod recovery;
mod resume;
mod run;
mod support;
