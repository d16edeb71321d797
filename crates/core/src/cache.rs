//! Where what was found out is kept for the next time.

use std::fmt;

/// Where what costs time to find out is kept, from one start of the program to another.
///
/// It may forget anything at any time, and whoever asks has to do without. What is kept under a key
/// has to be true whenever that key is asked for again: a key says all that it depends on.
pub trait Cache: fmt::Debug + Send + Sync {
    /// What is kept under that key.
    fn get(&self, key: &str) -> Option<Vec<u8>>;

    /// Keeps it under that key. When that fails, it is found out again the next time.
    fn put(&self, key: &str, value: &[u8]);
}
