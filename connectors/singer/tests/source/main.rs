//! The `singer` source through the door that users use: a pipeline file, and taps.

mod ends;
mod files;
mod real;
mod settings;
mod states;
mod streams;
mod workshop;
