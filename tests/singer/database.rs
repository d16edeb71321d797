//! The same chat in a real database, and the tap that is published for it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use chatferry_testkit::servers::{Database, mariadb, python};
use chatferry_tests::{Folder, Running};
use serde_json::{Value, json};

/// What is installed.
const PACKAGE: &str = "tap-mysql==1.17.7";

const TABLES: &str = "
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR(100));
INSERT INTO users VALUES (1, 'Ann'), (2, 'Bob');
CREATE TABLE messages (id BIGINT PRIMARY KEY, author BIGINT, body TEXT);
INSERT INTO messages SELECT seq, 1 + seq % 2, concat('message ', seq) FROM seq_1_to_300;
";

/// A chat in a database.
pub(crate) struct InDatabase {
    pub(crate) database: Database,
    environment: PathBuf,
}

impl InDatabase {
    /// One of 300 messages between two people.
    pub(crate) async fn new() -> Self {
        let database = mariadb().await.database().await;
        database.execute(TABLES).await;
        let install = || python::environment(PACKAGE, "install it there yourself");
        let environment = tokio::task::spawn_blocking(install).await.unwrap();
        Self {
            database,
            environment,
        }
    }

    /// Somebody says more.
    pub(crate) async fn say(&self, from: u32, upto: u32) {
        let say = format!(
            "INSERT INTO messages SELECT seq, 1 + seq % 2, concat('message ', seq) \
             FROM seq_{from}_to_{upto}"
        );
        self.database.execute(&say).await;
    }

    /// What the tap is told of where to read.
    pub(crate) fn config(&self) -> Value {
        let url = self.database.url();
        let (_, rest) = url.split_once("://").unwrap();
        let (account, rest) = rest.rsplit_once('@').unwrap();
        let (user, password) = account.split_once(':').unwrap();
        let (host, rest) = rest.split_once(':').unwrap();
        let port = rest.split_once('/').unwrap().0;
        json!({
            "host": host, "port": port, "user": user, "password": password,
            "filter_dbs": self.database.name(),
        })
    }

    /// The program of the tap.
    pub(crate) fn tap(&self) -> String {
        let tap = self.environment.join("bin/tap-mysql");
        tap.to_str().unwrap().to_owned()
    }

    /// The source that runs the tap, which reads messages on from where they ended.
    pub(crate) fn source(&self) -> String {
        let config = self.config();
        let config = config.as_object().unwrap();
        let config = config.iter().map(|(key, value)| format!("{key} = {value}"));
        let config: Vec<String> = config.collect();
        format!(
            "command = [\"{}\"]\nconfig = {{ {} }}\n[sources.legacy.tables]\nusers = \"users\"\n\
             messages = {{ stream = \"messages\", replication_key = \"id\" }}",
            self.tap(),
            config.join(", ")
        )
    }

    /// Writes the catalog in which messages are to be read on, as whoever runs the tap does.
    pub(crate) fn write_catalog(&self, folder: &Folder) {
        folder.write("config.json", self.config().to_string());
        let found = Command::new(self.tap())
            .args(["--config", "config.json", "--discover"])
            .current_dir(folder.path())
            .stderr(Stdio::null())
            .output()
            .unwrap();
        let mut catalog: Value = serde_json::from_slice(&found.stdout).unwrap();
        for stream in catalog["streams"].as_array_mut().unwrap() {
            let grows = stream["stream"] == "messages";
            for entry in stream["metadata"].as_array_mut().unwrap() {
                let told = &mut entry["metadata"];
                told["selected"] = true.into();
                if grows {
                    told["replication-method"] = "INCREMENTAL".into();
                    told["replication-key"] = "id".into();
                } else {
                    told["replication-method"] = "FULL_TABLE".into();
                }
            }
        }
        folder.write("catalog.json", catalog.to_string());
    }

    /// Pipes the tap, given that state, into the target.
    pub(crate) fn pipe(&self, folder: &Folder, state: Option<&str>, target: &[&str]) -> Running {
        let mut tap = Command::new(self.tap());
        tap.args(["--config", "config.json", "--catalog", "catalog.json"]);
        if let Some(state) = state {
            folder.write("state.json", state);
            tap.args(["--state", "state.json"]);
        }
        let mut tap = tap
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let messages = tap.stdout.take().unwrap();
        // It ends when nobody reads what it prints, and nobody is left to wait for it otherwise.
        std::thread::spawn(move || tap.wait());
        folder.start_fed(messages, target)
    }
}
