//! Can everything be had as of one moment, and what if that moment is lost?

use std::cell::Cell;
use std::sync::Arc;

use chatferry_core::source::{Scan, Source};
use chatferry_testkit::moment::assert_one_moment;
use chatferry_testkit::servers::MariaDb;
use futures::StreamExt;

use crate::workshop::{Workshop, error_shown, planned, rows, source};

const TABLES: &str = "
CREATE TABLE one (id int PRIMARY KEY, amount int NOT NULL, note text);
INSERT INTO one SELECT seq, 10, repeat('x', seq % 7) FROM seq_1_to_3000;
CREATE TABLE other (at datetime NOT NULL, amount int);
INSERT INTO other SELECT from_unixtime(seq), 10 FROM seq_1_to_40;
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
             INSERT INTO other VALUES (now(), 1);"
        );
        workshop.execute(&script).await;
    };
    assert_one_moment(workshop.source(""), &["one", "other"], write).await;
}

/// A page that is too long is cut, and one by one of several scans is left in the middle.
#[tokio::test]
async fn what_is_left_of_an_answer_does_not_stand_in_the_way() {
    let workshop = Workshop::with(
        "CREATE TABLE wide (id int PRIMARY KEY, body longtext NOT NULL);
         INSERT INTO wide SELECT seq, repeat(concat('word ', seq, ' '), 40000) FROM seq_1_to_400;
         CREATE TABLE odd (id int PRIMARY KEY, n decimal(5, 2));
         INSERT INTO odd SELECT seq, 1.5 FROM seq_1_to_3000;",
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
    let server = MariaDb::own().await;
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
    let server = MariaDb::own().await;
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

#[tokio::test]
async fn a_table_whose_engine_knows_no_transactions_says_so() {
    let workshop = Workshop::with(
        "CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM;
         CREATE TABLE new (id int PRIMARY KEY) ENGINE = InnoDB;
         CREATE VIEW seen AS SELECT * FROM old;",
    )
    .await;
    let notes = async |source: &Arc<dyn Source>, table: &str| {
        let notes = source.describe(table).await.unwrap().notes.clone();
        notes
            .into_iter()
            .filter(|note| note.contains("transactions"))
            .count()
    };
    let plain = workshop.source("");
    assert_eq!(notes(&plain, "old").await, 0);
    let moment = plain.at_one_moment().await.unwrap().unwrap();
    for source in [moment, workshop.source("snapshot = true")] {
        assert_eq!(notes(&source, "old").await, 1);
        assert_eq!(notes(&source, "new").await, 0);
        assert_eq!(notes(&source, "seen").await, 0);
    }
}

#[test]
fn one_moment_is_wanted_where_it_is_asked_for() {
    let wants = |settings: &str| {
        let (planned, mistakes) = planned(&format!("url = \"mysql://h/d\"\n{settings}"));
        (planned.map(|planned| planned.wants_one_moment()), mistakes)
    };
    assert_eq!(wants(""), (Some(false), String::new()));
    assert_eq!(wants("snapshot = false"), (Some(false), String::new()));
    assert_eq!(wants("snapshot = true"), (Some(true), String::new()));
    assert_ne!(wants("snapshot = \"yes\"").1, "");
}
