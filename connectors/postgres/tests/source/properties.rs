//! What holds for any table: what is read is what was written.

use arrow::array::AsArray;
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::workshop::{Workshop, rows};

/// One row as it is written. The times are microseconds from 1970, within the calendar.
#[derive(Clone, Debug)]
struct Written {
    whole: Option<i64>,
    real: f64,
    text: Option<String>,
    cents: i64,
    time: Option<i64>,
    day: i32,
    list: Vec<Option<String>>,
}

fn written() -> impl Strategy<Value = Written> {
    let text = || "[^\\x00]{0,12}";
    (
        any::<Option<i64>>(),
        any::<f64>(),
        proptest::option::of(text()),
        -99_999_999_i64..=99_999_999,
        proptest::option::of(-200_000_000_000_000_000_i64..=200_000_000_000_000_000),
        -2_400_000..=2_000_000,
        prop::collection::vec(proptest::option::of(text()), 0..4),
    )
        .prop_map(|(whole, real, text, cents, time, day, list)| Written {
            whole,
            real,
            text,
            cents,
            time,
            day,
            list,
        })
}

fn text(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

fn or_null(value: Option<String>) -> String {
    value.unwrap_or_else(|| "NULL".into())
}

/// Days and microseconds apart: PostgreSQL multiplies intervals by floats.
fn timestamp(time: i64) -> String {
    const DAY: i64 = 86_400_000_000;
    let (days, rest) = (time.div_euclid(DAY), time.rem_euclid(DAY));
    format!("timestamptz 'epoch' + interval '1 day' * {days} + interval '1 microsecond' * {rest}")
}

impl Written {
    fn sql(&self, id: usize) -> String {
        let list: Vec<String> = self
            .list
            .iter()
            .map(|item| or_null(item.as_deref().map(text)))
            .collect();
        format!(
            "({id}, {}, '{}'::float8, {}, {}::numeric / 100, \
             {}, '1970-01-01'::date + {}, ARRAY[{}]::text[])",
            or_null(self.whole.map(|whole| format!("'{whole}'::int8"))),
            self.real,
            or_null(self.text.as_deref().map(text)),
            self.cents,
            or_null(self.time.map(timestamp)),
            self.day,
            list.join(", "),
        )
    }
}

#[test]
fn any_table_is_read_as_it_was_written() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 12,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let tables = prop::collection::vec(written(), 1..40);
    runner
        .run(&tables, |table| {
            runtime.block_on(check(&table));
            Ok(())
        })
        .unwrap();
}

async fn check(table: &[Written]) {
    let values: Vec<String> = table
        .iter()
        .enumerate()
        .map(|(id, row)| row.sql(id))
        .collect();
    let workshop = Workshop::with(&format!(
        "CREATE TABLE t (id int8 PRIMARY KEY, whole int8, \"real\" float8, text text, \
         cents numeric(20, 2), time timestamptz, day date, list text[]); \
         INSERT INTO t VALUES {}",
        values.join(", ")
    ))
    .await;
    let read = rows(&workshop.source(""), "t").await.unwrap();
    assert!(read.rejected.is_empty() && read.failed.is_none());
    assert_eq!(read.rows.num_rows(), table.len());
    let column = |place: usize| read.rows.column(place);
    for (row, written) in table.iter().enumerate() {
        let whole = column(1).as_primitive::<Int64Type>();
        assert_eq!(
            column(1).is_valid(row).then(|| whole.value(row)),
            written.whole
        );
        let real = column(2).as_primitive::<Float64Type>().value(row);
        assert!(real == written.real || (real.is_nan() && written.real.is_nan()));
        let text = column(3).as_string::<i32>();
        let text = column(3).is_valid(row).then(|| text.value(row));
        assert_eq!(text, written.text.as_deref());
        let cents = column(4).as_primitive::<Decimal128Type>().value(row);
        assert_eq!(cents, i128::from(written.cents));
        let time = column(5).as_primitive::<TimestampMicrosecondType>();
        assert_eq!(
            column(5).is_valid(row).then(|| time.value(row)),
            written.time
        );
        assert_eq!(
            column(6).as_primitive::<Date32Type>().value(row),
            written.day
        );
        let list = column(7).as_list::<i32>().value(row);
        let list: Vec<Option<&str>> = list.as_string::<i32>().iter().collect();
        let expected: Vec<Option<&str>> = written.list.iter().map(Option::as_deref).collect();
        assert_eq!(list, expected);
    }
}
