//! What gives each field of an entity its value.
