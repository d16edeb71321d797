//! The durable account of a migration, in SQLite.
