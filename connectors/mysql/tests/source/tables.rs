//! Which tables are offered, and what is told of them.

use chatferry_testkit::servers::PASSWORD;

use crate::workshop::{Workshop, error_shown, shown, source, table_shown};

const SCHEMA: &str = "
CREATE TABLE users (id int PRIMARY KEY, name varchar(20));
CREATE TABLE `odd ``name` (`a ``b` int, `select` int, PRIMARY KEY (`a ``b`));
INSERT INTO `odd ``name` VALUES (1, 2);
CREATE VIEW people AS SELECT * FROM users;
CREATE SEQUENCE numbers;
CREATE TABLE history (id int PRIMARY KEY, x int) WITH SYSTEM VERSIONING;
CREATE TABLE parts (id int PRIMARY KEY, x int) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO parts VALUES (5, 1), (1, 2), (3, 3), (2, 4);
";

#[tokio::test]
async fn tables_and_views_are_offered_by_name_and_sequences_are_not() {
    let workshop = Workshop::with(SCHEMA).await;
    let source = workshop.source("");
    let names = source.tables().await.unwrap();
    assert_eq!(names, ["history", "odd `name", "parts", "people", "users"]);
    insta::assert_snapshot!(shown(&source, "odd `name").await);
}

#[tokio::test]
async fn a_partitioned_table_is_one_table() {
    let workshop = Workshop::with(SCHEMA).await;
    insta::assert_snapshot!(shown(&workshop.source(""), "parts").await);
}

#[tokio::test]
async fn tables_may_be_restricted_renamed_and_defined() {
    let workshop = Workshop::with(SCHEMA).await;
    let few = workshop.source("tables = [\"users\", \"people\"]");
    assert_eq!(few.tables().await.unwrap(), ["people", "users"]);
    assert!(few.describe("parts").await.is_err());

    let more = workshop.source(
        r#"
        [sources.legacy.tables]
        evens = { query = "SELECT id FROM parts WHERE id % 2 = 0", key = "id" }
        renamed = { table = "parts" }
        "#,
    );
    let names = more.tables().await.unwrap();
    let all = [
        "evens",
        "history",
        "odd `name",
        "parts",
        "people",
        "renamed",
        "users",
    ];
    assert_eq!(names, all);
    insta::assert_snapshot!(shown(&more, "renamed").await);
}

#[tokio::test]
async fn tables_that_are_not_there_are_missed_with_a_suggestion() {
    let workshop = Workshop::with(SCHEMA).await;
    let mut said = Vec::new();
    let source = workshop.source("");
    said.push(error_shown(&source.describe("user").await.unwrap_err()));
    said.push(error_shown(&source.describe("messages").await.unwrap_err()));
    let source = workshop.source("tables = [\"users\", \"poeple\"]");
    said.push(error_shown(&source.tables().await.unwrap_err()));
    let source = workshop.source("tables.extra = { table = \"nothing\" }");
    said.push(error_shown(&source.tables().await.unwrap_err()));
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn orders_are_offered_where_an_index_gives_them() {
    let workshop = Workshop::with(
        "CREATE TABLE t (
            id int PRIMARY KEY, room int NOT NULL, at datetime NOT NULL, seen datetime,
            name varchar(20) NOT NULL, code varchar(20) NOT NULL COLLATE utf8mb4_nopad_bin,
            body text, place point NOT NULL, gone int NOT NULL,
            INDEX (at), INDEX (room, at), INDEX (seen), INDEX (name), INDEX (room, name, at),
            UNIQUE (code), INDEX (body(10)), FULLTEXT (body), SPATIAL INDEX (place),
            INDEX hidden (gone) IGNORED, INDEX (room)
        ) ENGINE = InnoDB;
        CREATE TABLE aria (id int PRIMARY KEY, at datetime NOT NULL, INDEX (at)) ENGINE = Aria;
        CREATE TABLE by_unique (a int NOT NULL, b int, c int NOT NULL, UNIQUE (b), UNIQUE (c, a));",
    )
    .await;
    let source = workshop.source("");
    let mut said = String::new();
    for table in ["t", "aria", "by_unique"] {
        let table = source.describe(table).await.unwrap();
        said.push_str(&format!("{}\n{}\n", table.name, table_shown(&table)));
    }
    insta::assert_snapshot!(said);
}

#[tokio::test]
async fn a_table_without_a_key_is_read_at_once_when_it_is_short() {
    let workshop = Workshop::with(
        "CREATE TABLE t (x int); INSERT INTO t VALUES (1), (1), (NULL);
        CREATE TABLE long_one (x longtext);
        INSERT INTO long_one SELECT repeat('x', 1000000) FROM seq_1_to_80",
    )
    .await;
    let source = workshop.source("");
    let short = shown(&source, "t").await;
    let mut long = crate::workshop::rows(&source, "long_one").await.unwrap();
    let long = error_shown(&long.failed.take().unwrap());
    insta::assert_snapshot!(format!("{short}\n{long}"));
}

#[tokio::test]
async fn keys_that_cannot_cut_pages_are_refused_with_advice() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id int, name varchar(10), doc json, day date);
        INSERT INTO t VALUES (1, 'a', NULL, '2024-01-01'), (2, 'A', '1', NULL)",
    )
    .await;
    let mut said = Vec::new();
    for key in ["nmae", "doc", "day"] {
        let source = workshop.source(&format!("tables.t = {{ key = [\"{key}\"] }}"));
        said.push(match crate::workshop::rows(&source, "t").await {
            Ok(rows) => error_shown(&rows.failed.unwrap()),
            Err(error) => error_shown(&error),
        });
    }
    insta::assert_snapshot!(said.join("\n"));
}

#[tokio::test]
async fn columns_that_may_not_be_read_are_left_out() {
    let workshop = Workshop::with(
        "CREATE TABLE t (id int PRIMARY KEY, name varchar(10), secret varchar(10));
        INSERT INTO t VALUES (1, 'a', 'b'); CREATE TABLE other (id int);",
    )
    .await;
    let name = workshop.database().name();
    let user = format!("reader_{}", name.rsplit('_').next().unwrap());
    workshop
        .execute(&format!(
            "CREATE OR REPLACE USER {user}@'%' IDENTIFIED BY '{PASSWORD}';
            GRANT SELECT (id, name), INSERT (secret) ON {name}.t TO {user}@'%'"
        ))
        .await;
    let url = workshop
        .database()
        .url()
        .replace("admin:", &format!("{user}:"));
    let source = source(&url, "");
    assert_eq!(source.tables().await.unwrap(), ["t"]);
    insta::assert_snapshot!(shown(&source, "t").await);
}
