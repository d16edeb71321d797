//! Can everything be had as of one moment, and what if that moment is lost?

use std::cell::Cell;

use chatferry_core::source::Scan;
use chatferry_testkit::moment::assert_one_moment;
use chatferry_testkit::servers::Postgres;
use futures::StreamExt;

use crate::workshop::{Workshop, error_shown, planned, rows, source};

const TABLES: &str = "
CREATE TABLE one (id int PRIMARY KEY, amount int NOT NULL, note text);
INSERT INTO one SELECT n, 10, repeat('x', n % 7) FROM generate_series(1, 3000) n;
CREATE TABLE other (at timestamptz NOT NULL, amount int);
INSERT INTO other SELECT to_timestamp(n), 10 FROM generate_series(1, 40) n;
";

#[tokio::test]
async fn all_tables_are_of_one_moment_until_it_is_let_go_of() {
    let workshop = Workshop::with(TABLES).await;
    let times = Cell::new(0);
    let write = || async {
        times.set(times.get() + 1);
        let id = times.get();
        let script = format!(
            "UPDATE one SET amount = amount - 1 WHERE id = {id}; DELETE FROM one WHERE id = 9{id};
             INSERT INTO other VALUES (now(), 1); CREATE TABLE late_{id} (id int PRIMARY KEY);"
        );
        workshop.execute(&script).await;
    };
    assert_one_moment(workshop.source(""), &["one", "other"], write).await;
}

/// A page that is too long is cut, and one by one of several scans is left in the middle.
#[tokio::test]
async fn what_is_left_of_an_answer_does_not_stand_in_the_way() {
    let workshop = Workshop::with(
        "CREATE TABLE wide (id int PRIMARY KEY, body text NOT NULL);
         INSERT INTO wide SELECT n, repeat('word ' || n || ' ', 40000) FROM generate_series(1, 400) n;
         CREATE TABLE odd (id int PRIMARY KEY, n numeric(5, 2));
         INSERT INTO odd SELECT n, 1.5 FROM generate_series(1, 3000) n;",
    )
    .await;
    let moment = workshop.source("").at_one_moment().await.unwrap().unwrap();
    let table = moment.describe("odd").await.unwrap();
    let mut left = moment.scan(Scan::of(table, vec![0, 1], 10));
    left.next().await.unwrap().unwrap();
    drop(left);
    let wide = rows(&moment, "wide").await.unwrap();
    assert!(wide.failed.is_none());
    assert_eq!(wide.rows.num_rows(), 400);
    assert_eq!(rows(&moment, "odd").await.unwrap().rows.num_rows(), 3_000);
}

#[tokio::test]
async fn a_moment_that_is_lost_before_any_row_was_given_is_another_one() {
    let server = Postgres::own().await;
    let database = server.database().await;
    database.execute(TABLES).await;
    let moment = source(database.url(), "").at_one_moment().await;
    let moment = moment.unwrap().unwrap();
    moment.describe("one").await.unwrap();
    server.kill_sessions().await;
    assert_eq!(rows(&moment, "one").await.unwrap().rows.num_rows(), 3_000);
}

#[tokio::test]
async fn a_moment_that_is_lost_later_ends_in_an_error_that_says_to_start_again() {
    let server = Postgres::own().await;
    let database = server.database().await;
    database.execute(TABLES).await;
    let moment = source(database.url(), "").at_one_moment().await;
    let moment = moment.unwrap().unwrap();
    rows(&moment, "one").await.unwrap();
    server.kill_sessions().await;
    let lost = rows(&moment, "other").await.unwrap_err();
    let still = rows(&moment, "one").await.unwrap().failed.unwrap();
    insta::assert_snapshot!(format!("{}\n{}", error_shown(&lost), error_shown(&still)));
}

#[test]
fn one_moment_is_wanted_where_it_is_asked_for() {
    let wants = |settings: &str| {
        let (planned, mistakes) = planned(&format!("url = \"postgres://h/d\"\n{settings}"));
        (planned.map(|planned| planned.wants_one_moment()), mistakes)
    };
    assert_eq!(wants(""), (Some(false), String::new()));
    assert_eq!(wants("snapshot = false"), (Some(false), String::new()));
    assert_eq!(wants("snapshot = true"), (Some(true), String::new()));
    assert_ne!(wants("snapshot = \"yes\"").1, "");
}
