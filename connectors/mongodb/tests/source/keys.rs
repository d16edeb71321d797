//! Every document is read once, whatever its `_id` is.

use std::sync::Arc;

use chatferry_core::source::{Scan, Source};
use chatferry_testkit::reading::{rows_shown, scanned};
use chatferry_testkit::source::Contract;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document, JavaScriptCodeWithScope, Timestamp, doc};

use crate::server::Workshop;
use crate::stand_in::StandIn;

/// Some values of every type that an `_id` may be of, in MongoDB's order.
fn ids() -> Vec<Bson> {
    let binary = |subtype, bytes: &[u8]| {
        Bson::Binary(Binary {
            subtype,
            bytes: bytes.to_vec(),
        })
    };
    let mut ids = vec![
        Bson::MinKey,
        Bson::Null,
        Bson::Double(f64::NAN),
        Bson::Double(f64::NEG_INFINITY),
        Bson::Int32(-7),
        Bson::Double(0.5),
        Bson::Decimal128("0.75".parse().expect("a number")),
        Bson::Int32(1),
        Bson::Int64(9_007_199_254_740_993),
        Bson::Double(f64::INFINITY),
        Bson::String(String::new()),
        Bson::String("Z".into()),
        Bson::Symbol("a".into()),
        Bson::String("b".into()),
        Bson::String("é".into()),
        Bson::Document(doc! {}),
        Bson::Document(doc! {"k": 1}),
        Bson::Document(doc! {"k": 1, "l": "x"}),
        Bson::Document(doc! {"k": "x"}),
        binary(BinarySubtype::Generic, b""),
        binary(BinarySubtype::Generic, b"\xff"),
        binary(BinarySubtype::Uuid, b"0123456789abcdef"),
    ];
    ids.extend((0..3).map(|byte| Bson::ObjectId(ObjectId::from_bytes([byte; 12]))));
    ids.extend([Bson::Boolean(false), Bson::Boolean(true)]);
    ids.extend([i64::MIN, -1, 0, i64::MAX].map(|at| DateTime::from_millis(at).into()));
    let stamp = |time| Bson::Timestamp(Timestamp { time, increment: 0 });
    ids.extend([stamp(0), stamp(9)]);
    ids.extend(["", "f()"].map(|code| Bson::JavaScriptCode(code.into())));
    ids.push(Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope {
        code: "f()".into(),
        scope: doc! {"x": 1},
    }));
    ids.push(Bson::MaxKey);
    ids
}

/// A document for each, numbered in order, and then put in another one.
fn shuffled(ids: Vec<Bson>) -> Vec<Document> {
    let numbered = ids.into_iter().zip(0_i32..);
    let mut documents: Vec<Document> = numbered.map(|(id, n)| doc! {"_id": id, "n": n}).collect();
    let middle = documents.len() / 3;
    documents.rotate_left(middle);
    documents.swap(0, middle);
    documents
}

/// What a scan gives of the column `n`, page by page.
async fn numbers(source: &Arc<dyn Source>, rows: usize) -> Vec<String> {
    let table = source.describe("c").await.expect("a table");
    let column = table.schema.index_of("n").expect("a column");
    let read = scanned(source, Scan::of(table, vec![column], rows)).await;
    assert!(read.failed.is_none(), "{:?}", read.failed);
    assert!(read.rejected.is_empty(), "{:?}", read.rejected);
    rows_shown(&read.rows)
}

#[tokio::test]
async fn every_type_of_id_is_read_in_mongodbs_order_however_pages_are_cut() {
    let expected: Vec<String> = (0..ids().len()).map(|n| n.to_string()).collect();
    let server = StandIn::with(shuffled(ids())).await;
    for rows in [1, 2, 3, 7, 1_000] {
        let source = server.source("");
        assert_eq!(numbers(&source, rows).await, expected, "{rows} rows a page");
        let table = source.describe("c").await.expect("a table");
        assert!(table.orders.is_empty(), "no order of a column: {table:?}");
    }
}

#[tokio::test]
async fn any_one_type_of_id_is_read_whole() {
    for id in ids() {
        let server = StandIn::with(vec![doc! {"_id": id, "n": 0}]).await;
        assert_eq!(numbers(&server.source(""), 1).await, ["0"]);
    }
}

#[tokio::test]
async fn usual_ids_are_found_with_few_questions() {
    let documents = (0..10).map(|n| doc! {"_id": ObjectId::from_bytes([n; 12]), "n": i32::from(n)});
    let server = StandIn::with(documents.collect()).await;
    let source = server.source("");
    source.describe("c").await.expect("a table");
    server.state().asked.clear();
    assert_eq!(numbers(&source, 5).await.len(), 10);
    let asked = server.state().commands("find").len();
    // Which kind there is, that there is none before it, three pages, and none behind it.
    assert_eq!(asked, 6, "{:?}", server.state().asked);
}

#[tokio::test]
async fn the_order_of_ids_is_offered_where_it_is_that_of_the_column() {
    let id = |n: u8| ObjectId::from_bytes([n; 12]);
    for (ids, is_offered) in [
        (vec![Bson::from("b"), "a".into()], true),
        (vec![id(9).into(), id(1).into()], true),
        (vec![Bson::Int64(1 << 60), 5.into()], true),
        (
            vec![
                DateTime::from_millis(5).into(),
                DateTime::from_millis(-5).into(),
            ],
            true,
        ),
        (vec![0.5.into(), 0.25.into()], false),
        (vec![Bson::from("b"), id(1).into()], false),
        (vec![Bson::from("b"), 5.into()], false),
        (vec![doc! {"a": 1}.into()], false),
    ] {
        let server = StandIn::with(shuffled(ids.clone())).await;
        let source = server.source("");
        let table = source.describe("c").await.expect("a table");
        assert_eq!(!table.orders.is_empty(), is_offered, "{ids:?}");
        Contract::of(source, "c").check().await;
        // By which rules texts are compared is not the column's then.
        let collated = doc! {"options": {"collation": {"locale": "de"}}};
        server.state().about.insert("c".into(), collated);
        let table = server.source("").describe("c").await.expect("a table");
        let is_text = ids.iter().any(|id| id.as_str().is_some());
        assert_eq!(!table.orders.is_empty(), is_offered && !is_text, "{ids:?}");
    }
}

#[tokio::test]
async fn an_id_of_a_new_type_breaks_no_order_unnoticed() {
    let server = StandIn::with(vec![doc! {"_id": "a"}, doc! {"_id": "b"}]).await;
    let source = server.source("");
    let table = source.describe("c").await.expect("a table");
    let late = doc! {"_id": ObjectId::from_bytes([0; 12])};
    server
        .state()
        .collections
        .get_mut("c")
        .expect("c")
        .push(late);
    let read = scanned(&source, Scan::of(table, vec![0], 10)).await;
    assert_eq!(rows_shown(&read.rows), ["a", "b"]);
    let failed = read.failed.expect("an error");
    assert!(
        failed.to_string().contains("of a type that was not there"),
        "{failed}"
    );
}

#[tokio::test]
async fn a_server_of_others_gives_ids_of_several_types_whole() {
    let workshop = Workshop::new().await;
    // Of the other types it does not keep what it compares with what apart.
    let ids = [
        Bson::Int64(5),
        7.5.into(),
        "x".into(),
        "b".into(),
        (1_i64 << 60).into(),
    ];
    let documents: Vec<Document> = ids
        .into_iter()
        .zip(0_i32..)
        .map(|(id, n)| doc! {"_id": id, "n": n})
        .collect();
    workshop.insert("c", &documents).await;
    for rows in [1, 3, 100] {
        let mut read = numbers(&workshop.source(""), rows).await;
        read.sort();
        assert_eq!(read, ["0", "1", "2", "3", "4"]);
    }
}
