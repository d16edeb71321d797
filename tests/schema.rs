//! Does the schema take what the program takes, and refuse what it refuses?
//!
//! A validator of others says so: Python's `jsonschema`, over TOML that Python has read.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use chatferry_tests::{Folder, repository};

const PACKAGE: &str = "jsonschema==4.26.0";

/// Says of each file, a line each, what is wrong with it, the deepest of all first.
const VALIDATE: &str = r#"
import json, sys, tomllib
import jsonschema
with open(sys.argv[1], "rb") as file:
    schema = json.load(file)
kind = jsonschema.validators.validator_for(schema)
kind.check_schema(schema)
assert kind is jsonschema.Draft7Validator, kind
for path in sys.argv[2:]:
    with open(path, "rb") as file:
        errors = kind(schema).iter_errors(tomllib.load(file))
    errors = sorted(errors, key=lambda error: -len(error.absolute_path))
    said = [".".join(map(str, error.absolute_path)) + ": " + error.message[:200] for error in errors]
    print("; ".join(said).replace("\n", " ") or "fine")
"#;

/// Python with the validator, in a folder that later tests find again.
fn python() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("chatferry-{PACKAGE}"));
    let python = folder.join("bin/python");
    let lock = std::fs::File::create(std::env::temp_dir().join("chatferry-schema.lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("ready").is_file() {
        let does = |command: &mut Command| {
            let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
            assert!(
                status.is_ok_and(|status| status.success()),
                "this test needs Python 3.11 with its `venv`, from which it installs {PACKAGE}"
            );
        };
        does(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        );
        does(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]));
        std::fs::write(folder.join("ready"), PACKAGE).unwrap();
    }
    python
}

/// What is wrong with each of these files.
fn validated(files: &[String]) -> Vec<String> {
    let folder = Folder::new();
    let schema = folder.run(&["schema"]).expect(0).out;
    let schema = folder.write("chatferry.schema.json", schema);
    let output = Command::new(python())
        .args(["-c", VALIDATE, &schema])
        .args(files)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{wrong}");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn every_ready_made_pipeline_is_taken() {
    let folders = std::fs::read_dir(repository().join("pipelines")).unwrap();
    let files = folders.map(|folder| folder.unwrap().path().join("pipeline.toml"));
    let files = files.filter(|file| file.is_file());
    // The schema is of what the program has; this connector it has only when it is built with it.
    let is_had = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).unwrap();
        !text.contains("connector = \"mongodb\"")
    };
    let files = files.filter(is_had);
    let files: Vec<String> = files.map(|file| file.display().to_string()).collect();
    assert!(files.len() >= 20, "{files:?}");
    for (file, said) in files.iter().zip(validated(&files)) {
        assert_eq!(said, "fine", "{file}");
    }
}

const GOOD: &str = r#"
name = "acme"
[cometchat]
app_id = "${COMETCHAT_APP_ID}"
region = "${REGION:-eu}"
api_key = { file = "/run/secrets/key" }
requests_per_minute = "off"
timeout = "30 s"
failure_budget = "5 % of 1000"
[engine]
memory = "128 MiB"
[variables]
kind = "text"
days = 7
strict = true
[sources.people]
connector = "csv"
path = "people.csv"
schema = { id = "bigint", price = "decimal(12, 2)", born = { date = "%d.%m.%Y" } }
[sources.export]
connector = "json"
root = "s3://bucket/export.zip"
storage = { region = "eu-central-1" }
tables = { lines = "*.jsonl", chat = { path = "chat.json", records = "a.b", schema = { id = "text", of = ["json"] } } }
[sources.legacy]
connector = "postgres"
url = "${LEGACY_DATABASE_URL}"
tables = { recent = { query = "SELECT 1 AS id", key = ["id"] } }
[sources.shop]
connector = "mysql"
host = "db"
port = 3306
database = "shop"
tables = ["users", "orders"]
[sources.app]
connector = "sqlite"
path = "app.db"
snapshot = true
[views]
both = "SELECT 1 AS id"
[[flow]]
entity = "users"
from = "people.people"
where = "id > $days"
order_by = ["id"]
[flow.skip]
"a bot" = "kind = 'bot'"
[flow.fields]
uid = "cometchat_id(id)"
name = "name"
createdAt = 1700000000
metadata = { legacy = { id = "id", good = true } }
[[flow]]
entity = "messages"
name = "direct"
from = "both"
order_by = "id"
references = "trust"
[flow.fields]
muid = "id"
sender = "id"
receiverType = "'user'"
receiver = "id"
sentAt = "unix_seconds(at)"
data.text = "body"
data.unknown.deep = "body"
"#;

#[test]
fn what_is_taken_and_what_is_not_is_as_the_program_says() {
    let wrong = [
        ("connector = \"csv\"", "connector = \"cvs\"", "'cvs'"),
        (
            "path = \"people.csv\"",
            "pth = \"people.csv\"",
            "'pth' was unexpected",
        ),
        ("port = 3306", "port = \"many\"", "port"),
        (
            "memory = \"128 MiB\"",
            "memroy = \"128 MiB\"",
            "'memroy' was unexpected",
        ),
        ("timeout = \"30 s\"", "timeout = 30", "timeout"),
        (
            "uid = \"cometchat_id(id)\"",
            "uuid = \"id\"",
            "'uuid' was unexpected",
        ),
        ("sender = \"id\"", "", "'sender' is a required property"),
        ("entity = \"users\"", "entity = \"people\"", "'people'"),
        (
            "references = \"trust\"",
            "references = \"maybe\"",
            "'maybe'",
        ),
        ("name = \"acme\"", "", "'name' is a required property"),
        ("where = \"id > $days\"", "where = [\"id\"]", "where"),
        ("createdAt = 1700000000", "createdAt = [1]", "createdAt"),
        ("strict = true", "strict = [true]", "strict"),
    ];
    let folder = Folder::new();
    let variables = [
        ("COMETCHAT_APP_ID", "app"),
        ("LEGACY_DATABASE_URL", "postgres://db/legacy"),
    ];
    // The sources are not there; what matters is that the file has no mistakes.
    let has_mistakes =
        |file: &String| folder.run_with(&variables, &["check", file]).code == Some(3);
    let good = folder.write("good.toml", GOOD);
    assert!(!has_mistakes(&good));
    let mut files = vec![good];
    for (number, (right, wrong, _)) in wrong.iter().enumerate() {
        assert!(GOOD.contains(right), "{right}");
        let text = GOOD.replacen(right, wrong, 1);
        let file = folder.write(&format!("wrong-{number}.toml"), text);
        assert!(has_mistakes(&file), "{wrong} is no mistake");
        files.push(file);
    }
    let said = validated(&files);
    assert_eq!(said[0], "fine");
    for (said, (_, wrong, expected)) in said[1..].iter().zip(&wrong) {
        assert!(said.contains(expected), "{wrong}: {said}");
    }
}
