//! Reads CSV files as a source.
