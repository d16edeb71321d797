//! The engine through its door: sources in memory, pipelines, and what comes out.

mod failures;
mod functions;
mod json;
mod memory;
mod mistakes;
mod order;
mod shaping;
mod stage;
mod views;
