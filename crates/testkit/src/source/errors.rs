//! What a source says when it cannot go on, and what it must never say.

use std::error::Error;
use std::sync::Arc;

use chatferry_core::source::{Scan, Source, SourceError, Table};
use futures::StreamExt;

/// The name of a table that no source has.
const NOWHERE: &str = "no such table at all";

/// What must never be shown.
#[derive(Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn of<S: Into<String>>(secrets: impl IntoIterator<Item = S>) -> Self {
        Self(secrets.into_iter().map(Into::into).collect())
    }

    pub(crate) fn are_not_in(&self, text: &str, what: &str) {
        for secret in &self.0 {
            assert!(!text.contains(secret.as_str()), "{what} shows no secret");
        }
    }
}

/// All that an error says, to people and to programs, with what is beneath it.
pub(super) fn shown(error: &SourceError) -> String {
    assert!(
        !error.doing.is_empty() && !error.reason.is_empty(),
        "an error says what happened"
    );
    let mut shown = format!("{error} {error:?}");
    let mut beneath = error.source();
    while let Some(cause) = beneath {
        shown += &format!(" {cause} {cause:?}");
        beneath = cause.source();
    }
    shown
}

pub(super) async fn what_is_not_there_is_an_error(
    source: &Arc<dyn Source>,
    table: &Arc<Table>,
    secrets: &Secrets,
) {
    let unknown = source.describe(NOWHERE).await;
    let unknown = unknown.expect_err("an unknown table is an error");
    secrets.are_not_in(&shown(&unknown), "an error");

    let gone = Table {
        name: NOWHERE.to_owned(),
        ..Table::clone(table)
    };
    let mut stream = source.scan(Scan::of(Arc::new(gone), vec![0], 1));
    let first = stream.next().await;
    let Some(Err(gone)) = first else {
        panic!("a table that is not there cannot be read");
    };
    secrets.are_not_in(&shown(&gone), "an error");
    assert!(stream.next().await.is_none(), "nothing follows an error");
}
