//! The `json` source through the door that users use: a pipeline file, and files.

mod bad;
mod documents;
mod extended;
mod files;
mod kept;
mod properties;
mod samples;
mod settings;
mod types;
mod workshop;
