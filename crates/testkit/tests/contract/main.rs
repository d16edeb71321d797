//! Does the suite notice it when a source breaks a promise?
//!
//! A shelf is a source that keeps all of them, and each test takes one away.

mod files;
mod moments;
mod pulling;
mod reading_on;
mod rows;
mod saying;
mod settings;
mod shelf;
mod tables;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use chatferry_testkit::source::Contract;

use crate::shelf::{Flaw, SECRET, Shelf};

/// Rows that may be ahead: one that waits to be taken, and one that waits for its place.
const AHEAD: u64 = 2;

/// Checks a shelf with this flaw.
async fn check(flaw: Flaw) {
    let shelf = Shelf::with(flaw);
    let read = Arc::clone(&shelf.read);
    Contract::of(Arc::new(shelf), "people")
        .secrets([SECRET])
        .watched(AHEAD, move || read.load(Ordering::SeqCst))
        .check()
        .await;
}

/// One test for each flaw: that it is noticed, and what is said.
macro_rules! noticed {
    ($($name:ident: $flaw:ident, $said:literal;)*) => {$(
        #[tokio::test]
        #[should_panic(expected = $said)]
        async fn $name() {
            crate::check(crate::shelf::Flaw::$flaw).await;
        }
    )*};
}
use noticed;

#[tokio::test]
async fn a_source_without_flaws_passes() {
    check(Flaw::None).await;
}
