//! Which files are read, and how they come together.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array,
    StringArray, StructArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
};
use arrow::datatypes::{DataType, Field, Int64Type};
use chatferry_core::source::{Rows, Scan, SourceErrorKind};
use chatferry_core::{Comparison, Filter, Operand};
use chatferry_testkit::reading::scanned;
use chatferry_testkit::source::assert_contract;
use futures::StreamExt;
use parquet::basic::{Compression, GzipLevel};
use parquet::file::properties::WriterProperties;

use crate::workshop::{Workshop, error_shown, rows, shown, table, titled, written};

fn ids(ids: impl IntoIterator<Item = i64>) -> arrow::array::RecordBatch {
    let ids: Vec<i64> = ids.into_iter().collect();
    table(vec![("id", Arc::new(Int64Array::from(ids)) as ArrayRef)])
}

#[tokio::test]
async fn a_folder_full_of_files_is_a_table_for_each() {
    let workshop = Workshop::new();
    for name in [
        "users.parquet",
        "rooms.pq",
        "readme.txt",
        "deeper/users.parquet",
    ] {
        workshop.write_rows(name, &ids(0..3));
    }
    let source = workshop.source("");
    assert_eq!(source.tables().await.expect("tables"), ["rooms", "users"]);
    for table in ["rooms", "users"] {
        assert_contract(source.clone(), table).await;
    }
}

#[tokio::test]
async fn every_compression_can_be_read() {
    let level = GzipLevel::try_new(6).expect("a level");
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(level),
        Compression::BROTLI(Default::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(Default::default()),
    ] {
        let properties = WriterProperties::builder().set_compression(compression);
        let workshop = Workshop::new();
        workshop.write("records.parquet", written(&ids(0..5_000), properties));
        let read = rows(&workshop.source(""), "records").await.expect("rows");
        assert!(read.failed.is_none(), "{compression}");
        let column = read.rows.column(0).as_primitive::<Int64Type>();
        assert!(
            column.values().iter().copied().eq(0..5_000),
            "{compression}"
        );
    }
}

#[tokio::test]
async fn folders_make_columns_and_leave_out_what_cannot_be_wanted() {
    let workshop = Workshop::new();
    for (path, first) in [
        ("year=2023/room=a%2Fb/1.parquet", 0),
        ("year=2024/room=b/1.parquet", 10),
        ("year=2024/room=__HIVE_DEFAULT_PARTITION__/2.parquet", 20),
    ] {
        workshop.write_rows(&format!("events/{path}"), &ids(first..first + 2));
    }
    // What other programs write beside the data.
    workshop.write("events/_SUCCESS", "");
    workshop.write("events/_temporary/0.parquet", "no");
    let source = workshop.source("path = \"events/**/*.parquet\"");
    assert_contract(source.clone(), "records").await;
    let all = shown(&source, "records").await;
    // This file cannot be read any more, and nothing of it is wanted.
    let described = source.describe("records").await.expect("described");
    let filter = |value| Filter::Compare {
        column: "year".into(),
        comparison: Comparison::Equal,
        value: Operand::Whole(value),
    };
    let scan = Scan {
        filters: vec![filter(2024)],
        ..Scan::of(described, vec![0, 2], 10)
    };
    let wanted = scanned(&source, scan).await.shown(error_shown);
    let plain = workshop.source("path = \"events/**/*.parquet\"\npartitions = false");
    insta::assert_snapshot!(titled(vec![
        ("all", all),
        ("of one year", wanted),
        ("without partitions", shown(&plain, "records").await),
    ]));
}

#[tokio::test]
async fn files_of_which_some_may_not_count_any_more_are_noted() {
    let workshop = Workshop::new();
    workshop.write_rows("events/day=1/a.parquet", &ids([1]));
    workshop.write("events/_delta_log/00000000000000000000.json", "{}");
    let source = workshop.source("path = \"events/**/*.parquet\"");
    insta::assert_snapshot!(shown(&source, "records").await);
}

#[tokio::test]
async fn a_placeholder_makes_a_column_of_text() {
    let workshop = Workshop::new();
    workshop.write_rows("2024/general.parquet", &ids([1]));
    workshop.write_rows("2023/random.parquet", &ids([2]));
    let source = workshop.source("path = \"{year}/{channel}.parquet\"");
    assert_contract(source.clone(), "records").await;
    insta::assert_snapshot!(shown(&source, "records").await);
}

#[tokio::test]
async fn what_the_path_says_goes_before_what_the_file_says() {
    let workshop = Workshop::new();
    workshop.write_rows("id=7/a.parquet", &ids([1, 2]));
    let source = workshop.source("path = \"*/a.parquet\"");
    assert_contract(source.clone(), "records").await;
    insta::assert_snapshot!(shown(&source, "records").await);
}

/// A file for each of these columns, all called `v`.
async fn together(columns: Vec<ArrayRef>) -> String {
    let workshop = Workshop::new();
    for (at, column) in columns.into_iter().enumerate() {
        workshop.write_rows(&format!("{at}.parquet"), &table(vec![("v", column)]));
    }
    let source = workshop.source("path = \"*.parquet\"");
    if source.describe("records").await.is_ok() {
        assert_contract(source.clone(), "records").await;
    }
    shown(&source, "records").await
}

#[tokio::test]
async fn columns_that_were_widened_hold_all_values() {
    let i32s: ArrayRef = Arc::new(Int32Array::from(vec![Some(i32::MIN), None]));
    let i64s: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MAX), None]));
    let f32s: ArrayRef = Arc::new(Float32Array::from(vec![Some(0.1), None]));
    let f64s: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.1), None]));
    let small: ArrayRef = Arc::new(Int64Array::from(vec![Some(1 << 53), None]));
    let decimal = |value, precision, scale| -> ArrayRef {
        let column = Decimal128Array::from(vec![Some(value), None]);
        Arc::new(
            column
                .with_precision_and_scale(precision, scale)
                .expect("a decimal"),
        )
    };
    let seconds = TimestampSecondArray::from(vec![Some(1), None]).with_timezone("Europe/Berlin");
    let millis = TimestampMillisecondArray::from(vec![Some(1), None]).with_timezone("UTC");
    let object = |name: &str, column: &ArrayRef| -> ArrayRef {
        let field = Field::new(name, column.data_type().clone(), true);
        Arc::new(StructArray::from(vec![(
            Arc::new(field),
            Arc::clone(column),
        )]))
    };
    insta::assert_snapshot!(titled(vec![
        (
            "whole numbers",
            together(vec![i32s.clone(), i64s.clone()]).await
        ),
        (
            "a double and a whole number",
            together(vec![i32s.clone(), f64s.clone()]).await
        ),
        (
            "doubles and small whole numbers",
            together(vec![small, f64s.clone()]).await
        ),
        ("doubles", together(vec![f32s, f64s]).await),
        (
            "decimals",
            together(vec![decimal(12_345, 9, 2), decimal(-1, 20, 6)]).await
        ),
        (
            "decimal and whole",
            together(vec![decimal(12_345, 9, 2), i64s.clone()]).await
        ),
        (
            "times",
            together(vec![Arc::new(seconds), Arc::new(millis)]).await
        ),
        (
            "objects",
            together(vec![
                object("a", &i32s),
                object("a", &i64s),
                object("b", &i32s)
            ])
            .await
        ),
    ]));
}

#[tokio::test]
async fn a_value_that_the_finer_unit_of_another_file_cannot_hold_is_rejected() {
    let workshop = Workshop::new();
    let years = TimestampSecondArray::from(vec![0, 32_503_680_000, 1]);
    let nanos = TimestampNanosecondArray::from(vec![1]);
    workshop.write_rows(
        "1.parquet",
        &table(vec![("at", Arc::new(years) as ArrayRef)]),
    );
    workshop.write_rows(
        "2.parquet",
        &table(vec![("at", Arc::new(nanos) as ArrayRef)]),
    );
    let source = workshop.source("path = \"*.parquet\"");
    insta::assert_snapshot!(shown(&source, "records").await);
}

#[tokio::test]
async fn a_column_that_a_file_has_not_is_null_in_it() {
    let workshop = Workshop::new();
    let text: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let number: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    workshop.write_rows(
        "1.parquet",
        &table(vec![("a", number.clone()), ("b", text.clone())]),
    );
    workshop.write_rows(
        "2.parquet",
        &table(vec![("c", text.clone()), ("a", number.clone())]),
    );
    workshop.write_rows("3.parquet", &table(vec![("b", text)]));
    let source = workshop.source("path = \"*.parquet\"");
    assert_contract(source.clone(), "records").await;
    insta::assert_snapshot!(shown(&source, "records").await);
}

#[tokio::test]
async fn columns_that_no_type_can_hold_are_an_error_that_names_both_files() {
    let i64s: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let f64s: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let text: ArrayRef = Arc::new(StringArray::from(vec!["1"]));
    let large: ArrayRef = Arc::new(Int64Array::from(vec![(1 << 53) + 1]));
    insta::assert_snapshot!(titled(vec![
        ("text", together(vec![i64s.clone(), text]).await),
        (
            "a double would round",
            together(vec![large.clone(), f64s.clone()]).await
        ),
        (
            "a double would round a later one",
            together(vec![i64s, f64s, large]).await
        ),
    ]));
}

#[tokio::test]
async fn as_many_rows_are_counted_as_there_are_without_reading_them() {
    let workshop = Workshop::with("records.parquet", &ids(0..1_000));
    let source = workshop.source("");
    let described = source.describe("records").await.expect("described");
    assert_eq!(described.rows, Rows::Exactly(1_000));
    let scan = Scan::of(described, Vec::new(), 300);
    let batches: Vec<usize> = source
        .scan(scan)
        .map(|batch| batch.expect("rows").rows.num_rows())
        .collect()
        .await;
    assert_eq!(batches, [300, 300, 300, 100]);
}

#[tokio::test]
async fn no_more_is_given_than_a_little_above_the_limit() {
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(100));
    let workshop = Workshop::new();
    workshop.write("records.parquet", written(&ids(0..1_000), properties));
    let source = workshop.source("");
    let described = source.describe("records").await.expect("described");
    let scan = Scan {
        limit: Some(15),
        ..Scan::of(described, vec![0], 10)
    };
    let read = scanned(&source, scan).await;
    assert_eq!(read.rows.num_rows(), 20);
}

#[tokio::test]
async fn wide_rows_come_in_small_batches() {
    let body = "x".repeat(1 << 20);
    let bodies: Vec<String> = (0..12).map(|row| format!("{row}{body}")).collect();
    let rows = table(vec![(
        "body",
        Arc::new(StringArray::from(bodies)) as ArrayRef,
    )]);
    let workshop = Workshop::new();
    let plain = WriterProperties::builder().set_dictionary_enabled(false);
    workshop.write("records.parquet", written(&rows, plain));
    let source = workshop.source("");
    let described = source.describe("records").await.expect("described");
    let batches: Vec<usize> = source
        .scan(Scan::of(described, vec![0], 1_000))
        .map(|batch| batch.expect("rows").rows.num_rows())
        .collect()
        .await;
    assert_eq!(batches, [3, 3, 3, 3]);
}

#[tokio::test]
async fn a_file_that_changes_or_goes_away_is_noticed() {
    for change in [true, false] {
        let workshop = Workshop::new();
        workshop.write_rows("a.parquet", &ids(0..10));
        workshop.write_rows("b.parquet", &ids(0..10));
        let source = workshop.source("path = \"*.parquet\"");
        let described = source.describe("records").await.expect("described");
        match change {
            true => workshop.write_rows("b.parquet", &ids(0..1_000)),
            false => std::fs::remove_file(workshop.path("b.parquet")).expect("removed"),
        }
        let read = scanned(&source, Scan::of(described, vec![0], 10)).await;
        let error = read.failed.expect("an error");
        assert_eq!(error.kind, SourceErrorKind::Changed);
        assert_eq!(read.rows.num_rows(), 0);
    }
}

#[tokio::test]
async fn a_file_in_an_archive_or_compressed_can_be_read() {
    let workshop = Workshop::new();
    let file = written(&ids(0..100), WriterProperties::builder());
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    archive
        .start_file("data/ids.parquet", options)
        .expect("a member");
    std::io::Write::write_all(&mut archive, &file).expect("its contents");
    let archive = archive.finish().expect("an archive").into_inner();
    workshop.write("export.zip", archive);
    let source = workshop.source("root = \"export.zip\"\npath = \"data/*.parquet\"");
    assert_contract(source.clone(), "records").await;
    let read = rows(&source, "records").await.expect("rows");
    assert_eq!(read.rows.num_rows(), 100);
    assert_eq!(read.table.schema.field(0).data_type(), &DataType::Int64);
    assert_eq!(read.rows.column(0).null_count(), 0);
}

#[tokio::test]
async fn columns_that_never_descend_from_file_to_file_are_known() {
    let workshop = Workshop::new();
    let rows = |from: i64, texts: [&str; 2]| {
        let whole = |values: Vec<Option<i64>>| Arc::new(Int64Array::from(values)) as ArrayRef;
        let at = |seconds: i64| TimestampSecondArray::from(vec![seconds, seconds]);
        table(vec![
            ("at", Arc::new(at(from)) as ArrayRef),
            ("id", whole(vec![Some(from), Some(from + 1)])),
            ("turn", whole(vec![Some(1), Some(2)])),
            ("back", whole(vec![Some(2), Some(1)])),
            ("gap", whole(vec![Some(from), None])),
            ("text", Arc::new(StringArray::from(texts.to_vec()))),
        ])
    };
    workshop.write_rows("1.parquet", &rows(-3, ["a", "b"]));
    workshop.write_rows("2.parquet", &rows(7, ["c", "d"]));
    let source = workshop.source("path = \"*.parquet\"");
    let described = source.describe("records").await.expect("a table");
    let orders: Vec<&[String]> = described.orders.iter().map(|o| &o.columns[..]).collect();
    assert_eq!(orders, [["at"], ["id"]]);
    assert_contract(source, "records").await;
}
