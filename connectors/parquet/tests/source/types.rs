//! What becomes of each type.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BinaryViewArray, BooleanArray, Date32Array, Date64Array,
    Decimal128Array, Decimal256Array, DictionaryArray, DurationMillisecondArray,
    FixedSizeBinaryArray, FixedSizeListArray, Float16Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, IntervalDayTimeArray, IntervalYearMonthArray,
    LargeBinaryArray, LargeListArray, LargeStringArray, ListArray, MapBuilder, NullArray,
    RecordBatch, StringArray, StringBuilder, StringViewArray, StructArray, Time32MillisecondArray,
    Time64MicrosecondArray, TimestampMicrosecondArray, TimestampMillisecondArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt8Array, UInt32Array, UInt64Array,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int32Type, IntervalDayTime, Schema, i256};
use chatferry_core::source::Scan;
use chatferry_core::{Comparison, Filter, Operand};
use chatferry_testkit::reading::scanned;
use chatferry_testkit::source::assert_contract;
use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int32Type as Int32s, Int96,
    Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use crate::workshop::{Workshop, error_shown, shown, table, titled};

/// What is shown of these columns, after they have kept every promise.
async fn columns(columns: Vec<(&str, ArrayRef)>) -> String {
    of_rows(&table(columns)).await
}

async fn of_rows(rows: &RecordBatch) -> String {
    of(Workshop::with("records.parquet", rows)).await
}

async fn of(workshop: Workshop) -> String {
    let source = workshop.source("");
    assert_contract(source.clone(), "records").await;
    shown(&source, "records").await
}

#[tokio::test]
async fn plain_types_stay_what_they_are() {
    let half = |value: f32| half(value);
    insta::assert_snapshot!(
        columns(vec![
            (
                "flag",
                Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))
            ),
            (
                "i8",
                Arc::new(Int8Array::from(vec![Some(-128), None, Some(127)]))
            ),
            (
                "i16",
                Arc::new(Int16Array::from(vec![Some(i16::MIN), None, Some(i16::MAX)]))
            ),
            (
                "i32",
                Arc::new(Int32Array::from(vec![Some(i32::MIN), None, Some(i32::MAX)]))
            ),
            (
                "i64",
                Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)]))
            ),
            (
                "u8",
                Arc::new(UInt8Array::from(vec![Some(0), None, Some(u8::MAX)]))
            ),
            (
                "u32",
                Arc::new(UInt32Array::from(vec![Some(0), None, Some(u32::MAX)]))
            ),
            (
                "u64",
                Arc::new(UInt64Array::from(vec![Some(0), None, Some(u64::MAX)]))
            ),
            (
                "f16",
                Arc::new(Float16Array::from(vec![
                    Some(half(1.5)),
                    None,
                    Some(half(-0.25))
                ]))
            ),
            (
                "f32",
                Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::MIN)]))
            ),
            (
                "f64",
                Arc::new(Float64Array::from(vec![Some(0.1), None, Some(f64::NAN)]))
            ),
            (
                "text",
                Arc::new(StringArray::from(vec![Some(""), None, Some("👋 é")]))
            ),
            (
                "bytes",
                Arc::new(BinaryArray::from_opt_vec(vec![
                    Some(b"\0\xff"),
                    None,
                    Some(b"")
                ]))
            ),
            ("null", Arc::new(NullArray::new(3))),
        ])
        .await
    );
}

fn half(
    value: f32,
) -> <arrow::datatypes::Float16Type as arrow::datatypes::ArrowPrimitiveType>::Native {
    <arrow::datatypes::Float16Type as arrow::datatypes::ArrowPrimitiveType>::Native::from_f32(value)
}

#[tokio::test]
async fn times_keep_their_unit_and_zone() {
    let zoned = |zone: &str| {
        let times = vec![Some(1_700_000_000_123_456), None];
        Arc::new(TimestampMicrosecondArray::from(times).with_timezone(zone)) as ArrayRef
    };
    insta::assert_snapshot!(
        columns(vec![
            ("date", Arc::new(Date32Array::from(vec![Some(-1), None]))),
            (
                "date64",
                Arc::new(Date64Array::from(vec![Some(86_400_000), None]))
            ),
            (
                "s",
                Arc::new(TimestampSecondArray::from(vec![Some(1_700_000_000), None]))
            ),
            (
                "ms",
                Arc::new(TimestampMillisecondArray::from(vec![Some(-1), None]))
            ),
            (
                "ns",
                Arc::new(TimestampNanosecondArray::from(vec![Some(1_000), None]))
            ),
            ("utc", zoned("UTC")),
            ("berlin", zoned("Europe/Berlin")),
            ("offset", zoned("+02:00")),
            (
                "time32",
                Arc::new(Time32MillisecondArray::from(vec![Some(1), None]))
            ),
            (
                "time64",
                Arc::new(Time64MicrosecondArray::from(vec![Some(1), None]))
            ),
            (
                "duration",
                Arc::new(DurationMillisecondArray::from(vec![Some(1_500), None]))
            ),
        ])
        .await
    );
}

#[tokio::test]
async fn decimals_keep_every_digit() {
    let small = Decimal128Array::from(vec![Some(-1), None, Some(123_456)]);
    let wide = Decimal128Array::from(vec![Some(i128::from(u64::MAX)), None, Some(-1)]);
    let huge = Decimal256Array::from(vec![
        Some(i256::MAX / i256::from_i128(10)),
        None,
        Some(i256::ONE),
    ]);
    insta::assert_snapshot!(
        columns(vec![
            (
                "small",
                Arc::new(small.with_precision_and_scale(9, 2).expect("a decimal"))
            ),
            (
                "wide",
                Arc::new(wide.with_precision_and_scale(38, 10).expect("a decimal"))
            ),
            (
                "huge",
                Arc::new(huge.with_precision_and_scale(76, 0).expect("a decimal"))
            ),
        ])
        .await
    );
}

#[tokio::test]
async fn how_values_are_kept_does_not_matter() {
    let texts = || vec![Some("a"), None, Some("a")];
    let dictionary: DictionaryArray<Int32Type> = texts().into_iter().collect();
    let bytes = || vec![Some(b"a".as_ref()), None, Some(b"".as_ref())];
    insta::assert_snapshot!(
        columns(vec![
            ("dictionary", Arc::new(dictionary)),
            ("large", Arc::new(LargeStringArray::from(texts()))),
            ("view", Arc::new(StringViewArray::from(texts()))),
            ("large_bytes", Arc::new(LargeBinaryArray::from(bytes()))),
            ("bytes_view", Arc::new(BinaryViewArray::from(bytes()))),
            (
                "fixed",
                Arc::new(
                    FixedSizeBinaryArray::try_from_sparse_iter_with_size(
                        vec![Some([1_u8, 2]), None, Some([3, 4])].into_iter(),
                        2
                    )
                    .expect("two bytes each")
                )
            ),
        ])
        .await
    );
}

#[tokio::test]
async fn nested_types_stay_nested() {
    let numbers = || {
        ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ])
    };
    let large = LargeListArray::from_iter_primitive::<Float64Type, _, _>(vec![
        Some(vec![Some(0.5)]),
        None,
        Some(vec![]),
    ]);
    let fixed = FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(
        vec![
            Some(vec![Some(1), Some(2)]),
            None,
            Some(vec![Some(3), None]),
        ],
        2,
    );
    let object = StructArray::from(vec![
        (
            Arc::new(Field::new("name", DataType::Utf8View, false)),
            Arc::new(StringViewArray::from(vec!["a", "b", "c"])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("tags", numbers().data_type().clone(), true)),
            Arc::new(numbers()) as ArrayRef,
        ),
    ]);
    let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    map.keys().append_value("k");
    map.values().append_null();
    map.append(true).expect("an entry");
    map.append(false).expect("a null");
    map.append(true).expect("an empty map");
    insta::assert_snapshot!(
        columns(vec![
            ("numbers", Arc::new(numbers())),
            ("large", Arc::new(large)),
            ("fixed", Arc::new(fixed)),
            ("object", Arc::new(object)),
            ("map", Arc::new(map.finish())),
        ])
        .await
    );
}

/// A file whose columns only Parquet's own words can declare.
fn foreign(schema: &str, write: impl Fn(&mut SerializedFileWriter<&mut Vec<u8>>)) -> Workshop {
    let schema = Arc::new(parse_message_type(schema).expect("a schema"));
    let mut file = Vec::new();
    let properties = Arc::new(WriterProperties::new());
    let mut writer = SerializedFileWriter::new(&mut file, schema, properties).expect("a writer");
    write(&mut writer);
    writer.close().expect("the file is complete");
    let workshop = Workshop::new();
    workshop.write("records.parquet", file);
    workshop
}

#[tokio::test]
async fn what_only_parquet_has_arrives_without_loss() {
    let schema = "message m {
        required int96 at;
        required binary kind (ENUM);
        required fixed_len_byte_array(16) uuid (UUID);
        required fixed_len_byte_array(12) took (INTERVAL);
        required binary plain;
        required binary document (BSON);
        required int32 day (DATE);
    }";
    let workshop = foreign(schema, |writer| {
        let mut group = writer.next_row_group().expect("a row group");
        let mut at = Int96::new();
        // 9999-12-31, which 64 bits of nanoseconds cannot hold, and half a second.
        at.set_data(500_000_000, 0, 5_373_484);
        let bytes = |bytes: Vec<u8>| ByteArray::from(bytes);
        let interval = [14_u32, 3, 4_500].map(u32::to_le_bytes).concat();
        for name in ["at", "kind", "uuid", "took", "plain", "document", "day"] {
            let mut column = group.next_column().expect("a column").expect("a column");
            match name {
                "at" => column.typed::<Int96Type>().write_batch(&[at], None, None),
                "day" => column.typed::<Int32s>().write_batch(&[19_000], None, None),
                "uuid" | "took" => {
                    let value = if name == "uuid" {
                        (0..16).collect()
                    } else {
                        interval.clone()
                    };
                    let value = [FixedLenByteArray::from(value)];
                    column
                        .typed::<FixedLenByteArrayType>()
                        .write_batch(&value, None, None)
                }
                _ => {
                    let value = [bytes(b"GREEN".to_vec())];
                    column
                        .typed::<ByteArrayType>()
                        .write_batch(&value, None, None)
                }
            }
            .expect("a value");
            column.close().expect("a column is complete");
        }
        group.close().expect("a row group is complete");
    });
    insta::assert_snapshot!(of(workshop).await);
}

#[tokio::test]
async fn intervals_of_arrow_become_text_with_all_of_their_parts() {
    insta::assert_snapshot!(
        columns(vec![
            (
                "months",
                Arc::new(IntervalYearMonthArray::from(vec![Some(14), None]))
            ),
            (
                "days",
                Arc::new(IntervalDayTimeArray::from(vec![
                    Some(IntervalDayTime::new(2, 1)),
                    None
                ]))
            ),
        ])
        .await
    );
}

#[tokio::test]
async fn what_is_declared_to_be_json_is_json_or_rejected() {
    let schema = "message m { optional binary payload (JSON); required int32 id; }";
    let values = [r#"{"a":[1,null]}"#, "{a", "5", ""].map(ByteArray::from);
    let workshop = foreign(schema, |writer| {
        for _ in 0..2 {
            let mut group = writer.next_row_group().expect("a row group");
            let mut column = group.next_column().expect("a column").expect("a column");
            let written = column.typed::<ByteArrayType>();
            written
                .write_batch(&values, Some(&[1, 1, 0, 1, 1]), None)
                .expect("values");
            column.close().expect("a column is complete");
            let mut column = group.next_column().expect("a column").expect("a column");
            let written = column.typed::<Int32s>();
            written
                .write_batch(&[0, 1, 2, 3, 4], None, None)
                .expect("values");
            column.close().expect("a column is complete");
            group.close().expect("a row group is complete");
        }
    });
    insta::assert_snapshot!(of(workshop).await);
}

#[tokio::test]
async fn a_row_whose_text_is_not_utf8_is_rejected_and_the_others_go_on() {
    let schema = "message m {
        optional binary body (UTF8);
        optional group tags (LIST) { repeated group list { optional binary element (ENUM); } }
        required int32 id;
    }";
    let texts = |texts: &[&[u8]]| -> Vec<ByteArray> {
        texts
            .iter()
            .map(|text| ByteArray::from(text.to_vec()))
            .collect()
    };
    let workshop = foreign(schema, |writer| {
        let mut group = writer.next_row_group().expect("a row group");
        let bodies = texts(&[b"a", b"\xff", "é".as_bytes(), b"d", b"\xc3"]);
        let tags = texts(&[b"x", b"y", b"\xfe", b"z"]);
        for name in ["body", "tags", "id"] {
            let mut column = group.next_column().expect("a column").expect("a column");
            match name {
                "body" => column.typed::<ByteArrayType>().write_batch(
                    &bodies,
                    Some(&[1, 1, 0, 1, 1, 1]),
                    None,
                ),
                "tags" => column.typed::<ByteArrayType>().write_batch(
                    &tags,
                    Some(&[3, 3, 0, 0, 0, 3, 3]),
                    Some(&[0, 1, 0, 0, 0, 0, 0]),
                ),
                _ => {
                    let ids = column.typed::<Int32s>();
                    ids.write_batch(&[0, 1, 2, 3, 4, 5], None, None)
                }
            }
            .expect("values");
            column.close().expect("a column is complete");
        }
        group.close().expect("a row group is complete");
    });
    let source = workshop.source("");
    let whole = shown(&source, "records").await;
    let described = source.describe("records").await.expect("described");
    // The row is rejected when it cannot be known whether it is wanted, too.
    let is_a = Filter::Compare {
        column: "body".into(),
        comparison: Comparison::NotEqual,
        value: Operand::Text("a".into()),
    };
    let scan = Scan {
        filters: vec![is_a],
        ..Scan::of(described, vec![2], 10)
    };
    let filtered = scanned(&source, scan).await.shown(error_shown);
    insta::assert_snapshot!(titled(vec![("whole", whole), ("filtered", filtered)]));
}

#[tokio::test]
async fn a_file_without_rows_or_columns_is_a_table_without_them() {
    let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true)]));
    let none = of_rows(&RecordBatch::new_empty(schema)).await;
    insta::assert_snapshot!(titled(vec![("no rows", none)]));
}
