//! Is a database that others use read kindly: not again and again, and never held while the run
//! waits?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::num::NonZeroU32;

use chatferry_simulator::Settings;
use chatferry_testkit::servers::{self, Database, PASSWORD};
use chatferry_tests::{Folder, Served, account, unlimited};
use sqlx::{Connection, PgConnection, Row};
use tokio::runtime::Runtime;

/// A chat of so many messages, a second or two apart, with an index by time.
async fn database(messages: u64) -> Database {
    let database = servers::postgres().await.database().await;
    let script = format!(
        "CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL);
         INSERT INTO people SELECT n, 'Person ' || n FROM generate_series(1, 100) n;
         CREATE TABLE rooms (id bigint PRIMARY KEY, name text NOT NULL);
         INSERT INTO rooms SELECT n, 'Room ' || n FROM generate_series(1, 40) n;
         CREATE TABLE lines (
             id bigint PRIMARY KEY, room_id bigint NOT NULL, person_id bigint NOT NULL,
             said_at timestamptz NOT NULL, body text);
         INSERT INTO lines
         SELECT n, 1 + n % 40, 1 + n % 100, to_timestamp(1600000000 + n + n % 2),
                CASE WHEN n % 10 > 0 THEN repeat('word ' || n || ' ', 50) END
         FROM generate_series(1, {messages}) n;
         CREATE INDEX ON lines (said_at, id);
         ANALYZE;"
    );
    database.execute(&script).await;
    database
}

/// A pipeline over it.
fn pipeline(folder: &Folder, url: &str, served: &Served, requests_per_minute: &str) -> String {
    let text = format!(
        r#"name = "in use"
[cometchat]
base_url = "{}"
api_key = "key"
retention = "off"
requests_per_minute = {requests_per_minute}
[sources.legacy]
connector = "postgres"
url = "{url}"
[[flow]]
entity = "users"
from = "legacy.people"
fields = {{ uid = "'p' || id", name = "name" }}
[[flow]]
entity = "groups"
from = "legacy.rooms"
fields = {{ guid = "'r' || id", name = "name", type = "'public'", owner = "'p1'" }}
[[flow]]
entity = "messages"
from = "legacy.lines"
order_by = ["said_at", "id"]
[flow.skip]
"nothing in it" = "body IS NULL"
[flow.fields]
muid = "id"
sender = "'p' || person_id"
receiverType = "'group'"
receiver = "'r' || room_id"
category = "'message'"
type = "'text'"
sentAt = "unix_seconds(said_at)"
data = {{ text = "body" }}
"#,
        served.url()
    );
    folder.write("in-use.toml", text)
}

/// How many rows of the table the server has looked at for anybody so far.
async fn rows_looked_at(url: &str) -> u64 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let row = sqlx::query(
        "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables
         WHERE relname = 'lines'",
    );
    let row = row.fetch_one(&mut connection).await.unwrap();
    u64::try_from(row.get::<i64, _>(0)).unwrap()
}

/// A session of ours: its state, whether it is outside any transaction, and holds back no vacuum.
type Session = (String, bool, bool);

async fn sessions(connection: &mut PgConnection) -> Vec<Session> {
    let sessions = sqlx::query_as(
        "SELECT state, xact_start IS NULL, backend_xmin IS NULL FROM pg_stat_activity
         WHERE datname = current_database() AND application_name = 'chatferry'",
    );
    sessions.fetch_all(connection).await.unwrap()
}

fn is_free((state, outside, holds_nothing): &Session) -> bool {
    state == "idle" && *outside && *holds_nothing
}

/// Numbers that look drawn at random, from one that is printed.
fn drawn(seed: u64, below: u64) -> impl Iterator<Item = u64> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    })
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// With `CHATFERRY_ROWS=1000000` it is the whole thing, for an optimised build; with
/// `CHATFERRY_SEED` it is the same again.
#[test]
fn killed_ten_times_it_does_not_read_the_table_from_the_start_each_time() {
    let messages = number("CHATFERRY_ROWS").unwrap_or(300_000);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let seed = number("CHATFERRY_SEED").unwrap_or_else(|| now.unwrap().as_secs());
    println!("CHATFERRY_SEED={seed}");
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(database(messages));
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = pipeline(&folder, database.url(), &served, "\"off\"");
    let before = runtime.block_on(rows_looked_at(database.url()));

    let imported = messages - messages / 10;
    let mut kills: Vec<u64> = drawn(seed, imported).take(10).collect();
    kills.sort_unstable();
    for messages in kills {
        let mut running = folder.start(&["run", &pipeline]);
        let sent = || served.counts().messages >= messages;
        running.until("enough was sent", sent);
        assert_eq!(running.kill().code, None, "a signal ended it");
    }
    let ended = folder.run(&["run", &pipeline, "--format", "json"]);
    let ended = ended.expect(0);

    let rows = &account::of(&ended)["messages"];
    println!("{rows:?}");
    let delivered = ["imported", "present", "earlier"];
    let delivered = delivered.iter().filter_map(|outcome| rows.get(*outcome));
    assert_eq!(delivered.sum::<u64>(), imported);
    assert_eq!(rows["read"], messages);
    assert_eq!(rows["skipped: nothing in it"], messages / 10);
    let counts = served.counts();
    assert_eq!((counts.messages, counts.order_violations), (imported, 0));

    // From the start each time it would be half of the table for each kill, and all of it at the
    // end. A kill loses what was read ahead: two pages of 8 MiB, which are 50,000 rows, and what
    // waits to be sent; and the tables of users and conversations are read anew.
    let ahead = 65_000;
    let after = runtime.block_on(rows_looked_at(database.url()));
    println!("{} rows looked at, of {messages}", after - before);
    assert!(after - before < messages + 11 * ahead);
}

#[test]
fn nothing_is_open_in_the_database_while_a_run_waits() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(database(100_000));
    let served = Served::new(Settings {
        requests_per_minute: NonZeroU32::new(240),
        ..unlimited()
    });
    let folder = Folder::new();
    let pipeline = pipeline(&folder, database.url(), &served, "240");
    let mut running = folder.start(&["run", &pipeline]);
    running.until("messages are sent", || served.counts().messages >= 50);

    // Four requests a second: what is read ahead in the beginning lasts for minutes.
    let looks = runtime.block_on(async {
        let mut connection = PgConnection::connect(database.url()).await.unwrap();
        // Free for ten requests on end, which is longer than to go from one page to the next.
        let mut busy_at = served.counts().messages;
        while served.counts().messages < busy_at + 500 {
            if !sessions(&mut connection).await.iter().all(is_free) {
                busy_at = served.counts().messages;
            }
        }
        let waits_from = served.counts().messages;
        let mut looks = 0;
        while served.counts().messages < waits_from + 400 {
            let sessions = sessions(&mut connection).await;
            assert!(sessions.iter().all(is_free), "{sessions:?}");
            looks += sessions.len();
        }
        looks
    });
    println!("{looks} looks at its sessions");
    assert!(looks > 10);
    running.interrupt();
    let ended = running.ended().expect(130);
    assert!(!ended.said().contains(PASSWORD), "the password got out");
}
