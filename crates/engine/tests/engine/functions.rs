//! Our functions, called from SQL, and their page in the documentation.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Date64Array, Float64Array, Int64Array, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
};
use chatferry_engine::functions;

use crate::stage::{numbers, over, rows, texts};

/// What an expression gives for a row of these columns.
async fn value(expression: &str, columns: Vec<(&str, ArrayRef)>) -> String {
    let run = over(rows(columns))
        .field("metadata.x", expression)
        .run()
        .await;
    if let Some(rejected) = run.rejected.first() {
        return rejected.detail.clone();
    }
    let written = run.column("metadata").remove(0);
    match written
        .strip_prefix("{x: ")
        .and_then(|rest| rest.strip_suffix('}'))
    {
        Some(value) => value.to_owned(),
        None => written,
    }
}

fn one(value: impl arrow::array::Array + 'static) -> Vec<(&'static str, ArrayRef)> {
    vec![("x", Arc::new(value))]
}

#[tokio::test]
async fn the_examples_in_the_documentation_hold() {
    for definition in functions::ALL {
        let (call, gives) = definition.example;
        assert_eq!(
            value(call, one(Int64Array::from(vec![1]))).await,
            gives,
            "{call}"
        );
    }
}

#[tokio::test]
async fn names_of_functions_have_no_case() {
    for call in ["COMETCHAT_ID(x)", "Cometchat_Id(x)"] {
        assert_eq!(
            value(call, vec![("x", texts(&[Some("A.b")]))]).await,
            "a_b_1ddh"
        );
    }
}

#[tokio::test]
async fn columns_give_the_same_as_constants_and_null_gives_null() {
    for (call, given, made) in [
        ("cometchat_id(x)", "A.b", "a_b_1ddh"),
        ("file_extension(x)", "cat.PNG", "png"),
        ("file_extension(x)", "/a.b/.hidden", "bin"),
        ("json(x)", "[1, 2.50]", "[1, 2.50]"),
        ("json_text(x)", "\"a\\nb\"", "a\nb"),
        ("json_text(x)", "{\"b\":1}", "{\"b\":1}"),
        ("json_text(x)", "null", "null"),
        ("member_id(x, 'u2')", "g1", "g1_member_u2"),
        ("member_id('g1', x)", "u2", "g1_member_u2"),
        ("message_type(x)", "audio/ogg", "audio"),
        ("message_type(x)", "text/plain", "file"),
        ("mime_type(x)", "a.JPG", "image/jpeg"),
        ("mime_type(x)", "a", "application/octet-stream"),
        ("slack_text(x)", "&lt;3", "<3"),
        ("unix_seconds(x)", "1433558319999", "1433558319"),
    ] {
        assert_eq!(
            value(call, vec![("x", texts(&[Some(given)]))]).await,
            made,
            "{call}"
        );
        let quoted = format!("'{given}'");
        let constant = call
            .replace('x', &quoted)
            .replace(&format!("uni{quoted}"), "unix");
        let constant = constant.replace(&format!("slack_te{quoted}t"), "slack_text");
        let constant = constant.replace(&format!("te{quoted}t"), "text");
        let constant = constant.replace(&format!("file_e{quoted}tension"), "file_extension");
        assert_eq!(
            value(&constant, one(Int64Array::from(vec![1]))).await,
            made,
            "{constant}"
        );
        assert_eq!(
            value(call, vec![("x", texts(&[None]))]).await,
            "null",
            "{call}"
        );
        let null = call.replace("(x", "(NULL").replace(", x", ", NULL");
        assert_eq!(
            value(&null, one(Int64Array::from(vec![1]))).await,
            "null",
            "{null}"
        );
    }
}

#[tokio::test]
async fn whole_numbers_are_taken_as_text() {
    assert_eq!(
        value("cometchat_id(x)", vec![("x", numbers(&[Some(42)]))]).await,
        "42"
    );
    assert_eq!(
        value("member_id(x, 7)", vec![("x", numbers(&[Some(42)]))]).await,
        "42_member_7"
    );
}

#[tokio::test]
async fn times_of_every_kind_become_seconds() {
    let seconds = 1_100_521_080_i64;
    for zone in [None, Some("UTC"), Some("+05:30"), Some("America/New_York")] {
        let columns: [ArrayRef; 4] = [
            Arc::new(TimestampSecondArray::from(vec![seconds]).with_timezone_opt(zone)),
            Arc::new(
                TimestampMillisecondArray::from(vec![seconds * 1_000]).with_timezone_opt(zone),
            ),
            Arc::new(
                TimestampMicrosecondArray::from(vec![seconds * 1_000_000 + 999_999])
                    .with_timezone_opt(zone),
            ),
            Arc::new(
                TimestampNanosecondArray::from(vec![seconds * 1_000_000_000])
                    .with_timezone_opt(zone),
            ),
        ];
        for column in columns {
            assert_eq!(
                value("unix_seconds(x)", vec![("x", column)]).await,
                "1100521080",
                "{zone:?}"
            );
        }
    }
    for (call, column, made) in [
        (
            "unix_seconds(x)",
            one(Date32Array::from(vec![12_737])),
            "1100476800",
        ),
        (
            "unix_seconds(x)",
            one(Date64Array::from(vec![1_100_476_800_000])),
            "1100476800",
        ),
        (
            "unix_seconds(x)",
            one(TimestampMillisecondArray::from(vec![-1])),
            "-1",
        ),
        (
            "unix_seconds(x)",
            one(TimestampMicrosecondArray::from(vec![i64::MIN])),
            "-9223372036855",
        ),
        (
            "unix_seconds(x)",
            one(Float64Array::from(vec![1_433_558_319.75])),
            "1433558319",
        ),
        (
            "unix_seconds(x, 'ms')",
            one(Float64Array::from(vec![-1.0])),
            "-1",
        ),
        (
            "unix_seconds(x)",
            one(UInt64Array::from(vec![1_433_558_319_999])),
            "1433558319",
        ),
        (
            "unix_seconds(x, 'us')",
            one(Int64Array::from(vec![-1_000_001])),
            "-2",
        ),
        ("unix_seconds(x, 's')", one(Int64Array::from(vec![5])), "5"),
        (
            "unix_seconds(CAST('1433558319.5' AS DECIMAL(20, 3)))",
            one(Int64Array::from(vec![5])),
            "1433558319",
        ),
        (
            "unix_seconds(x, 'Europe/Berlin')",
            one(TimestampSecondArray::from(vec![seconds + 3_600])),
            "1100521080",
        ),
        (
            "unix_seconds(x, '+02:00')",
            one(Date32Array::from(vec![12_737])),
            "1100469600",
        ),
        (
            "unix_seconds(TIMESTAMP '2004-11-15 12:18:00')",
            one(Int64Array::from(vec![5])),
            "1100521080",
        ),
        (
            "unix_seconds(x)",
            one(Int64Array::from(vec![7])),
            "metadata.x: the unit of a time of 1 digits cannot be told; give it, as in unix_seconds(value, 'ms')",
        ),
        (
            "unix_seconds(x, 'Europe/Berlin')",
            one(TimestampSecondArray::from(vec![1_711_852_200])),
            "metadata.x: clocks in that zone never showed this time",
        ),
    ] {
        assert_eq!(value(call, column).await, made, "{call}");
    }
    for (call, text, made) in [
        (
            "unix_seconds(x, 'Europe/Berlin')",
            "2004-11-15 13:18:00",
            "1100521080",
        ),
        (
            "unix_seconds(x, '%d.%m.%Y %H:%M')",
            "15.11.2004 12:18",
            "1100521080",
        ),
        ("unix_seconds(x)", "2004-11-15T13:18:00+01:00", "1100521080"),
        ("unix_seconds(x)", "1969-12-31T23:59:59Z", "-1"),
    ] {
        assert_eq!(
            value(call, vec![("x", texts(&[Some(text)]))]).await,
            made,
            "{call}"
        );
    }
}

/// What the page says before the functions.
const INTRODUCTION: &str = "\
# Functions

Expressions, conditions and views are SQL in
[DataFusion's dialect](https://datafusion.apache.org/user-guide/sql/index.html), with its functions and these. Their names
may be written in any case. Each gives null where an argument is null, unless it says otherwise.

A value that a function cannot read rejects its row and no other. In a view or a `where` it ends the flow: there,
`try_cast(... AS ...)` gives null instead.

Text that holds JSON, from a source that knows it or from `json`, stays JSON through columns, fields of objects, views,
`coalesce`, `nullif` and `CASE`. In objects and lists that SQL makes (`named_struct`, `make_array`) it becomes text again:
make objects of nested tables in the pipeline file, or write `json(...)` around what a view gives.
";

/// The page `docs/functions.md`.
fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    for definition in functions::ALL {
        let (call, gives) = definition.example;
        write!(
            page,
            "\n## {}\n\n```sql\n{}\n```\n\n{}\n\n| call | gives |\n|---|---|\n| `{call}` | `{gives}` |\n",
            definition.name, definition.usage, definition.about
        )
        .unwrap();
    }
    page
}

#[test]
fn the_page_of_functions_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/functions.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/functions.md is not what the functions say of themselves; update it: \
         UPDATE_DOCS=1 cargo test -p chatferry-engine"
    );
}
