//! What is really read of a file, counted where it is read.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use bytes::Bytes;
use chatferry_core::source::{Scan, SourceError};
use chatferry_core::{Comparison, Filter, Operand};
use chatferry_files::{Address, Found, Inquiry, Ranges, Root, Template};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};

use crate::describe::describe;
use crate::scan::read;
use crate::settings::TableSettings;

/// A file that counts the bytes that are read of it.
#[derive(Debug)]
struct Counted {
    file: Arc<dyn Ranges>,
    bytes: Arc<AtomicU64>,
}

impl Ranges for Counted {
    fn len(&self) -> u64 {
        self.file.len()
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        self.bytes
            .fetch_add(range.end - range.start, Ordering::Relaxed);
        self.file.read(range)
    }
}

/// 20 row groups of 5,000 messages each, in pages of 500: ids that ascend, names that do not, and
/// bodies of 200 bytes.
fn messages() -> RecordBatch {
    let ids = 0..100_000_i64;
    let names = ids
        .clone()
        .map(|id| format!("user-{}", id * 7_919 % 100_003));
    let bodies = ids.clone().map(|id| format!("{id:0>200}"));
    let columns: [(&str, ArrayRef); 3] = [
        ("id", Arc::new(Int64Array::from_iter_values(ids))),
        ("name", Arc::new(names.map(Some).collect::<StringArray>())),
        ("body", Arc::new(bodies.map(Some).collect::<StringArray>())),
    ];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_max_row_group_row_count(Some(5_000))
        .set_data_page_row_count_limit(500)
        .set_write_batch_size(500)
        .set_dictionary_enabled(false)
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
}

/// How many rows a scan of these columns gives, and how many bytes are read for it.
fn cost(
    properties: WriterPropertiesBuilder,
    columns: Vec<usize>,
    filters: Vec<Filter>,
) -> (usize, u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("messages.parquet");
    let file = std::fs::File::create(path).expect("a file");
    let rows = messages();
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties.build()))
        .expect("a schema that can be written");
    writer.write(&rows).expect("rows are written");
    writer.close().expect("the file is complete");
    let root = Root::open(&Address::folder(folder.path(), "the folder")).expect("a root");
    let settings = TableSettings {
        template: Template::literal("messages.parquet"),
        partitions: true,
    };
    let described =
        describe("messages", &root, &settings, &Inquiry::of(&|| true)).expect("described");
    let bytes = Arc::new(AtomicU64::new(0));
    let open = |found: &Found| -> Result<Arc<dyn Ranges>, SourceError> {
        Ok(Arc::new(Counted {
            file: root.ranges(found)?,
            bytes: Arc::clone(&bytes),
        }))
    };
    let scan = Scan {
        filters,
        ..Scan::of(Arc::clone(&described.table), columns, 1_000)
    };
    let rows = std::cell::Cell::new(0);
    let flow = read(&open, &root, &settings, &described, &scan, &|batch| {
        rows.set(rows.get() + batch.rows.num_rows());
        ControlFlow::Continue(())
    });
    assert!(flow.expect("everything is read").is_continue());
    (rows.get(), bytes.load(Ordering::Relaxed))
}

fn compare(column: &str, comparison: Comparison, value: Operand) -> Filter {
    Filter::Compare {
        column: column.into(),
        comparison,
        value,
    }
}

fn from(id: i128) -> Vec<Filter> {
    vec![compare(
        "id",
        Comparison::GreaterOrEqual,
        Operand::Whole(id),
    )]
}

fn named(name: &str) -> Vec<Filter> {
    vec![compare(
        "name",
        Comparison::Equal,
        Operand::Text(name.into()),
    )]
}

#[test]
fn only_the_columns_that_are_wanted_are_read() {
    let (rows, whole) = cost(properties(), vec![0, 1, 2], Vec::new());
    assert_eq!(rows, 100_000);
    assert!(whole > 100_000 * 200);
    let (rows, one) = cost(properties(), vec![0], Vec::new());
    assert_eq!(rows, 100_000);
    assert!(one < 100_000 * 10, "{one} bytes");
    let (rows, none) = cost(properties(), Vec::new(), Vec::new());
    assert_eq!(rows, 100_000);
    assert!(none < 100_000, "{none} bytes");
}

#[test]
fn row_groups_that_statistics_rule_out_are_not_read() {
    let (rows, bytes) = cost(properties(), vec![2], from(97_500));
    assert_eq!(rows, 2_500);
    // One group of twenty.
    assert!(bytes < 1_500_000, "{bytes} bytes");
    let without = properties().set_statistics_enabled(EnabledStatistics::None);
    let (rows, bytes) = cost(without, vec![2], from(97_500));
    assert_eq!(rows, 2_500);
    assert!(bytes > 800_000, "{bytes} bytes");
}

#[test]
fn pages_that_their_index_rules_out_are_not_read() {
    let indexed = || {
        properties()
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_offset_index_disabled(false)
            .set_max_row_group_row_count(None)
    };
    let (rows, bytes) = cost(indexed(), vec![2], from(99_000));
    assert_eq!(rows, 1_000);
    // All rows are in one group; two of its 200 pages are read, and what is read ahead of them.
    assert!(bytes < 1_000_000, "{bytes} bytes");
}

#[test]
fn bloom_filters_rule_out_what_statistics_cannot() {
    // Each group has names from the whole range, and this is none of them.
    let (rows, plain) = cost(properties(), vec![2], named("user-55555x"));
    assert_eq!(rows, 0);
    assert!(plain > 1_000_000, "{plain} bytes");
    let bloom = properties().set_bloom_filter_enabled(true);
    let (rows, filtered) = cost(bloom.clone(), vec![2], named("user-55555x"));
    assert_eq!(rows, 0);
    assert!(filtered < plain / 2, "{filtered} of {plain} bytes");
    let (rows, _) = cost(bloom, vec![2], named("user-7919"));
    assert_eq!(rows, 1);
}
