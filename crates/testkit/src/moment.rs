//! The promises of [`Source::at_one_moment`], as one suite.

use std::sync::Arc;

use chatferry_core::source::Source;

use crate::reading::rows;
use crate::source::{Contract, TAKEN_BACK, polled};

/// Checks that a source can be had as it is at one moment. `write` changes every one of the tables
/// each time it is called.
///
/// # Panics
///
/// When a promise is broken, with what was promised.
pub async fn assert_one_moment<W: Future<Output = ()>>(
    source: Arc<dyn Source>,
    tables: &[&str],
    write: impl Fn() -> W,
) {
    let before = all(&source, tables).await;
    for polls in 0..TAKEN_BACK {
        if polled(source.at_one_moment(), polls).await.is_some() {
            break;
        }
    }
    let moment = source.at_one_moment().await.expect("it can be reached");
    let moment = moment.expect("it has moments");
    write().await;
    assert_eq!(
        all(&moment, tables).await,
        before,
        "what is written later is not seen"
    );
    write().await;
    assert_eq!(
        all(&moment, tables).await,
        before,
        "the moment is the same until it is let go of"
    );
    for table in tables {
        Contract::of_moment(Arc::clone(&moment), table)
            .check()
            .await;
    }
    let now = all(&source, tables).await;
    for (before, now) in before.iter().zip(&now) {
        assert_ne!(before, now, "the source itself is as it is now");
    }
    let later = source.at_one_moment().await.expect("it can be reached");
    let later = later.expect("it has moments");
    assert_eq!(
        all(&later, tables).await,
        now,
        "a later moment is another one"
    );
}

async fn all(source: &Arc<dyn Source>, tables: &[&str]) -> Vec<String> {
    let mut all = Vec::new();
    for table in tables {
        let read = rows(source, table).await.expect("the table is described");
        assert!(read.failed.is_none(), "{table} is read: {:?}", read.failed);
        all.push(format!("{:?}", read.rows));
    }
    all
}
