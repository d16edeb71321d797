//! What must hold for every input.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, ListArray, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{Field, Fields};
use chatferry_testkit::source::assert_contract;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use proptest::prelude::*;

use crate::workshop::{Workshop, rows_by, table, written};

fn nullable<T: std::fmt::Debug>(
    value: impl Strategy<Value = T>,
    rows: usize,
) -> impl Strategy<Value = Vec<Option<T>>> {
    prop::collection::vec(prop::option::weighted(0.8, value), rows)
}

/// Any column of so many rows.
fn column(rows: usize, depth: u32) -> BoxedStrategy<ArrayRef> {
    let plain = prop_oneof![
        nullable(any::<bool>(), rows)
            .prop_map(|values| Arc::new(BooleanArray::from(values)) as ArrayRef),
        nullable(any::<i32>(), rows).prop_map(|values| Arc::new(Int32Array::from(values)) as _),
        nullable(-3_i64..3, rows).prop_map(|values| Arc::new(Int64Array::from(values)) as _),
        nullable(any::<i64>(), rows).prop_map(|values| Arc::new(Int64Array::from(values)) as _),
        nullable(prop::num::f64::NORMAL, rows)
            .prop_map(|values| Arc::new(Float64Array::from(values)) as _),
        nullable("\\PC{0,12}", rows).prop_map(|values| Arc::new(StringArray::from(values)) as _),
        nullable("[ab]", rows).prop_map(|values| Arc::new(StringArray::from(values)) as _),
        nullable(-1_000_000_000_000_i64..4_000_000_000_000_000, rows)
            .prop_map(|values| Arc::new(
                TimestampMicrosecondArray::from(values).with_timezone("UTC")
            ) as _),
    ];
    if depth == 0 {
        return plain.boxed();
    }
    let lists = prop::collection::vec(prop::option::weighted(0.8, 0_usize..4), rows);
    let list = lists.prop_flat_map(move |lengths| {
        let items: usize = lengths.iter().map(|length| length.unwrap_or(0)).sum();
        column(items, depth - 1).prop_map(move |items| {
            let field = Arc::new(Field::new("item", items.data_type().clone(), true));
            let offsets = OffsetBuffer::from_lengths(lengths.iter().map(|one| one.unwrap_or(0)));
            let nulls: NullBuffer = lengths.iter().map(Option::is_some).collect();
            Arc::new(ListArray::new(field, offsets, items, Some(nulls))) as ArrayRef
        })
    });
    let object = (
        column(rows, depth - 1),
        column(rows, depth - 1),
        prop::collection::vec(prop::bool::weighted(0.8), rows),
    )
        .prop_map(|(a, b, valid)| {
            let fields: Fields = [("a", &a), ("b", &b)]
                .map(|(name, column)| Field::new(name, column.data_type().clone(), true))
                .into_iter()
                .collect();
            Arc::new(StructArray::new(fields, vec![a, b], Some(valid.into()))) as ArrayRef
        });
    prop_oneof![4 => plain, 1 => list, 1 => object].boxed()
}

fn columns() -> impl Strategy<Value = Vec<ArrayRef>> {
    (1_usize..40, 1_usize..4)
        .prop_flat_map(|(rows, width)| prop::collection::vec(column(rows, 2), width))
}

fn properties() -> impl Strategy<Value = parquet::file::properties::WriterPropertiesBuilder> {
    (
        any::<bool>(),
        1_usize..40,
        1_usize..20,
        0_usize..3,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(dictionary, group, page, statistics, snappy, bloom)| {
            let statistics = [
                EnabledStatistics::None,
                EnabledStatistics::Chunk,
                EnabledStatistics::Page,
            ][statistics];
            WriterProperties::builder()
                .set_dictionary_enabled(dictionary)
                .set_max_row_group_row_count(Some(group))
                .set_data_page_row_count_limit(page)
                .set_write_batch_size(page)
                .set_statistics_enabled(statistics)
                .set_statistics_truncate_length(Some(4))
                .set_bloom_filter_enabled(bloom)
                .set_compression(match snappy {
                    true => Compression::SNAPPY,
                    false => Compression::UNCOMPRESSED,
                })
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// However it is cut into row groups and pages, and whatever is known of them, a table is read
    /// back as it was written, and every condition on it that is honoured holds for the rows that it
    /// should.
    #[test]
    fn what_is_written_is_read_back(columns in columns(), properties in properties(), most in 1_usize..30) {
        let names: Vec<String> = (0..columns.len()).map(|at| format!("c{at}")).collect();
        let named = names.iter().map(String::as_str).zip(columns).collect();
        let rows = table(named);
        let workshop = Workshop::new();
        workshop.write("records.parquet", written(&rows, properties));
        let source = workshop.source("");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let read = runtime.block_on(rows_by(&source, "records", most)).expect("rows");
        prop_assert!(read.failed.is_none(), "{:?}", read.failed);
        prop_assert_eq!(read.rows.schema(), rows.schema());
        prop_assert_eq!(&read.rows, &rows);
        runtime.block_on(assert_contract(source, "records"));
    }
}
