//! A tap as it is published, over a real database.

use chatferry_testkit::reading::{rows, table_shown};
use chatferry_testkit::servers::{mariadb, python};

use crate::workshop::source;

/// What is installed.
const PACKAGE: &str = "tap-mysql==1.17.7";

const TABLES: &str = "
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(100), balance DECIMAL(10, 2), seen DATETIME);
INSERT INTO users VALUES (1, 'Ann', 12.50, '2024-05-01 12:00:00'), (2, NULL, NULL, NULL);
CREATE TABLE messages (id BIGINT PRIMARY KEY, author BIGINT, body TEXT);
INSERT INTO messages SELECT seq, 1 + seq % 2, concat('message ', seq) FROM seq_1_to_5000;
";

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_read_by_its_tap() {
    let database = mariadb().await.database().await;
    database.execute(TABLES).await;
    let folder =
        tokio::task::spawn_blocking(|| python::environment(PACKAGE, "install it there yourself"));
    let folder = folder.await.expect("an environment");
    let url = database.url();
    let (_, rest) = url.split_once("://").expect("a URL");
    let (account, rest) = rest.rsplit_once('@').expect("an account");
    let (user, password) = account.split_once(':').expect("a password");
    let (host, rest) = rest.split_once(':').expect("a port");
    let port = rest.split_once('/').expect("a database").0;
    let name = database.name();
    let source = source(
        &format!(
            "command = [\"{}/bin/tap-mysql\"]\n\
             config = {{ host = \"{host}\", port = \"{port}\", user = \"{user}\", \
             password = \"{password}\", filter_dbs = \"{name}\" }}",
            folder.display()
        ),
        &folder,
    );
    assert_eq!(
        source.tables().await.expect("tables"),
        ["messages", "users"]
    );
    let users = rows(&source, "users").await.expect("described");
    assert!(users.failed.is_none(), "{:?}", users.failed);
    insta::assert_snapshot!(format!(
        "{}{}",
        table_shown(&users.table),
        users.shown(|_| String::new())
    ));
    let messages = rows(&source, "messages").await.expect("described");
    assert!(messages.failed.is_none(), "{:?}", messages.failed);
    assert_eq!(
        (messages.rows.num_rows(), messages.rejected.len()),
        (5_000, 0)
    );
}
