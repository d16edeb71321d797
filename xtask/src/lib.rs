//! What people who work on chatferry have done for them.

pub mod api;
pub mod connector;
