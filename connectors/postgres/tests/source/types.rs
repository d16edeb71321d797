//! Every type of PostgreSQL, with the values at its edges.

use crate::workshop::{Workshop, shown};

#[tokio::test]
async fn values_of_every_type_survive() {
    let workshop = Workshop::with(
        "CREATE EXTENSION hstore; CREATE EXTENSION citext;
        CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
        CREATE TYPE point2 AS (x int, label text);
        CREATE TYPE odd AS (at inet, n int);
        CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
        CREATE DOMAIN price AS numeric(8, 3);
        CREATE TABLE t (
            id int PRIMARY KEY,
            b boolean, i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision,
            n62 numeric(6, 2), n50 numeric(50, 10), n numeric, n4 numeric(4),
            s text, v varchar(10), c char(5), ci citext, nm name,
            u uuid, bytes bytea, d date, t time, tz timetz, ts timestamp, tstz timestamptz,
            iv interval, j json, jb jsonb, e mood, em email, p price,
            ai int[], at text[], aa int[][], am mood[], ip inet[],
            comp point2, compa point2[], weird odd,
            r int4range, net inet, cd cidr, mac macaddr, h hstore, bits bit(3), vb varbit,
            m money, x xml, o oid, pt point, tsv tsvector
        );
        SET lc_monetary = 'C';
        INSERT INTO t (id) VALUES (1);
        INSERT INTO t VALUES (2,
            true, -32768, -2147483648, -9223372036854775808, 1.5, -0.1,
            -1234.50, 1234567890123456789012345678901234567890.0123456789, 0.10000000000000000000000000000000000000001, 9999,
            E'a\"\\\\\\n\\u00e9', 'var', 'ab', 'CiText', 'name',
            '123E4567-e89b-12d3-a456-426614174000', '\\x00ff', '2024-02-29', '23:59:59.999999', '10:00+02',
            '2024-05-01 10:00:00.000001', '2024-05-01 10:00:00+02',
            '1 year 2 mons 3 days 04:05:06.7', '{\"a\": 1.50}', '{\"b\": [1, null]}', 'it''s ok', 'a@b', 12345.678,
            '{1,NULL,3}', '{\"a b\",\"\",NULL}', '{{1,2},{3,4}}', '{sad}', '{10.0.0.1,::1/64}',
            '(7,\"x y\")', '{\"(1,a)\",NULL}', '(10.0.0.1,3)',
            '[1,5)', '10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03', 'a=>1, b=>NULL', '101', '10101',
            '-12.34', '<a>b</a>', 4294967295, '(1,2)', 'fat cat');
        INSERT INTO t (id, d, ts, tstz, f4, f8, ai, at, n62, iv) VALUES
            (3, '0044-03-15 BC', '4713-01-01 BC', '0001-01-01 00:00:00+00', 'NaN', '-Infinity', '{}', '{}', 0.01, '-1 day'),
            (4, '1970-01-01', '1969-12-31 23:59:59.999999', '2000-01-01 00:00:00+00', 1e-45, 1e308, '[5:6]={1,2}', NULL, -9999.99, '00:00:00')",
    )
    .await;
    insta::assert_snapshot!(shown(&workshop.source(""), "t").await);
}

#[tokio::test]
async fn infinity_is_the_first_and_the_last_of_all_times() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id int PRIMARY KEY, ts timestamp, tstz timestamptz, d date);
        INSERT INTO t VALUES (1, 'infinity', '-infinity', 'infinity'), (2, '-infinity', 'infinity', '-infinity')",
    )
    .await;
    let rows = crate::workshop::rows(&workshop.source(""), "t")
        .await
        .unwrap();
    use arrow::array::AsArray;
    use arrow::datatypes::{Date32Type, TimestampMicrosecondType};
    let times = |column: usize| {
        let column = rows
            .rows
            .column(column)
            .as_primitive::<TimestampMicrosecondType>();
        column.values().to_vec()
    };
    assert_eq!(times(1), [i64::MAX, i64::MIN]);
    assert_eq!(times(2), [i64::MIN, i64::MAX]);
    let days = rows.rows.column(3).as_primitive::<Date32Type>();
    assert_eq!(days.values().to_vec(), [i32::MAX, i32::MIN]);
}

#[tokio::test]
async fn what_a_column_cannot_hold_rejects_its_row_with_its_key() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id int PRIMARY KEY, who text, n numeric(5, 2), a int[], iv interval, t time);
        INSERT INTO t VALUES (1, 'fine', 1.25, '{1}', '1 s', '10:00'), (2, 'nan', 'NaN', NULL, NULL, NULL),
            (3, 'dimensions', NULL, '{{1,2},{3,4}}', NULL, NULL),
            (4, 'long', NULL, NULL, '9000000000000 s', NULL), (5, 'late', NULL, NULL, NULL, '24:00'),
            (6, 'fine too', NULL, NULL, NULL, NULL)",
    )
    .await;
    insta::assert_snapshot!(shown(&workshop.source(""), "t").await);
}

#[tokio::test]
async fn text_of_another_encoding_is_read() {
    let workshop = Workshop::with("SELECT 1").await;
    workshop
        .execute("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        .await;
    let url = workshop.database().url();
    let (server, _) = url.rsplit_once('/').unwrap();
    let source = crate::workshop::source(
        &format!("{server}/latin"),
        "tables.t = { query = \"SELECT 1 AS id, chr(233) AS e\", key = \"id\" }",
    );
    insta::assert_snapshot!(shown(&source, "t").await);
}
