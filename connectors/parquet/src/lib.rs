//! Reads Parquet files as a source.
