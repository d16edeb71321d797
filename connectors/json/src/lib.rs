//! Reads JSON lines and JSON documents as a source.
