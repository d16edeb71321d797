//! The promises that every source makes, kept by tables of every shape.

use chatferry_testkit::source::assert_contract;

use crate::workshop::Workshop;

const SCHEMA: &str = "
CREATE TABLE users (
    id bigint unsigned PRIMARY KEY,
    name varchar(40) CHARACTER SET latin1,
    handle varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin,
    is_bot bit(1) NOT NULL,
    born date,
    score smallint,
    created_at datetime(6) NOT NULL,
    seen_at timestamp(3) NULL,
    INDEX (created_at), INDEX (score, born)
);
INSERT INTO users VALUES
    (3, 'Zoë', 'a', b'0', '1999-12-31', -5, '2024-05-01 10:00:00', NULL),
    (5, 'ada', 'A', b'1', NULL, NULL, '2024-05-01 10:00:00', '2024-05-01 10:00:00.123'),
    (1, 'Ada', 'a ', b'0', '1970-01-01', 7, '2024-04-01 00:00:00.000001', '1999-01-01'),
    (18446744073709551615, NULL, NULL, b'1', '0001-01-01', 32767, '9999-12-31', NULL),
    (2, '', '', b'0', '9999-12-31', 7, '2024-05-01 10:00:00', '2038-01-19 03:14:07');

CREATE TABLE members (
    room varchar(20), kind enum('owner', 'guest', 'admin'), day date, user int,
    note text, PRIMARY KEY (room, kind, day, user)
);
INSERT INTO members VALUES
    ('b', 'owner', '2024-01-01', 1, NULL), ('B1', 'guest', '2024-01-01', 2, 'x'),
    ('a', 'admin', '2024-01-01', 3, 'y'), ('a', 'owner', '2024-01-01', 3, ''),
    ('a', 'owner', '2023-01-01', 4, 'é'), ('ä', 'guest', '2024-01-01', 4, 'z'),
    ('a', 'guest', '2024-02-01', -4, NULL);

CREATE VIEW everybody AS SELECT id, name, created_at FROM users;

CREATE TABLE log (at datetime NOT NULL, what varchar(10), INDEX (at));
INSERT INTO log VALUES ('2024-01-01', 'a'), ('2024-01-01', 'b'), ('2024-01-02', 'c');
";

#[tokio::test]
async fn tables_views_and_queries_keep_the_contract() {
    let workshop = Workshop::with(SCHEMA).await;
    let source = workshop.source(
        r#"
        [sources.legacy.tables]
        everybody = { key = ["id"] }
        by_time = { table = "users", key = ["created_at"] }
        recent = { query = "SELECT id, created_at, score FROM users -- all", key = ["id"] }
        "#,
    );
    for table in ["users", "members", "everybody", "by_time", "recent", "log"] {
        assert_contract(source.clone(), table).await;
    }
}

#[tokio::test]
async fn rows_that_cannot_be_read_keep_the_contract() {
    let workshop = Workshop::with(
        "SET sql_mode = '';
        CREATE TABLE t (id int PRIMARY KEY, d date, at datetime NOT NULL, INDEX (at));
        INSERT INTO t VALUES (1, '2024-01-01', '2024-01-01'), (2, '0000-00-00', '2024-01-01'),
            (3, '2024-00-00', '0000-00-00'), (4, NULL, '2023-01-01'), (5, '1999-01-01', '1999-01-01')",
    )
    .await;
    assert_contract(workshop.source(""), "t").await;
    assert_contract(workshop.source("zero_dates = \"null\""), "t").await;
}
