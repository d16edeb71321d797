use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array,
    Float64Array, Int16Array, Int64Array, IntervalMonthDayNanoArray, ListArray, MapBuilder,
    NullArray, RecordBatch, StringArray, StringBuilder, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampMillisecondArray, TimestampSecondArray, UInt64Array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, IntervalMonthDayNano, Schema, i256};
use async_trait::async_trait;
use chatferry_config::StandIn;
use chatferry_core::source::{
    Batch, BatchStream, Order, Rows, Scan, Source, SourceError, SourceErrorKind, Table,
};
use chatferry_core::{Place, RejectedRow, json};
use chatferry_parquet::snapshot::{Manifest, Snapshot, SnapshotError, SnapshotWriter};
use chatferry_testkit::source::assert_contract;
use futures::stream::{self, StreamExt};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::workshop::{error_shown, rows, rows_by};

/// A source of one table, `t`, that is held in memory.
#[derive(Debug)]
struct Held {
    table: Arc<Table>,
    batches: Vec<Batch>,
}

#[async_trait]
impl Source for Held {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec![self.table.name.clone()])
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        match table == self.table.name {
            true => Ok(Arc::clone(&self.table)),
            false => Err(SourceError::new(SourceErrorKind::NotFound, "read it", "no")),
        }
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let give = move |batch: Batch| {
            let rows = batch.rows.project(&scan.columns).expect("its columns");
            Ok(Batch { rows, ..batch })
        };
        stream::iter(self.batches.clone()).map(give).boxed()
    }
}

fn held(name: &str, batches: Vec<Batch>, orders: Vec<Order>) -> Arc<dyn Source> {
    let table = Table {
        name: name.to_owned(),
        schema: batches[0].rows.schema(),
        orders,
        can_order: Vec::new(),
        rows: Rows::About(7),
        notes: vec!["it is held in memory".into()],
    };
    Arc::new(Held {
        table: Arc::new(table),
        batches,
    })
}

fn whole(rows: RecordBatch) -> Batch {
    Batch {
        rows,
        rejected: Vec::new(),
    }
}

fn numbers(numbers: impl IntoIterator<Item = i64>) -> RecordBatch {
    let field = Field::new("id", DataType::Int64, false);
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
    RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![column]).expect("one column")
}

fn rejected(rule: &'static str, line: u64) -> RejectedRow {
    RejectedRow {
        rule: rule.into(),
        detail: format!("something in line {line}"),
        id: None,
        place: Some(Place {
            file: "t.jsonl".into(),
            line: Some(line),
            byte: Some(line * 10),
        }),
    }
}

/// A folder that goes away with the test, and the snapshot in it.
struct Taken {
    _folder: TempDir,
    path: PathBuf,
    manifest: Manifest,
}

impl Taken {
    async fn of(source: &Arc<dyn Source>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let path = folder.path().join("copy");
        let mut writer =
            SnapshotWriter::begin(&path, "1.2.3", "acme", "then").expect("it is begun");
        writer.source("s", "held", false).expect("a source");
        for table in source.tables().await.expect("tables") {
            let copied = writer.table(source, &table, &mut |_, _| {}).await;
            copied.expect("it is copied");
        }
        assert!(!path.exists(), "it is there before it is whole");
        let manifest = writer.finish("now").expect("it is finished");
        Self {
            _folder: folder,
            path,
            manifest,
        }
    }

    fn source(&self) -> Arc<dyn Source> {
        let snapshot = Snapshot::open(&self.path).expect("it is there");
        snapshot.source("s").open().expect("it opens")
    }
}

fn list(items: ArrayRef, lengths: [usize; 3]) -> ListArray {
    let field = Field::new("element", items.data_type().clone(), true);
    let nulls = NullBuffer::from(vec![true, false, true]);
    ListArray::new(
        Arc::new(field),
        OffsetBuffer::from_lengths(lengths),
        items,
        Some(nulls),
    )
}

fn object(fields: Vec<(Field, ArrayRef)>) -> StructArray {
    let (fields, columns): (Vec<Field>, Vec<ArrayRef>) = fields.into_iter().unzip();
    let nulls = NullBuffer::from(vec![true, true, false]);
    StructArray::new(Fields::from(fields), columns, Some(nulls))
}

/// Three rows of everything that a source may give.
fn everything() -> RecordBatch {
    let text = |texts: [Option<&str>; 3]| Arc::new(StringArray::from(texts.to_vec())) as ArrayRef;
    let intervals = |months: i32| {
        let interval = IntervalMonthDayNano::new(months, -2, 3_000_000_001);
        let values = vec![Some(interval), None, Some(IntervalMonthDayNano::ZERO)];
        Arc::new(IntervalMonthDayNanoArray::from(values)) as ArrayRef
    };
    let nothing = || {
        let nulls = NullBuffer::from(vec![true, false, true]);
        Arc::new(StructArray::new_empty_fields(3, Some(nulls))) as ArrayRef
    };
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for key in ["a", "b", "c"] {
        map.keys().append_value(key);
        map.values().append_option((key != "b").then_some("x"));
        map.append(true).expect("as many keys as values");
    }
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "flag",
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
        ),
        (
            "small",
            Arc::new(Int16Array::from(vec![Some(i16::MIN), None, Some(7)])),
        ),
        (
            "large",
            Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)])),
        ),
        (
            "float",
            Arc::new(Float64Array::from(vec![
                Some(-0.0),
                None,
                Some(f64::INFINITY),
            ])),
        ),
        ("text", text([Some("Zoë"), None, Some("")])),
        (
            "bytes",
            Arc::new(BinaryArray::from(vec![
                Some(&[0_u8, 255][..]),
                None,
                Some(&[]),
            ])),
        ),
        (
            "price",
            Arc::new(
                Decimal128Array::from(vec![Some(12_345), None, Some(-1)])
                    .with_precision_and_scale(12, 2)
                    .expect("it fits"),
            ),
        ),
        (
            "huge",
            Arc::new(
                Decimal256Array::from(vec![Some(i256::from_i128(i128::MAX)), None, None])
                    .with_precision_and_scale(60, 5)
                    .expect("it fits"),
            ),
        ),
        (
            "day",
            Arc::new(Date32Array::from(vec![Some(-1), None, Some(20_000)])),
        ),
        (
            "time",
            Arc::new(Time64MicrosecondArray::from(vec![
                Some(1),
                None,
                Some(86_399_999_999),
            ])),
        ),
        (
            "local",
            Arc::new(TimestampMicrosecondArray::from(vec![
                Some(-1),
                None,
                Some(1),
            ])),
        ),
        (
            "utc",
            Arc::new(
                TimestampMicrosecondArray::from(vec![Some(i64::MAX), None, Some(1)])
                    .with_timezone("UTC"),
            ),
        ),
        (
            "millis",
            Arc::new(
                TimestampMillisecondArray::from(vec![Some(5), None, Some(1)])
                    .with_timezone("Europe/Berlin"),
            ),
        ),
        (
            "seconds",
            Arc::new(TimestampSecondArray::from(vec![Some(5), None, Some(1)])),
        ),
        ("interval", intervals(13)),
        ("nothing", nothing()),
        ("null", Arc::new(NullArray::new(3))),
        ("map", Arc::new(map.finish())),
        (
            "texts",
            Arc::new(list(text([Some("a"), None, Some("b")]), [2, 0, 1])),
        ),
        ("intervals", Arc::new(list(intervals(-1), [1, 0, 2]))),
        (
            "object",
            Arc::new(object(vec![
                (
                    Field::new("required", DataType::Int64, false),
                    Arc::new(Int64Array::from(vec![1, 2, 0])),
                ),
                (json::column("json"), text([Some("{}"), None, None])),
                (
                    Field::new("nothing", nothing().data_type().clone(), true),
                    nothing(),
                ),
                (
                    Field::new("every", intervals(1).data_type().clone(), true),
                    intervals(1),
                ),
            ])),
        ),
    ];
    let mut fields = vec![
        Field::new("id", DataType::Int64, false),
        json::column("json"),
    ];
    let mut arrays: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1, 2, 3])),
        text([Some(r#"{"a": [1]}"#), None, Some("null")]),
    ];
    for (name, column) in columns {
        fields.push(Field::new(name, column.data_type().clone(), true));
        arrays.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns of one length")
}

#[tokio::test]
async fn every_type_comes_back_as_it_was() {
    let source = held("t", vec![whole(everything())], Vec::new());
    let taken = Taken::of(&source).await;
    let read = rows(&taken.source(), "t").await.expect("it is read");
    assert_eq!(read.table.schema, everything().schema());
    assert_eq!(read.rows, everything());
    assert!(read.failed.is_none() && read.rejected.is_empty());
    assert_contract(taken.source(), "t").await;
}

#[tokio::test]
async fn what_is_known_of_a_table_is_kept() {
    let orders = vec![Order::by(["id"])];
    let batches = vec![whole(numbers(0..5)), whole(numbers(5..9))];
    let taken = Taken::of(&held("chat/2024: \"ü\"", batches, orders.clone())).await;
    let table = taken.source().describe("chat/2024: \"ü\"").await;
    let table = table.expect("it is described");
    assert_eq!(table.orders, orders);
    assert_eq!(table.rows, Rows::Exactly(9));
    assert_eq!(table.notes, ["it is held in memory"]);
    let kept = &taken.manifest.sources[0].tables[0];
    assert_eq!(kept.kept.file, "s/chat~2024~~~~~.parquet");
    let again = std::fs::read(taken.path.join("manifest.json")).expect("a manifest");
    let again: Manifest = serde_json::from_slice(&again).expect("JSON");
    assert_eq!(format!("{again:?}"), format!("{:?}", taken.manifest));
    assert_contract(taken.source(), "chat/2024: \"ü\"").await;
}

#[tokio::test]
async fn rejected_rows_are_told_of_again_each_in_its_turn() {
    let batches = vec![
        Batch {
            rows: numbers([]),
            rejected: vec![rejected("malformed", 1)],
        },
        whole(numbers(0..3)),
        Batch {
            rows: numbers(3..5),
            rejected: (6..40)
                .map(|line| rejected("unreadable-value", line))
                .collect(),
        },
        Batch {
            rows: numbers([]),
            rejected: vec![rejected("malformed", 50)],
        },
    ];
    let all: Vec<RejectedRow> = batches
        .iter()
        .flat_map(|batch| batch.rejected.clone())
        .collect();
    let taken = Taken::of(&held("t", batches, Vec::new())).await;
    let kept = taken.manifest.sources[0].tables[0].rejected.as_ref();
    let kept = kept.expect("some were rejected");
    assert_eq!((kept.rows, kept.first.len()), (36, 20));
    assert_eq!(
        (kept.rules["malformed"], kept.rules["unreadable-value"]),
        (2, 34)
    );

    for rows_per_batch in [1, 2, 1_000] {
        let read = rows_by(&taken.source(), "t", rows_per_batch).await;
        let read = read.expect("it is read");
        assert_eq!(read.rejected, all);
        assert_eq!(read.rows, numbers(0..5));
    }
    let source = taken.source();
    let table = source.describe("t").await.expect("it is described");
    let first = source.scan(Scan::of(table, vec![0], 100)).next().await;
    let first = first.expect("a batch").expect("no error");
    assert_eq!(first.rejected, all[..1], "the others stand behind rows");
    assert_contract(source, "t").await;
}

#[tokio::test]
async fn what_was_changed_is_named() {
    let batches = vec![Batch {
        rows: numbers(0..1_000),
        rejected: vec![rejected("malformed", 1)],
    }];
    let source = held("t", batches, Vec::new());
    for file in ["s/t.parquet", "s/t.rejected.jsonl"] {
        for damage in [
            (|bytes: &mut Vec<u8>| bytes[10] ^= 1) as fn(&mut Vec<u8>),
            |bytes| bytes.truncate(bytes.len() - 1),
        ] {
            let taken = Taken::of(&source).await;
            let path = taken.path.join(file);
            let mut bytes = std::fs::read(&path).expect("it is there");
            damage(&mut bytes);
            std::fs::write(&path, bytes).expect("it is written");
            let error = taken
                .source()
                .describe("t")
                .await
                .expect_err("it is damaged");
            assert_eq!(error.kind, SourceErrorKind::Changed);
            assert!(error_shown(&error).contains(file), "{error}");
        }
        let taken = Taken::of(&source).await;
        std::fs::remove_file(taken.path.join(file)).expect("it is there");
        let error = taken.source().describe("t").await.expect_err("it is gone");
        assert!(error.to_string().contains(file), "{error}");
    }
}

#[tokio::test]
async fn a_manifest_that_cannot_be_used_is_told_from_none() {
    let taken = Taken::of(&held("t", vec![whole(numbers(0..3))], Vec::new())).await;
    let path = taken.path.join("manifest.json");
    let text = std::fs::read_to_string(&path).expect("a manifest");
    let error = |text: String| {
        std::fs::write(&path, text).expect("it is written");
        Snapshot::open(&taken.path)
            .expect_err("it is no manifest")
            .to_string()
    };
    assert!(error(text.replace("\"form\": 1", "\"form\": 2")).contains("another version"));
    assert!(error(text[..40].to_owned()).contains("damaged"));
    assert!(error(text.replace("s/t.parquet", "../t.parquet")).contains("outside"));
    let error = Snapshot::open(taken.path.parent().expect("a folder"));
    let error = error.expect_err("there is none");
    assert_eq!(error.kind, SourceErrorKind::NotFound);
}

#[tokio::test]
async fn nothing_is_left_of_one_that_is_not_finished() {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("copy");
    let source = held("t", vec![whole(numbers(0..3))], Vec::new());
    let begin = || SnapshotWriter::begin(&path, "1", "acme", "then");
    let mut writer = begin().expect("it is begun");
    writer.source("s", "held", false).expect("a source");
    writer
        .table(&source, "t", &mut |_, _| {})
        .await
        .expect("it is copied");
    drop(writer);
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        0
    );

    // One that comes into its place meanwhile is left alone, and so is one that is there.
    let writer = begin().expect("it is begun");
    std::fs::create_dir(&path).expect("a folder");
    assert!(matches!(
        writer.finish("now"),
        Err(SnapshotError::Exists(_))
    ));
    assert!(matches!(begin(), Err(SnapshotError::Exists(_))));
    assert_eq!(std::fs::read_dir(&path).expect("a folder").count(), 0);
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        1
    );
}

#[cfg(unix)]
#[tokio::test]
async fn others_may_not_read_what_people_wrote() {
    use std::os::unix::fs::PermissionsExt;
    let taken = Taken::of(&held("t", vec![whole(numbers(0..3))], Vec::new())).await;
    let mode = std::fs::metadata(&taken.path)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn tables_whose_names_differ_in_case_alone_have_files_of_their_own() {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("copy");
    let mut writer = SnapshotWriter::begin(&path, "1", "acme", "then").expect("it is begun");
    writer.source("s", "held", false).expect("a source");
    for (name, rows) in [("Users", 1), ("users", 2), ("", 3), ("~", 4), (".x", 5)] {
        let source = held(name, vec![whole(numbers(0..rows))], Vec::new());
        let copied = writer.table(&source, name, &mut |_, _| {}).await;
        copied.expect("it is copied");
    }
    writer.finish("now").expect("it is finished");
    let source = Snapshot::open(&path).expect("it is there").source("s");
    let source = source.open().expect("it opens");
    for (name, expected) in [("Users", 1), ("users", 2), ("", 3), ("~", 4), (".x", 5)] {
        let read = rows(&source, name).await.expect("it is read");
        assert_eq!(read.rows, numbers(0..expected), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However a source cuts its rows into batches, and wherever rows are rejected: all of both come
    /// back, in their order.
    #[test]
    fn all_rows_come_back(cuts in prop::collection::vec((0_i64..40, 0_u64..4), 1..12), most in 1_usize..50) {
        let (mut batches, mut row, mut line) = (Vec::new(), 0, 0);
        for (rows, bad) in cuts {
            if rows == 0 && bad == 0 {
                continue;
            }
            batches.push(Batch {
                rows: numbers(row..row + rows),
                rejected: (line..line + bad).map(|line| rejected("malformed", line)).collect(),
            });
            (row, line) = (row + rows, line + bad);
        }
        prop_assume!(!batches.is_empty());
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read = runtime.block_on(async {
            let taken = Taken::of(&held("t", batches, vec![Order::by(["id"])])).await;
            rows_by(&taken.source(), "t", most).await.expect("it is read")
        });
        prop_assert_eq!(read.rows, numbers(0..row));
        let lines: Vec<u64> = read.rejected.iter().filter_map(|row| row.place.as_ref()?.line).collect();
        prop_assert_eq!(lines, (0..line).collect::<Vec<_>>());
    }
}
