//! What was found out about a file is kept.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use chatferry_testkit::kept::assert_kept;
use parquet::file::properties::WriterProperties;

use crate::workshop::{Workshop, table, written};

#[tokio::test]
async fn orders_are_looked_for_once() {
    let workshop = Workshop::new();
    let file = |values: Int64Array| {
        let rows = table(vec![("id", Arc::new(values) as ArrayRef)]);
        written(
            &rows,
            WriterProperties::builder().set_dictionary_enabled(false),
        )
    };
    let ascending = file((0..200_000).collect());
    let descending = file((0..200_000).rev().collect());
    let open = || workshop.source("path = \"a.parquet\"");
    assert_kept(open, &workshop.path("a.parquet"), [&ascending, &descending]).await;
}
