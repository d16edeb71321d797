//! The engine through its door: sources in memory, pipelines, and what comes out.

#![expect(
    clippy::unwrap_used,
    reason = "what fails here fails a test, and says where"
)]

mod bookmarks;
mod failures;
mod functions;
mod json;
mod look;
mod memory;
mod mistakes;
mod order;
mod positions;
mod shaping;
mod stage;
mod views;
