//! Any table that can be written is read as it was written.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array as _, Float64Array, TimestampMicrosecondArray};
use arrow::util::display::array_value_to_string;
use chatferry_core::source::Scan;
use chatferry_testkit::servers;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use tokio::runtime::Runtime;

use crate::workshop::{scanned, source};

/// A type, and values of it: each as SQL writes it, and as Arrow shows it.
type Values = (&'static str, BoxedStrategy<(String, String)>);

/// The same in SQL and as it is shown.
fn same<T: ToString + std::fmt::Debug + 'static>(
    values: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<(String, String)> {
    values
        .prop_map(|value| (value.to_string(), value.to_string()))
        .boxed()
}

/// A text in SQL, as hexadecimal digits, which need no escapes.
fn text(of: &'static str) -> BoxedStrategy<(String, String)> {
    of.prop_map(|text| {
        (
            format!("convert({} using utf8mb4)", hex(text.as_bytes())),
            text,
        )
    })
    .boxed()
}

fn hex(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    match digits.is_empty() {
        true => "''".to_owned(),
        false => format!("0x{digits}"),
    }
}

fn types() -> Vec<Values> {
    let bytes = prop::collection::vec(any::<u8>(), 0..40);
    let bytes = bytes.prop_map(|bytes| {
        let shown: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        (hex(&bytes), shown)
    });
    let decimal = (any::<bool>(), 0_u64..10_000_000_000, 0_u32..10_000).prop_map(
        |(negative, whole, fraction)| {
            let sign = if negative && (whole, fraction) != (0, 0) {
                "-"
            } else {
                ""
            };
            let number = format!("{sign}{whole}.{fraction:04}");
            (number.clone(), number)
        },
    );
    let day = (1_i32..10_000, 1_u32..13, 1_u32..29);
    let date = day.prop_map(|(year, month, day)| {
        let date = format!("{year:04}-{month:02}-{day:02}");
        (format!("'{date}'"), date)
    });
    let time = (
        1_i32..10_000,
        1_u32..13,
        1_u32..29,
        0_u32..24,
        0_u32..60,
        1_u32..1_000_000,
    );
    let time = time.prop_map(|(year, month, day, hour, minute, micro)| {
        let date = chrono::NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let time = date.and_hms_micro_opt(hour, minute, 59, micro).unwrap();
        let micros = TimestampMicrosecondArray::from(vec![time.and_utc().timestamp_micros()]);
        let shown = array_value_to_string(&micros, 0).unwrap();
        (format!("'{}'", time.format("%Y-%m-%d %H:%M:%S%.6f")), shown)
    });
    let double = any::<f64>().prop_filter("finite and normal", |double| double.is_normal());
    let double = double.prop_map(|double| {
        let shown = array_value_to_string(&Float64Array::from(vec![double]), 0).unwrap();
        (format!("{double:e}"), shown)
    });
    vec![
        ("tinyint", same(any::<i8>())),
        ("tinyint unsigned", same(any::<u8>())),
        ("smallint", same(any::<i16>())),
        ("mediumint", same(-8_388_608..8_388_608_i32)),
        ("mediumint unsigned", same(0..16_777_216_u32)),
        ("int", same(any::<i32>())),
        ("int unsigned", same(any::<u32>())),
        ("bigint", same(any::<i64>())),
        ("bigint unsigned", same(any::<u64>())),
        ("bit(64)", same(any::<u64>())),
        ("year", same(1901..2156_i32)),
        ("double", double.boxed()),
        ("decimal(14,4)", decimal.boxed()),
        ("varchar(60)", text("\\PC{0,20}")),
        ("text", text("(?s).{0,30}")),
        ("varchar(60) character set latin1", text("[a-zà-ÿ€ ]{0,20}")),
        ("blob", bytes.boxed()),
        ("date", date.boxed()),
        ("datetime(6)", time.boxed()),
    ]
}

/// A table: the types of its columns, and its rows, each value in SQL and as it is shown.
#[derive(Debug)]
struct Written {
    types: Vec<&'static str>,
    rows: Vec<Vec<Option<(String, String)>>>,
}

fn table() -> impl Strategy<Value = Written> {
    let columns = prop::sample::subsequence((0..types().len()).collect::<Vec<_>>(), 1..8);
    columns.prop_flat_map(|columns| {
        let all = types();
        let (names, values): (Vec<_>, Vec<_>) = columns
            .into_iter()
            .map(|column| {
                (
                    all[column].0,
                    prop::option::weighted(0.9, all[column].1.clone()),
                )
            })
            .unzip();
        prop::collection::vec(values, 0..40).prop_map(move |rows| Written {
            types: names.clone(),
            rows,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_was_written_is_what_is_read(written in table()) {
        static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
        RUNTIME.block_on(check(written))?;
    }
}

async fn check(written: Written) -> Result<(), TestCaseError> {
    let database = servers::mariadb().await.database().await;
    let columns: Vec<String> = written
        .types
        .iter()
        .enumerate()
        .map(|(place, of)| format!("c{place} {of}"))
        .collect();
    let mut script = format!(
        "CREATE TABLE t (id int PRIMARY KEY, {});",
        columns.join(", ")
    );
    for (id, row) in written.rows.iter().enumerate() {
        let values = row.iter().map(|value| match value {
            Some((sql, _)) => sql.clone(),
            None => "NULL".to_owned(),
        });
        let values: Vec<String> = values.collect();
        script.push_str(&format!(
            "INSERT INTO t VALUES ({id}, {});",
            values.join(", ")
        ));
    }
    database.execute(&script).await;

    let source = source(database.url(), "");
    let table = source.describe("t").await.unwrap();
    let all = (1..=written.types.len()).collect();
    let read = scanned(&source, Scan::of(Arc::clone(&table), all, 7)).await;
    prop_assert!(read.failed.is_none() && read.rejected.is_empty());
    prop_assert_eq!(read.rows.num_rows(), written.rows.len());
    for (row, values) in written.rows.iter().enumerate() {
        for (column, value) in read.rows.columns().iter().zip(values) {
            let found = column
                .is_valid(row)
                .then(|| array_value_to_string(column, row).unwrap());
            let expected = value.as_ref().map(|(_, shown)| shown.clone());
            prop_assert_eq!(found, expected, "row {}", row);
        }
    }
    Ok(())
}
