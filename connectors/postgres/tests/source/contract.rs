//! The promises that every source makes, kept by tables of every shape.

use chatferry_testkit::source::assert_contract;

use crate::workshop::Workshop;

const SCHEMA: &str = "
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE users (
    id bigint PRIMARY KEY,
    name text,
    handle text COLLATE \"C\" NOT NULL,
    outside uuid NOT NULL UNIQUE,
    is_bot boolean NOT NULL,
    born date,
    score smallint,
    mood mood,
    created_at timestamptz NOT NULL,
    seen_at timestamp
);
CREATE INDEX ON users (created_at);
CREATE INDEX ON users (handle);
CREATE INDEX ON users (score, born);
INSERT INTO users VALUES
    (3, 'Zoë', 'a', 'f0e4567e-e89b-12d3-a456-426614174000', false, '1999-12-31', -5, 'sad', '2024-05-01 10:00:00+02', NULL),
    (5, 'ada', 'A', '00000000-e89b-12d3-a456-426614174000', true, NULL, NULL, NULL, '2024-05-01 08:00:00+00', '2024-05-01 10:00:00.123'),
    (1, 'Ada', 'a ', '123e4567-e89b-12d3-a456-426614174000', false, '1970-01-01', 7, 'happy', '2024-04-01 00:00:00.000001+00', '1999-01-01'),
    (9223372036854775807, NULL, '', '123e4567-e89b-12d3-a456-426614174001', true, '0001-01-01', 32767, 'ok', '9999-12-31', NULL),
    (-2, '', 'it''s \\ odd', '223e4567-e89b-12d3-a456-426614174001', false, '9999-12-31', 7, 'ok', '1900-05-01 10:00:00', 'infinity');

CREATE TABLE members (
    room varchar(20), kind mood, day date, \"user\" int, note text,
    PRIMARY KEY (room, kind, day, \"user\")
);
INSERT INTO members VALUES
    ('b', 'sad', '2024-01-01', 1, NULL), ('B1', 'ok', '2024-01-01', 2, 'x'),
    ('a', 'happy', '2024-01-01', 3, 'y'), ('a', 'sad', '2024-01-01', 3, ''),
    ('a', 'sad', '2023-01-01', 4, 'é'), ('ä', 'ok', '2024-01-01', 4, 'z'),
    ('a', 'ok', '2024-02-01', -4, NULL);

CREATE VIEW everybody AS SELECT id, name, created_at FROM users;
CREATE MATERIALIZED VIEW bots AS SELECT id, name FROM users WHERE is_bot;

CREATE TABLE log (at timestamptz NOT NULL, what varchar(10));
INSERT INTO log VALUES ('2024-01-01', 'a'), ('2024-01-01', 'b'), ('2024-01-02', 'c');

CREATE TABLE events (id int, at date NOT NULL, what text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_2023 PARTITION OF events FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE events_2024 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO events VALUES (2, '2024-01-01', 'b'), (1, '2023-05-01', 'a'), (3, '2023-05-01', NULL);
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
    assert_eq!(
        source.tables().await.unwrap(),
        [
            "bots",
            "by_time",
            "events",
            "everybody",
            "log",
            "members",
            "recent",
            "users"
        ]
    );
    for table in [
        "users",
        "members",
        "everybody",
        "by_time",
        "recent",
        "log",
        "events",
        "bots",
    ] {
        assert_contract(source.clone(), table).await;
    }
}

#[tokio::test]
async fn rows_that_cannot_be_read_keep_the_contract() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id int PRIMARY KEY, n numeric(5, 2), a int[]);
        INSERT INTO t VALUES (1, 1.25, '{1}'), (2, 'NaN', NULL), (3, NULL, '{{1,2},{3,4}}'), (4, 4, '{}')",
    )
    .await;
    assert_contract(workshop.source(""), "t").await;
}
