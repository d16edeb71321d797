//! Can everything be had as of one moment, and is it let go of?

use std::cell::Cell;

use chatferry_testkit::moment::assert_one_moment;

use crate::workshop::{Workshop, planned, run};

const TABLES: &str = "PRAGMA journal_mode = WAL;
     CREATE TABLE one (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL, note TEXT);
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
     INSERT INTO one SELECT i, 10, 'row ' || i FROM n;
     CREATE TABLE other (at TEXT PRIMARY KEY, amount INTEGER) WITHOUT ROWID;
     INSERT INTO other SELECT note, amount FROM one WHERE id < 40;
     CREATE VIEW few AS SELECT * FROM other;";

#[tokio::test]
async fn all_tables_are_of_one_moment_until_it_is_let_go_of() {
    let workshop = Workshop::with(TABLES).await;
    let times = Cell::new(0);
    let write = || async {
        times.set(times.get() + 1);
        let id = times.get();
        let script = format!(
            "UPDATE one SET amount = amount - 1 WHERE id = {id}; DELETE FROM one WHERE id = 9{id};
             INSERT INTO other VALUES ('{id}', 1); CREATE TABLE late_{id} (id INTEGER);"
        );
        workshop.run(&script).await;
    };
    assert_one_moment(workshop.source(""), &["one", "other", "few"], write).await;
}

#[tokio::test]
async fn a_moment_that_is_let_go_of_stands_in_nobodys_way() {
    let workshop = Workshop::with(&TABLES.replace("WAL", "DELETE")).await;
    let source = workshop.source("");
    let moment = source.at_one_moment().await.expect("it opens");
    let moment = moment.expect("it has moments");
    moment.describe("one").await.expect("described");
    // It does not wait, so a lock makes it fail.
    let mut application = workshop.application().await;
    let write = "UPDATE one SET amount = 0 WHERE id = 1";
    let refused = sqlx::raw_sql(write).execute(&mut application).await;
    assert!(refused.is_err(), "nobody can commit while it is held");
    drop(moment);
    let free = async {
        while sqlx::raw_sql(write)
            .execute(&mut application)
            .await
            .is_err()
        {
            tokio::task::yield_now().await;
        }
    };
    free.await;
    run(&mut application, "BEGIN EXCLUSIVE; COMMIT").await;
}

#[test]
fn one_moment_is_wanted_where_it_is_asked_for() {
    let wants = |settings: &str| {
        let settings = format!("path = \"legacy.db\"\n{settings}");
        let (planned, mistakes) = planned(&settings, std::path::Path::new("/"));
        (planned.map(|planned| planned.wants_one_moment()), mistakes)
    };
    assert_eq!(wants(""), (Some(false), String::new()));
    assert_eq!(wants("snapshot = true"), (Some(true), String::new()));
    assert_ne!(wants("snapshot = \"yes\"").1, "");
}
