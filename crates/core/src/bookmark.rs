//! Where a scan begins, and where it has ended, for tables that can be read on from there.

use std::fmt;
use std::sync::{Arc, Mutex};

/// Where a scan begins, and where it has ended.
///
/// What a source leaves here is text that means something to itself: how the same table is read on,
/// so that what has come or changed since is given. It counts once the stream of the scan has
/// ended without an error. A source that knows of no such thing takes no notice: it gives all rows
/// and leaves nothing.
///
/// Clones are of the same scan.
#[derive(Clone, Default)]
pub struct Bookmark {
    since: Option<Arc<str>>,
    left: Arc<Mutex<Option<String>>>,
}

impl Bookmark {
    /// Where an earlier scan of the same table has ended, as it was [left](Self::left) there.
    pub fn since(left: &str) -> Self {
        Self {
            since: Some(left.into()),
            left: Arc::default(),
        }
    }

    /// Where the scan begins: only what has come or changed since is wanted. All rows, when there
    /// is nothing.
    #[must_use]
    pub fn begins(&self) -> Option<&str> {
        self.since.as_deref()
    }

    /// Leaves where the scan has ended, in the place of what was left before.
    ///
    /// # Panics
    ///
    /// Never: nobody panics while this is held.
    pub fn leave(&self, at: String) {
        *self.left.lock().expect("no holder of this lock panics") = Some(at);
    }

    /// Where the scan has ended, if its source knows.
    ///
    /// # Panics
    ///
    /// Never: nobody panics while this is held.
    #[must_use]
    pub fn left(&self) -> Option<String> {
        let left = self.left.lock().expect("no holder of this lock panics");
        left.clone()
    }
}

/// It may hold the values of columns, which are not shown.
impl fmt::Debug for Bookmark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins = if self.since.is_some() { "since" } else { "all" };
        f.debug_tuple("Bookmark").field(&begins).finish()
    }
}
