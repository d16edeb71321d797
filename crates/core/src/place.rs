//! Where in a source a row stands.

use std::fmt;
use std::sync::Arc;

/// Where in a source a row stands, as precisely as the source can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, archive member or table, as a person would name it.
    pub file: Arc<str>,
    /// The line, counted from 1, where lines mean something.
    pub line: Option<u64>,
    /// The offset of the row's first byte in the (decompressed) file, counted from 0.
    pub byte: Option<u64>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(byte) = self.byte {
            write!(f, ", byte {byte}")?;
        }
        Ok(())
    }
}
