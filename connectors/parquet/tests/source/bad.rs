//! What is said of files that cannot be read.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::basic::{Compression, Encoding};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ColumnChunkMetaData, PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use crate::workshop::{Workshop, error_shown, rows, shown, table, titled, written};

fn messages(rows: usize) -> RecordBatch {
    let count = i64::try_from(rows).expect("a few");
    let bodies: Vec<String> = (0..rows)
        .map(|row| format!("message number {row}"))
        .collect();
    table(vec![
        (
            "id",
            Arc::new(Int64Array::from_iter_values(0..count)) as ArrayRef,
        ),
        ("body", Arc::new(StringArray::from(bodies)) as ArrayRef),
    ])
}

/// Three row groups of 1,000 rows, in pages of 100.
fn pages(compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(1_000))
        .set_data_page_row_count_limit(100)
        .set_write_batch_size(100)
        .set_dictionary_enabled(false)
        .set_write_page_header_statistics(true)
        .set_compression(compression);
    written(&messages(3_000), properties)
}

async fn file(contents: impl AsRef<[u8]>) -> String {
    let workshop = Workshop::new();
    workshop.write("records.parquet", contents);
    shown(&workshop.source(""), "records").await
}

#[tokio::test]
async fn what_is_no_parquet_file_is_an_error_with_advice() {
    let whole = pages(Compression::UNCOMPRESSED);
    let encrypted = [&whole[..whole.len() - 4], b"PARE"].concat();
    let mut long = whole.clone();
    let end = long.len() - 8;
    long[end..end + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut footer = whole.clone();
    let middle = footer.len() - 40;
    footer[middle..middle + 20].fill(0xff);
    insta::assert_snapshot!(titled(vec![
        ("empty", file("").await),
        ("short", file("PAR1").await),
        ("CSV", file("id,name\n1,x\n2,y\n").await),
        ("cut off", file(&whole[..whole.len() / 2]).await),
        ("an encrypted footer", file(encrypted).await),
        ("a footer longer than the file", file(long).await),
        ("a damaged footer", file(footer).await),
    ]));
}

#[tokio::test]
async fn a_path_that_names_nothing_to_read_is_an_error_with_advice() {
    let workshop = Workshop::with("data/a.parquet", &messages(1));
    workshop.write("beside/_SUCCESS", "");
    let mut cases = Vec::new();
    for path in ["missing.parquet", "data", "data/*.pq", "beside/*"] {
        let source = workshop.source(&format!("path = \"{path}\""));
        cases.push((path, shown(&source, "records").await));
    }
    let source = workshop.source("");
    cases.push(("no such table", shown(&source, "users").await));
    insta::assert_snapshot!(titled(cases));
}

#[tokio::test]
async fn rows_before_a_damaged_page_are_given() {
    let whole = pages(Compression::SNAPPY);
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(&bytes::Bytes::from(whole.clone()))
        .expect("a file");
    let pages = metadata.offset_index().expect("an index of its pages");
    for (name, group, column) in [("numbers", 1, 0), ("texts", 2, 1)] {
        let page = &pages[group][column].page_locations()[5];
        let at = usize::try_from(page.offset).expect("within the file");
        let mut damaged = whole.clone();
        damaged[at..at + 8].fill(0xff);
        let workshop = Workshop::new();
        workshop.write("records.parquet", damaged);
        let source = workshop.source("");
        let read = rows(&source, "records").await.expect("rows");
        let given = read.rows.num_rows();
        assert!(
            given >= group * 1_000 && given < (group + 1) * 1_000,
            "{given} rows"
        );
        assert_eq!(read.rows, messages(3_000).slice(0, given));
        let error = error_shown(&read.failed.expect("an error"));
        insta::assert_snapshot!(format!("damaged_{name}"), format!("{given} rows\n{error}"));
    }
}

/// One page of three numbers, with that checksum in its header.
fn page(checksum: Option<i32>) -> (Vec<u8>, i32) {
    let values = [1_i32, 2, 3].map(i32::to_le_bytes).concat();
    let sum = crc(&values);
    // The header in Thrift's compact form: each field a byte for its step and type, then its value.
    let mut header = Vec::new();
    let length = i32::try_from(values.len()).expect("a few");
    for value in [0, length, length, checksum.unwrap_or(sum)] {
        header.push(0x15);
        varint(&mut header, value);
    }
    header.push(0x1c);
    // Three values, plain, both levels by run lengths.
    for value in [3, 0, 3, 3] {
        header.push(0x15);
        varint(&mut header, value);
    }
    header.extend([0, 0]);
    ([header, values].concat(), sum)
}

fn varint(bytes: &mut Vec<u8>, value: i32) {
    let mut left = u32::from_ne_bytes(((value << 1) ^ (value >> 31)).to_ne_bytes());
    while left >= 0x80 {
        bytes.push(u8::try_from(left & 0x7f).expect("seven bits") | 0x80);
        left >>= 7;
    }
    bytes.push(u8::try_from(left).expect("seven bits"));
}

/// The checksum that gzip has, too.
fn crc(bytes: &[u8]) -> i32 {
    let step = |sum: u32, byte: &u8| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg())
        })
    };
    let sum = !bytes.iter().fold(!0, step);
    i32::from_ne_bytes(sum.to_ne_bytes())
}

#[tokio::test]
async fn a_wrong_checksum_is_noticed() {
    let mut cases = Vec::new();
    for (title, change) in [("right", 0), ("wrong", 1)] {
        let (_, sum) = page(None);
        let (page, _) = page(Some(sum ^ change));
        let schema =
            Arc::new(parse_message_type("message m { required int32 id; }").expect("a schema"));
        let mut file = Vec::new();
        let mut writer =
            SerializedFileWriter::new(&mut file, schema, Arc::default()).expect("a writer");
        let descriptor = writer.schema_descr().column(0);
        let size = i64::try_from(page.len()).expect("a few");
        let metadata = ColumnChunkMetaData::builder(descriptor)
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_num_values(3)
            .set_total_compressed_size(size)
            .set_total_uncompressed_size(size)
            .set_data_page_offset(0)
            .build()
            .expect("metadata");
        let close = ColumnCloseResult {
            bytes_written: page.len() as u64,
            rows_written: 3,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        let mut group = writer.next_row_group().expect("a row group");
        let page = bytes::Bytes::from(page);
        group.append_column(&page, close).expect("a column");
        group.close().expect("a row group is complete");
        writer.close().expect("the file is complete");
        cases.push((title, self::file(file).await));
    }
    insta::assert_snapshot!(titled(cases));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever is wrong with a file, it is said, and no row is made up where a checksum or the
    /// compression notices.
    #[test]
    fn damage_anywhere_is_no_panic(
        at in 0.0..1.0_f64,
        bytes in prop::collection::vec(any::<u8>(), 1..8),
        cut in prop::option::weighted(0.2, 0.0..1.0_f64),
    ) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a small file"
        )]
        let place = |share: f64, of: usize| (share * of as f64) as usize;
        let mut file = pages(Compression::SNAPPY);
        let start = place(at, file.len() - bytes.len());
        file[start..start + bytes.len()].copy_from_slice(&bytes);
        if let Some(cut) = cut {
            file.truncate(place(cut, file.len()));
        }
        let workshop = Workshop::new();
        workshop.write("records.parquet", file);
        let source = workshop.source("");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        match runtime.block_on(rows(&source, "records")) {
            Ok(read) => {
                if let Some(error) = read.failed {
                    prop_assert!(error.to_string().contains("records.parquet"));
                }
            }
            Err(error) => prop_assert!(error.to_string().contains("records.parquet")),
        }
    }
}
