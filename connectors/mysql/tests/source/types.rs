//! Every type of the database, with the values at its edges.

use crate::workshop::{Workshop, shown};

#[tokio::test]
async fn numbers_arrive_whole() {
    let workshop = Workshop::with(
        "CREATE TABLE t (
            id int PRIMARY KEY,
            i8 tinyint, u8 tinyint unsigned, flag tinyint(1), i16 smallint, u16 smallint unsigned,
            i24 mediumint, u24 mediumint unsigned, i32 int, u32 int unsigned,
            i64 bigint, u64 bigint unsigned zerofill, one bit(1), bits bit(64), ten bit(10),
            y year, f float, d double
        );
        INSERT INTO t VALUES
            (1, -128, 0, 1, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0,
             b'0', 0, 0, 1901, -3.4028234e38, -1.7976931348623157e308),
            (2, 127, 255, 0, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295,
             9223372036854775807, 18446744073709551615, b'1', 18446744073709551615, 1023, 2155,
             16777217, 0.1),
            (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
             NULL, NULL, NULL),
            (4, 0, 1, -7, 0, 1, 0, 1, 0, 1, 0, 1, b'1', 1, 512, 0, 0.1, 5e-324)",
    )
    .await;
    insta::assert_snapshot!(shown(&workshop.source(""), "t").await);
}

#[tokio::test]
async fn decimals_keep_every_digit() {
    let nines = "9".repeat(35);
    let workshop = Workshop::with(&format!(
        "CREATE TABLE t (
            id int PRIMARY KEY, money decimal(10,2), plain decimal(5), most decimal(38,38),
            wide decimal(65,30), tiny decimal(1,1) unsigned, filled decimal(8,3) zerofill
        );
        INSERT INTO t VALUES
            (1, -99999999.99, 99999, 0.{n38}, -{nines}.{n30}, 0.9, 1.5),
            (2, 0, 0, 0, 0, 0, 0),
            (3, 0.01, -1, -0.{z37}1, 0.{z29}1, 0.1, 99999.999),
            (4, NULL, NULL, NULL, NULL, NULL, NULL)",
        n38 = "9".repeat(38),
        n30 = "9".repeat(30),
        z37 = "0".repeat(37),
        z29 = "0".repeat(29),
    ))
    .await;
    insta::assert_snapshot!(shown(&workshop.source(""), "t").await);
}

#[tokio::test]
async fn dates_and_times_keep_their_microseconds() {
    let workshop = Workshop::with(
        "SET time_zone = '+03:00';
        CREATE TABLE t (
            id int PRIMARY KEY, d date, t time, t6 time(6), dt datetime, dt3 datetime(3),
            dt6 datetime(6), ts timestamp NULL, ts6 timestamp(6) NULL
        );
        INSERT INTO t VALUES
            (1, '0001-01-01', '-838:59:59', '-838:59:59.999999', '0001-01-01 00:00:00',
             '1969-12-31 23:59:59.999', '1000-01-01 00:00:00.000001', '1970-01-01 03:00:01',
             '1970-01-01 03:00:01.000001'),
            (2, '9999-12-31', '838:59:59', '00:00:00.000001', '9999-12-31 23:59:59',
             '9999-12-31 23:59:59.999', '9999-12-31 23:59:59.999999', '2038-01-19 06:14:07',
             '2038-01-19 06:14:07.999999'),
            (3, '2024-02-29', '24:00:00', '12:34:56.5', '2024-03-31 02:30:00',
             '2024-03-31 02:30:00.5', '2024-03-31 02:30:00.25', '2024-03-31 02:30:00',
             '2024-10-27 02:30:00.75'),
            (4, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            (5, '1970-01-01', '00:00:00', '-00:00:01', '1970-01-01 00:00:00',
             '1970-01-01 00:00:00', '1970-01-01 00:00:00', '2001-09-09 04:46:40',
             '2001-09-09 04:46:40')",
    )
    .await;
    insta::assert_snapshot!(shown(&workshop.source(""), "t").await);
}

const ZERO_DATES: &str = "SET sql_mode = 'ALLOW_INVALID_DATES';
    CREATE TABLE t (id int PRIMARY KEY, d date NOT NULL, dt datetime(6), ts timestamp);
    INSERT INTO t VALUES
        (1, '2024-01-01', '2024-01-01', '2024-01-01'),
        (2, '0000-00-00', '2024-01-01', '2024-01-01'),
        (3, '2024-00-00', '2024-01-01', '2024-01-01'),
        (4, '2024-02-30', '2024-01-01', '2024-01-01'),
        (5, '2024-01-01', '0000-00-00', '2024-01-01'),
        (6, '2024-01-01', '2024-01-00', '2024-01-01'),
        (7, '2024-01-01', '2024-01-01', '0000-00-00'),
        (8, '2024-12-31', '2024-01-01', '2024-01-01')";

#[tokio::test]
async fn dates_that_are_none_are_rejected_each_with_its_row() {
    let workshop = Workshop::with(ZERO_DATES).await;
    insta::assert_snapshot!(shown(&workshop.source(""), "t").await);
}

#[tokio::test]
async fn dates_that_are_none_may_be_read_as_null() {
    let workshop = Workshop::with(ZERO_DATES).await;
    insta::assert_snapshot!(shown(&workshop.source("zero_dates = \"null\""), "t").await);
}

#[tokio::test]
async fn texts_of_every_kind_and_character_set_arrive_as_text() {
    let workshop = Workshop::with(
        "CREATE TABLE t (
            id int PRIMARY KEY,
            c char(10), v varchar(20), tt tinytext, x text, m mediumtext, l longtext,
            l1 varchar(20) CHARACTER SET latin1, l2 varchar(20) CHARACTER SET latin2,
            cyr varchar(20) CHARACTER SET cp1251, jp varchar(20) CHARACTER SET sjis,
            u16 varchar(20) CHARACTER SET utf16, u3 varchar(20) CHARACTER SET utf8mb3,
            bin varchar(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin,
            e enum('a', 'b,c', 'ß', ''), s set('x', 'y', 'é')
        );
        INSERT INTO t VALUES
            (1, 'a  ', 'b  ', '', 'äöü', '😀', 'l', 'café €', 'żółw', 'привет', '日本',
             '😀', 'ß', 'Ä', 'ß', 'x,é'),
            (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', ''),
            (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
             NULL, NULL),
            (4, 'x', 'new\nline', 'tab\t', 'null\0byte', 'quote\\'', 'back\\\\slash', 'ÿ', 'ř', 'Я',
             'ア', 'ａ', '中', 'a', 'b,c', 'y')",
    )
    .await;
    let shown = shown(&workshop.source(""), "t").await;
    insta::assert_snapshot!(shown.replace('\0', "(NUL)").replace('\t', "(TAB)"));
}

#[tokio::test]
async fn text_that_is_no_text_is_rejected_and_not_mended() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id int PRIMARY KEY, x varbinary(20));
        INSERT INTO t VALUES (1, 'sound'), (2, 0xC328), (3, 'sound again');
        SET sql_mode = '', check_constraint_checks = 0;
        CREATE TABLE raw (id int PRIMARY KEY, j json);
        INSERT INTO raw VALUES (1, '{\"a\": 1}'), (2, '{\"a\": '), (3, NULL), (4, '\"x\"');",
    )
    .await;
    insta::assert_snapshot!(shown(&workshop.source(""), "raw").await);
}

#[tokio::test]
async fn bytes_json_and_what_arrow_has_not_arrive_whole() {
    let workshop = Workshop::with(
        "CREATE TABLE t (
            id int PRIMARY KEY, j json, b binary(4), vb varbinary(10), tb tinyblob, bl blob,
            mb mediumblob, lb longblob, u uuid, i inet6, p point, g geometry
        );
        INSERT INTO t VALUES
            (1, '{\"a\": [1, 2.50, null]}', 0x00FF, 0x00FF, 'a', '', 0x80, 'long',
             '123e4567-e89b-12d3-a456-426614174000', '::ffff:1.2.3.4', POINT(0.1, -2),
             ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))')),
            (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
            (3, 'null', '', '', '', 0x0D0A, '', '', '00000000-0000-0000-0000-000000000000', '::',
             POINT(1e300, 12345678.901234567), ST_GeomFromText('POINT(1 2)'))",
    )
    .await;
    insta::assert_snapshot!(shown(&workshop.source(""), "t").await);
}

#[tokio::test]
async fn tinyint_1_may_be_read_as_true_or_false() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id int PRIMARY KEY, is_bot tinyint(1), plain tinyint, b bool NOT NULL);
        INSERT INTO t VALUES (1, 0, 0, 1), (2, 1, 1, 0), (3, NULL, 5, true), (4, 2, 1, 1)",
    )
    .await;
    insta::assert_snapshot!(shown(&workshop.source("tinyint1 = \"boolean\""), "t").await);
}

#[tokio::test]
async fn a_query_keeps_the_types_of_the_columns_it_takes() {
    let workshop = Workshop::with(
        "CREATE TABLE t (
            id int PRIMARY KEY, price decimal(10,2), flag bit(1), u tinyint(1) unsigned, doc json,
            e enum('b', 'a'), at datetime(3), bin varchar(10) COLLATE utf8mb4_bin, vb varbinary(4)
        );
        INSERT INTO t VALUES
            (1, 1.50, b'1', 200, '[1]', 'b', '2024-01-01 00:00:00.5', 'x', 0x00),
            (2, 2.25, b'0', 1, NULL, 'a', NULL, NULL, NULL)",
    )
    .await;
    let source = workshop.source(
        r#"
        [sources.legacy.tables]
        plain = { query = "SELECT * FROM t;", key = ["id"] }
        computed = { key = "id", query = """
            SELECT id + 1 AS id, sum(price) AS total, count(*) AS n, max(at) AS last, NULL AS nothing,
                   concat(e, '!') AS loud, avg(id) AS mean, id / 3e0 AS third, hex(vb) AS bytes,
                   group_concat(u) AS all_u, max(flag) AS flag, 2 > 1 AS yes, date(max(at)) AS day
            FROM t GROUP BY id""" }
        "#,
    );
    let plain = shown(&source, "plain").await;
    let computed = shown(&source, "computed").await;
    insta::assert_snapshot!(format!("plain\n{plain}\ncomputed\n{computed}"));
}

#[tokio::test]
async fn group_concat_is_not_cut_off() {
    let workshop = Workshop::with("CREATE TABLE t (id int PRIMARY KEY)").await;
    let rows: Vec<String> = (0..20_000).map(|id| format!("({id})")).collect();
    let insert = format!("INSERT INTO t VALUES {}", rows.join(","));
    workshop.execute(&insert).await;
    let source = workshop.source(
        "tables.all = { query = \"SELECT 1 AS id, length(group_concat(id)) AS n FROM t\" }",
    );
    let rows = crate::workshop::rows(&source, "all").await.unwrap().rows;
    // Ten of one digit, ninety of two, and so on, and the commas between them.
    let digits = 10 + 90 * 2 + 900 * 3 + 9_000 * 4 + 10_000 * 5;
    assert_eq!(
        crate::workshop::rows_shown(&rows),
        [format!("1 | {}", digits + 19_999)]
    );
}
