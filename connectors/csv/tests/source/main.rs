//! The `csv` source through the door that users use: a pipeline file, and files.

mod bad;
mod dialects;
mod files;
mod kept;
mod properties;
mod settings;
mod types;
mod workshop;
