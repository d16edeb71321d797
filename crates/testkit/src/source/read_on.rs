//! Reading a table on from where a scan of it has ended.

use std::sync::Arc;

use arrow::array::RecordBatch;
use chatferry_core::Bookmark;
use chatferry_core::source::{Scan, Source, Table};

use super::outcome::read_scan;
use super::rows::{counted, minus};

/// Checks that a table which leaves bookmarks can be read on from them. `write` adds rows to it, and
/// changes some if it likes; there should be a few before.
///
/// # Panics
///
/// When a promise is broken, with what was promised.
pub async fn assert_reads_on(
    source: Arc<dyn Source>,
    table: &str,
    write: impl Future<Output = ()>,
) {
    let described = source.describe(table).await;
    let described = described.expect("the table is described");
    let (before, end) = scanned(&source, &described, Bookmark::default()).await;
    let end = end.expect("a scan that has ended leaves a bookmark");
    write.await;
    let (after, _) = scanned(&source, &described, Bookmark::default()).await;
    let came = minus(&counted(&after), &counted(&before));
    assert!(!came.is_empty(), "something was written");

    let (since, next) = scanned(&source, &described, Bookmark::since(&end)).await;
    let since_counted = counted(&since);
    assert!(
        minus(&came, &since_counted).is_empty(),
        "no row that came or changed since is left out"
    );
    assert!(
        minus(&since_counted, &counted(&after)).is_empty(),
        "a table is read on with rows that it has"
    );
    assert!(
        since.num_rows() < after.num_rows(),
        "a table that is read on is not read whole"
    );

    // Two may go on from the same place, and nothing is lost behind the second bookmark.
    let (again, _) = scanned(&source, &described, Bookmark::since(&end)).await;
    assert_eq!(
        counted(&again),
        since_counted,
        "a bookmark may be used more than once"
    );
    let next = next.expect("a scan that was read on leaves a bookmark, too");
    let (rest, _) = scanned(&source, &described, Bookmark::since(&next)).await;
    assert!(
        minus(&counted(&rest), &since_counted).is_empty(),
        "what is read on gives nothing that the reading before it left out"
    );
}

/// All that a scan gives which begins there, and where it ended.
async fn scanned(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    bookmark: Bookmark,
) -> (RecordBatch, Option<String>) {
    let columns = (0..table.schema.fields().len()).collect();
    let scan = Scan {
        bookmark: bookmark.clone(),
        ..Scan::of(Arc::clone(table), columns, 1_000)
    };
    let outcome = read_scan(source, scan).await;
    assert_eq!(outcome.failed, None, "the table can be read");
    (outcome.rows, bookmark.left())
}
