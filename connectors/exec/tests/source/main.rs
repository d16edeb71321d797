//! The `exec` source through the door that users use: a pipeline file, and programs.

mod ends;
mod settings;
mod tables;
mod workshop;
