//! The `mongodb` source through the door that users use: a pipeline file.
//!
//! `server` is a server that others have made, with which the source is read as it would be;
//! `stand_in` one of our own, which has what the other has not: MongoDB's order of all types, every
//! type on the wire, and a look at what it is asked.

mod bad;
mod filters;
mod keys;
mod polite;
mod same;
mod server;
mod settings;
mod stand_in;
mod types;
mod values;
