//! The `parquet` source through the door that users use: a pipeline file, and files.

mod bad;
mod files;
mod kept;
mod properties;
mod settings;
mod snapshot;
mod types;
mod workshop;
