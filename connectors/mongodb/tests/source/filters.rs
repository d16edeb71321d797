//! What the database leaves out itself, and what it is not asked to.

use std::sync::Arc;

use chatferry_core::filter::{Comparison, Filter, Operand};
use chatferry_core::source::{Scan, Source};
use chatferry_testkit::reading::{rows_shown, scanned};
use chatferry_testkit::source::Contract;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{DateTime, Document, doc};

use crate::server::Workshop;
use crate::stand_in::StandIn;

fn compare(column: &str, comparison: Comparison, value: Operand) -> Filter {
    Filter::Compare {
        column: column.to_owned(),
        comparison,
        value,
    }
}

fn documents() -> Vec<Document> {
    vec![
        doc! {"_id": 1, "t": "rm", "n": 5, "at": DateTime::from_millis(1_000), "ok": true,
        "by": ObjectId::from_bytes([1; 12]), "mixed": "a", "list": [5], "half": 0.5},
        doc! {"_id": 2, "t": null, "n": 7_i64, "at": DateTime::from_millis(2_000), "ok": false,
        "by": ObjectId::from_bytes([2; 12]), "mixed": 5, "list": null, "half": 1.5},
        doc! {"_id": 3, "n": 9},
    ]
}

/// The `_id`s that are left with a filter, if the source honours it.
async fn left(source: &Arc<dyn Source>, filter: &Filter) -> Option<Vec<String>> {
    let table = source.describe("c").await.expect("a table");
    if !source.honours(&table, filter) {
        return None;
    }
    let id = table.schema.index_of("_id").expect("a column");
    let mut scan = Scan::of(table, vec![id], 2);
    scan.filters = vec![filter.clone()];
    let read = scanned(source, scan).await;
    assert!(read.failed.is_none(), "{:?}", read.failed);
    Some(rows_shown(&read.rows))
}

/// Whether each filter leaves out what it should, but for those that are not asked.
async fn honoured(source: &Arc<dyn Source>, is_asked: impl Fn(&Filter) -> bool) {
    let text = |text: &str| Operand::Text(text.to_owned());
    let id = |byte: u8| text(&ObjectId::from_bytes([byte; 12]).to_hex());
    let null = |column: &str| Filter::Null {
        column: column.to_owned(),
    };
    let not_null = |column: &str| Filter::NotNull {
        column: column.to_owned(),
    };
    let second = Operand::Time(2_000_000);
    for (filter, expected) in [
        (compare("t", Comparison::Equal, text("rm")), vec!["1"]),
        (compare("t", Comparison::NotEqual, text("x")), vec!["1"]),
        (
            compare("n", Comparison::GreaterOrEqual, Operand::Whole(7)),
            vec!["2", "3"],
        ),
        (
            compare("n", Comparison::NotEqual, Operand::Whole(7)),
            vec!["1", "3"],
        ),
        (
            compare("_id", Comparison::Greater, Operand::Whole(1)),
            vec!["2", "3"],
        ),
        (compare("at", Comparison::Less, second.clone()), vec!["1"]),
        (
            compare("at", Comparison::LessOrEqual, second),
            vec!["1", "2"],
        ),
        (
            compare("ok", Comparison::Equal, Operand::Flag(false)),
            vec!["2"],
        ),
        (compare("by", Comparison::Equal, id(2)), vec!["2"]),
        (null("t"), vec!["2", "3"]),
        (not_null("t"), vec!["1"]),
        (null("mixed"), vec!["3"]),
        (
            Filter::Any(vec![
                null("t"),
                compare("n", Comparison::Equal, Operand::Whole(5)),
            ]),
            vec!["1", "2", "3"],
        ),
    ] {
        if !is_asked(&filter) {
            continue;
        }
        let found = left(source, &filter).await;
        let expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        assert_eq!(found, Some(expected), "{filter}");
    }
}

#[tokio::test]
async fn what_it_compares_as_we_do_it_leaves_out() {
    let server = StandIn::with(documents()).await;
    honoured(&server.source(""), |_| true).await;
    Contract::of(server.source(""), "c").check().await;
}

#[tokio::test]
async fn a_server_of_others_leaves_out_the_same() {
    let workshop = Workshop::new().await;
    workshop.insert("c", &documents()).await;
    // To this server a field that is missing is not null.
    let is_asked = |filter: &Filter| !matches!(filter, Filter::NotNull { .. });
    honoured(&workshop.source(""), is_asked).await;
}

#[tokio::test]
async fn what_it_would_compare_otherwise_it_is_not_asked() {
    let server = StandIn::with(documents()).await;
    let source = server.source("");
    let text = |text: &str| Operand::Text(text.to_owned());
    for filter in [
        compare("by", Comparison::Less, text("zz")),
        compare("mixed", Comparison::Equal, text("a")),
        compare("at", Comparison::Less, Operand::Time(1_000_001)),
        compare("n", Comparison::Less, Operand::Whole(1 << 70)),
        compare("half", Comparison::Less, Operand::Whole(1)),
        Filter::Null {
            column: "list".into(),
        },
        Filter::NotNull {
            column: "absent".into(),
        },
    ] {
        assert_eq!(left(&source, &filter).await, None, "{filter}");
    }
    let collated = doc! {"options": {"collation": {"locale": "de", "strength": 1}}};
    server.state().about.insert("c".into(), collated);
    let filter = compare("t", Comparison::Equal, text("RM"));
    assert_eq!(left(&server.source(""), &filter).await, None);
}
