//! What rules depend on besides the row.

use chatferry_core::Files;

use crate::settings::Retention;

/// What holds for all rows of a run.
pub(crate) struct Policy<'a> {
    pub(crate) retention: Retention,
    /// Who knows where files are by now, if they are anywhere else than where they were.
    pub(crate) files: Option<&'a dyn Files>,
    /// In UNIX seconds.
    pub(crate) now: i64,
}
