//! What becomes of every type, and of fields that change theirs.

use std::sync::Arc;

use chatferry_core::source::Source;
use chatferry_testkit::reading::{columns_shown, error_shown, rows};
use chatferry_testkit::source::Contract;
use mongodb::bson::oid::ObjectId;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Regex, Timestamp, doc};

use crate::server::Workshop;
use crate::stand_in::StandIn;

/// What a person would want to see of a table.
async fn shown(source: &Arc<dyn Source>, table: &str) -> String {
    let rows = match rows(source, table).await {
        Ok(rows) => rows,
        Err(error) => return error_shown(&error),
    };
    let mut text = columns_shown(&rows.table);
    for order in &rows.table.orders {
        text += &format!("order given: {}\n", order.columns.join(", "));
    }
    for note in &rows.table.notes {
        text += &format!("note: {note}\n");
    }
    text + &rows.shown(error_shown)
}

#[tokio::test]
async fn every_type_becomes_a_column() {
    let binary = Binary {
        subtype: BinarySubtype::Generic,
        bytes: b"ab".to_vec(),
    };
    let decimal = |written: &str| Bson::Decimal128(written.parse().expect("a number"));
    let one = doc! {
        "_id": ObjectId::from_bytes([0x50; 12]),
        "int": 5, "long": 9_007_199_254_740_993_i64, "double": 3.0, "nan": f64::NAN,
        "decimal": decimal("1.10"), "text": "a", "flag": true, "nothing": null,
        "time": DateTime::from_millis(1_623_484_255_143), "early": DateTime::from_millis(-1),
        "bytes": binary, "list": [1, 2], "object": {"z": {"at": DateTime::from_millis(0)}, "a": "b"},
        "objects": [{"n": 1}, {"m": "x"}], "stamp": Timestamp { time: 7, increment: 1 },
        "regex": Regex { pattern: "^a".try_into().expect("a pattern"), options: "i".try_into().expect("options") },
        "symbol": Bson::Symbol("s".into()), "least": Bson::MinKey,
    };
    let other = doc! {
        "_id": ObjectId::from_bytes([0x51; 12]),
        "int": 1_i64 << 40, "long": 1, "double": 1, "nan": 0.5, "decimal": decimal("NaN"), "text": null,
        "list": [], "object": {"a": "c", "new": [true]},
    };
    let server = StandIn::with(vec![one, other]).await;
    let source = server.source("");
    insta::assert_snapshot!(shown(&source, "c").await);
    Contract::of(source, "c").check().await;
}

#[tokio::test]
async fn a_field_that_changes_its_type_is_json_and_the_description_says_so() {
    let mut documents: Vec<_> = (0..3_000)
        .map(|n| doc! {"_id": n, "v": "text", "n": n})
        .collect();
    // Far behind all that a sample would see.
    documents[2_998].insert("v", doc! {"text": "in an object"});
    documents[2_999].insert("late", 1.5);
    let server = StandIn::with(documents).await;
    let source = server.source("");
    let table = source.describe("c").await.expect("a table");
    insta::assert_snapshot!(format!(
        "{}{}",
        columns_shown(&table),
        table.notes.join("\n")
    ));
}

#[tokio::test]
async fn declared_columns_are_all_that_is_read() {
    let documents = vec![
        doc! {"_id": "a", "name": "Ada", "services": {"password": "hunter2"}, "born": DateTime::from_millis(0)},
        doc! {"_id": "b", "name": 7, "services": 1},
    ];
    let server = StandIn::with(documents).await;
    let columns = "tables.people = { collection = \"c\", columns = { _id = \"text\", name = \"text\", \
                   born = \"timestamp\", absent = \"bigint\" } }";
    let source = server.source(columns);
    source.describe("people").await.expect("a table");
    assert!(
        server.state().commands("find").is_empty(),
        "nothing is read to describe it"
    );
    insta::assert_snapshot!(shown(&source, "people").await);
    let asked = format!("{:?}", server.state().commands("find"));
    assert!(!asked.contains("services"), "{asked}");
    Contract::of(source, "people").check().await;
    // The other collections are there as they are.
    let source =
        server.source("tables.people = { collection = \"c\", schema = { name = \"json\" } }");
    assert_eq!(source.tables().await.expect("tables"), ["c", "people"]);
    insta::assert_snapshot!(shown(&source, "people").await);
}

#[tokio::test]
async fn fields_of_odd_names_are_read() {
    let documents = vec![
        doc! {"_id": 1, "a.b": 1, "$c": 2, "": 3, "a b": 4},
        doc! {"_id": 2, "a.b": 5},
    ];
    let server = StandIn::with(documents).await;
    let source = server.source("");
    insta::assert_snapshot!(shown(&source, "c").await);
    Contract::of(source, "c").check().await;
}

#[tokio::test]
async fn a_collection_without_documents_is_a_table_without_rows() {
    let server = StandIn::with(Vec::new()).await;
    let declared = "tables.c = { schema = { _id = \"text\" } }\n\
                    tables.gone = { optional = true, columns = { _id = \"text\" } }\n\
                    tables.missing = { optional = true, schema = { _id = \"text\" } }";
    let source = server.source(declared);
    for table in ["c", "gone", "missing"] {
        let shown = shown(&source, table).await;
        assert!(shown.starts_with("_id: Utf8\n"), "{table}: {shown}");
        Contract::of(Arc::clone(&source), table).check().await;
    }
}

#[tokio::test]
async fn a_filter_of_the_settings_is_mongodbs_own() {
    let documents = vec![
        doc! {"_id": 1, "t": "rm"},
        doc! {"_id": 2},
        doc! {"_id": 3, "t": "x"},
    ];
    let server = StandIn::with(documents).await;
    let source = server.source("tables.c.filter = '{\"t\": {\"$ne\": \"rm\"}}'");
    let read = rows(&source, "c").await.expect("rows");
    assert_eq!(read.rows.num_rows(), 2);
    Contract::of(source, "c").check().await;
}

#[tokio::test]
async fn a_server_of_others_is_read_by_the_contract() {
    let workshop = Workshop::new().await;
    let documents: Vec<_> = (0..9_i32)
        .map(|n| {
            doc! {
                "_id": ObjectId::from_bytes([u8::try_from(n).expect("small"); 12]),
                "n": n, "large": (1_i64 << 53) + 1, "half": f64::from(n) / 2.0,
                "at": DateTime::from_millis(i64::from(n) * 1_000), "even": n % 2 == 0,
                "name": format!("name {n}"), "u": {"_id": "u", "tags": ["a", "b"]},
                "sometimes": if n % 3 == 0 { Bson::Null } else { Bson::Int32(n % 3) },
            }
        })
        .collect();
    workshop.insert("c", &documents).await;
    let source = workshop.source("");
    assert_eq!(source.tables().await.expect("tables"), ["c"]);
    let table = source.describe("c").await.expect("a table");
    insta::assert_snapshot!(columns_shown(&table));
    Contract::of(source, "c").check().await;
}
