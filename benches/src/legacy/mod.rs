//! A chat that home-grown systems might have kept, each in its own database or files and its own way.
//!
//! [`population`] is who there is and what they said, the same for the same seed: in `person`,
//! `conversation` and `message`. It is as dirty as real ones are: nicknames that differ only in
//! case, accounts that are deleted and accounts of which no trace is left, conversations that
//! vanished while their messages stayed, texts of nothing, lines that no person wrote, and times
//! that cannot be.
//!
//! `postgres`, `mysql` and `sqlite` say what becomes of it in each database, beside the schema in
//! SQL; `rows` writes it down, and [`fill()`] carries it in. `sheets` writes it as CSV, and `lake` as
//! Parquet.

mod conversation;
mod fill;
mod lake;
mod message;
mod mysql;
mod person;
pub mod population;
mod postgres;
mod rows;
mod sheets;
mod sqlite;

pub use fill::{FillError, Target, fill};
pub use population::Population;
