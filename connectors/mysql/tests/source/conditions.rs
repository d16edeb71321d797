//! Conditions that the server evaluates, and those that it must not.

use std::sync::Arc;

use chatferry_core::source::{Scan, Source, Table};
use chatferry_core::{Comparison, Filter, Operand};

use crate::workshop::{Workshop, rows_shown, scanned};

fn compare(column: &str, comparison: Comparison, value: Operand) -> Filter {
    Filter::Compare {
        column: column.into(),
        comparison,
        value,
    }
}

async fn kept(source: &Arc<dyn Source>, table: &Arc<Table>, filters: Vec<Filter>) -> Vec<String> {
    let asked = format!("{filters:?}");
    assert!(
        filters.iter().all(|filter| source.honours(table, filter)),
        "{asked}"
    );
    let scan = Scan {
        filters,
        ..Scan::of(Arc::clone(table), vec![0], 100)
    };
    let read = scanned(source, scan).await;
    assert!(read.failed.is_none(), "{asked}: {:?}", read.failed);
    rows_shown(&read.rows)
}

#[tokio::test]
async fn what_the_server_sees_as_we_do_it_evaluates() {
    use Comparison as C;
    let workshop = Workshop::with(
        "CREATE TABLE t (
            id int PRIMARY KEY, u bigint unsigned, flag bit(1), d date, dt datetime(6),
            ts timestamp(6) NULL, x varchar(10) COLLATE utf8mb4_nopad_bin
        );
        SET time_zone = '+00:00';
        INSERT INTO t VALUES
            (1, 0, b'0', '2024-01-01', '2024-01-01 00:00:00.000001', '2024-01-01', 'a'),
            (2, 18446744073709551615, b'1', '0001-01-01', '9999-12-31', '2038-01-01', 'a '),
            (3, NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    .await;
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    let beyond = i128::from(u64::MAX) + 1;
    let micros = 1_704_067_200_000_000;
    let cases = [
        (compare("u", C::Greater, Operand::Whole(-1)), vec!["1", "2"]),
        (
            compare("u", C::Less, Operand::Whole(beyond)),
            vec!["1", "2"],
        ),
        (
            compare("u", C::Equal, Operand::Whole(u64::MAX.into())),
            vec!["2"],
        ),
        (compare("u", C::NotEqual, Operand::Whole(0)), vec!["2"]),
        (compare("flag", C::Equal, Operand::Flag(true)), vec!["2"]),
        (compare("d", C::LessOrEqual, Operand::Date(0)), vec!["2"]),
        (compare("d", C::Equal, Operand::Date(19_723)), vec!["1"]),
        (
            compare("dt", C::Equal, Operand::Time(micros + 1)),
            vec!["1"],
        ),
        (
            compare("dt", C::GreaterOrEqual, Operand::Time(micros + 2)),
            vec!["2"],
        ),
        (compare("ts", C::Equal, Operand::Time(micros)), vec!["1"]),
        (compare("x", C::Equal, Operand::Text("a".into())), vec!["1"]),
        (
            compare("x", C::Greater, Operand::Text("a".into())),
            vec!["2"],
        ),
        (Filter::Null { column: "x".into() }, vec!["3"]),
        (Filter::NotNull { column: "d".into() }, vec!["1", "2"]),
        (
            Filter::Any(vec![
                Filter::Null { column: "d".into() },
                compare("id", C::Equal, Operand::Whole(1)),
            ]),
            vec!["1", "3"],
        ),
        (Filter::Any(Vec::new()), vec![]),
    ];
    for (filter, expected) in cases {
        assert_eq!(
            kept(&source, &table, vec![filter.clone()]).await,
            expected,
            "{filter}"
        );
    }
    let both = vec![
        compare("id", C::Greater, Operand::Whole(1)),
        compare("id", C::Less, Operand::Whole(3)),
    ];
    assert_eq!(kept(&source, &table, both).await, ["2"]);
}

#[tokio::test]
async fn what_the_server_might_see_otherwise_is_left_to_us() {
    let workshop = Workshop::with(
        "CREATE TABLE t (
            id int PRIMARY KEY, ci varchar(10), bin varchar(10) COLLATE utf8mb4_bin,
            l1 varchar(10) CHARACTER SET latin1 COLLATE latin1_nopad_bin, e enum('a', 'b'),
            d date, f double, y year, c char(4) COLLATE utf8mb4_nopad_bin
        )",
    )
    .await;
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    let text = |column| compare(column, Comparison::Equal, Operand::Text("a".into()));
    for column in ["ci", "bin", "l1", "e", "no such column"] {
        assert!(!source.honours(&table, &text(column)), "{column}");
    }
    let refused = [
        // The calendar of the server ends with the year 9999.
        compare("d", Comparison::Less, Operand::Date(3_000_000)),
        compare("d", Comparison::Less, Operand::Date(-800_000)),
        compare("d", Comparison::Less, Operand::Whole(3)),
        compare("id", Comparison::Less, Operand::Text("3".into())),
        Filter::Any(vec![Filter::Null { column: "d".into() }, text("ci")]),
        Filter::Null {
            column: "no such column".into(),
        },
    ];
    for filter in refused {
        assert!(!source.honours(&table, &filter), "{filter}");
    }
    let source = workshop.source("zero_dates = \"null\"");
    let table = source.describe("t").await.unwrap();
    for filter in [
        Filter::Null { column: "d".into() },
        compare("d", Comparison::Less, Operand::Date(0)),
    ] {
        assert!(!source.honours(&table, &filter), "{filter}");
    }
}

#[tokio::test]
async fn a_condition_on_a_date_that_is_none_rejects_its_row_even_when_nobody_wants_the_date() {
    let workshop = Workshop::with(
        "SET sql_mode = '';
        CREATE TABLE t (id int PRIMARY KEY, d date NOT NULL);
        INSERT INTO t VALUES (1, '2024-01-01'), (2, '0000-00-00'), (3, '1999-00-01')",
    )
    .await;
    let source = workshop.source("");
    let table = source.describe("t").await.unwrap();
    let before = compare("d", Comparison::Less, Operand::Date(20_000));
    let scan = Scan {
        filters: vec![before],
        ..Scan::of(Arc::clone(&table), vec![0], 100)
    };
    let read = scanned(&source, scan).await;
    assert_eq!(rows_shown(&read.rows), ["1"]);
    assert_eq!(read.rejected.len(), 2);

    let null = Filter::Null { column: "d".into() };
    assert!(kept(&source, &table, vec![null]).await.is_empty());
}
