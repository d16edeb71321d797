//! What a source tells of its tables.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::AsArray;
use chatferry_core::json;
use chatferry_core::source::{Rows, Source, Table};

use super::outcome::Outcome;
use super::pulled::polled;
use super::rows::assert_ordered;

/// Times that a question is put and taken back, each time a little later.
pub(crate) const TAKEN_BACK: usize = 32;

/// What a source is asked may be taken back at any time, and then asked again.
pub(super) async fn asking_can_be_broken_off(source: &Arc<dyn Source>, table: &str) {
    for polls in 0..TAKEN_BACK {
        if polled(source.tables(), polls).await.is_some() {
            break;
        }
    }
    for polls in 0..TAKEN_BACK {
        if polled(source.describe(table), polls).await.is_some() {
            break;
        }
    }
}

pub(super) async fn tables_are_listed_and_described(
    source: &Arc<dyn Source>,
    table: &str,
) -> Arc<Table> {
    let tables = source.tables().await.expect("the tables are listed");
    assert!(tables.is_sorted(), "the names of tables are sorted");
    let different: BTreeSet<&String> = tables.iter().collect();
    assert_eq!(
        different.len(),
        tables.len(),
        "no two tables have the same name"
    );
    assert!(
        tables.iter().any(|name| name == table),
        "the table is among those listed"
    );
    let (described, at_once) = futures::join!(source.describe(table), source.describe(table));
    let described = described.expect("the table is described");
    let at_once = at_once.expect("the table is described to two at once");
    let again = source.describe(table).await;
    let again = again.expect("the table is described again");
    assert_eq!(described.name, table, "a table knows its name");
    assert!(
        Arc::ptr_eq(&described, &again) && Arc::ptr_eq(&described, &at_once),
        "asking again costs nothing"
    );
    let columns: Vec<&String> = described.schema.fields().iter().map(|f| f.name()).collect();
    let different: BTreeSet<&&String> = columns.iter().collect();
    assert_eq!(
        different.len(),
        columns.len(),
        "no two columns have the same name"
    );
    for order in described.orders.iter().chain(&described.can_order) {
        assert!(!order.columns.is_empty(), "an order has columns");
        for column in &order.columns {
            assert!(
                columns.contains(&column),
                "an order names columns of the table"
            );
        }
    }
    for note in &described.notes {
        assert!(!note.is_empty(), "a note says something");
    }
    described
}

pub(super) fn the_rows_are_as_described(table: &Table, whole: &Outcome) {
    if let (Rows::Exactly(rows), None) = (table.rows, &whole.failed) {
        assert_eq!(
            whole.rows.num_rows() as u64,
            rows,
            "there are as many rows as described"
        );
    }
    for order in &table.orders {
        assert_ordered(&whole.rows, order);
    }
    for (field, column) in table.schema.fields().iter().zip(whole.rows.columns()) {
        if !json::is_marked(field) {
            continue;
        }
        let texts = column.as_string_opt::<i32>();
        let texts = texts.expect("a column that is marked as JSON is text");
        for text in texts.iter().flatten() {
            assert!(
                serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
                "text that is marked as JSON is JSON"
            );
        }
    }
}
