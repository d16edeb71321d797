//! What does a person see?
//!
//! Each page is kept as a snapshot and read in review. No line is wider than 100 columns.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use chatferry_tests::{Chat, Folder, Served, page, pipeline, unlimited};
use insta::assert_snapshot;

/// Standard output of a command that succeeds, and standard error after it if it says anything.
fn shown(arguments: &[&str]) -> String {
    let folder = Folder::new();
    let variables = [("COMETCHAT_APP_ID", "app"), ("COMETCHAT_API_KEY", "key")];
    let ended = folder.run_with(&variables, arguments).expect(0);
    let talk = if ended.err.is_empty() {
        String::new()
    } else {
        format!("\n--- talk\n{}", ended.err)
    };
    page::of(&format!("{}{talk}", ended.out), &folder)
}

/// A page of one long line of JSON, laid out.
fn laid_out(arguments: &[&str]) -> String {
    let ended = Folder::new().run(arguments).expect(0);
    let json = chatferry_tests::account::json(&ended);
    serde_json::to_string_pretty(&json).expect("JSON can be written")
}

#[test]
fn help() {
    assert_snapshot!("help", shown(&["--help"]));
    for command in [
        "init",
        "check",
        "preview",
        "plan",
        "rehearse",
        "run",
        "failures",
        "retry",
        "attachments",
        "singer-target",
        "snapshot",
        "status",
        "tables",
        "verify",
        "undo",
        "simulate",
        "connectors",
        "functions",
        "rules",
        "explain",
        "schema",
        "completions",
        "man",
    ] {
        assert!(shown(&[command, "--help"]).contains("Example"), "{command}");
        assert_snapshot!(format!("help_{command}"), shown(&[command, "--help"]));
    }
}

#[test]
fn every_command_is_completed_and_has_a_page_of_the_manual() {
    let folder = Folder::new();
    let help = folder.run(&["--help"]).expect(0);
    let listed = help.out.split("Commands:").nth(1).expect("a list");
    let listed = listed.split("Options:").next().expect("a list");
    let commands: Vec<&str> = listed
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(
        commands.contains(&"plan") && commands.contains(&"man"),
        "{commands:?}"
    );
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = folder.run(&["completions", shell]).expect(0).out;
        for command in &commands {
            assert!(script.contains(command), "{shell} does not know {command}");
        }
        assert!(script.contains("everything"), "{shell}");
    }
    let pages = folder.file("man");
    folder.run(&["man", &pages]).expect(0);
    for command in commands.iter().filter(|command| **command != "help") {
        let page = folder
            .path()
            .join("man")
            .join(format!("chatferry-{command}.1"));
        assert!(page.is_file(), "{command} has no page");
    }
}

#[test]
fn talk_is_json_for_programs_who_ask_for_it() {
    let folder = Folder::new();
    let chat = Chat::default().write(&folder, "http://127.0.0.1:9/v3");
    let events = |arguments: &[&str], code: i32| -> Vec<String> {
        let mut all = arguments.to_vec();
        all.extend(["--log-format", "json"]);
        let ended = folder.run(&all).expect(code);
        let lines = ended.err.lines().map(|line| {
            let object: serde_json::Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(object["time"].is_string(), "{line}");
            object["event"].as_str().expect("a name").to_owned()
        });
        lines.collect()
    };
    assert_eq!(events(&["rehearse", &chat], 0), ["message"]);
    assert_eq!(events(&["run", "nowhere.toml"], 3), ["error"]);
    let text = std::fs::read_to_string(&chat).expect("a pipeline");
    folder.write(
        "pipeline.toml",
        text.replace("from = \"chat.users\"", "from = \"chat.nobody\""),
    );
    assert_eq!(events(&["check", &chat], 3), ["complaint"]);
    assert_eq!(events(&["check", &chat, "-q"], 3), ["complaint"]);
}

#[test]
fn lists() {
    assert_snapshot!("connectors", shown(&["connectors"]));
    assert_snapshot!("functions", shown(&["functions"]));
    assert_snapshot!("rules", shown(&["rules"]));
}

/// Long enough for the slowest machine.
const PATIENCE: [&str; 2] = ["--patience", "100 s"];

#[test]
fn check() {
    let check = |name: &str, more: &[&str]| {
        let pipeline = pipeline(name);
        [&["check", &pipeline], &PATIENCE[..], more]
            .concat()
            .join("\n")
    };
    for name in ["quickstart", "slack-export"] {
        let arguments = check(name, &[]);
        let shown = shown(&arguments.lines().collect::<Vec<_>>());
        assert_snapshot!(format!("check_{name}"), untimed(&shown));
    }
    let arguments = check("quickstart", &["--format", "json"]);
    let json = laid_out(&arguments.lines().collect::<Vec<_>>());
    assert_snapshot!("check_quickstart_json", untimed(&json));
}

/// The same without the time that a check took.
fn untimed(page: &str) -> String {
    let took = regex::Regex::new(r#"that took [0-9.]+ s|"seconds": [0-9.e-]+"#);
    let untimed = took.expect("it is one").replace_all(page, "[took]");
    untimed.into_owned()
}

#[test]
fn check_warns_of_what_is_no_mistake() {
    let folder = Folder::new();
    folder.write(
        "people.jsonl",
        concat!(
            "{\"id\":\"Ann\",\"name\":\"Ann\",\"at\":1700000000000,\"shoe\":41}\n",
            "{\"id\":\"bo\",\"name\":null,\"at\":1700000000000,\"shoe\":42}\n",
        ),
    );
    folder.write(
        "lines.jsonl",
        concat!(
            "{\"id\":1,\"by\":\"Ann\",\"to\":\"bo\",\"at\":1700000000,",
            "\"files\":[{\"url\":\"https://files.example.org/a.png\",\"name\":\"a.png\",",
            "\"mimeType\":\"image/png\",\"extension\":\"png\"}]}\n",
        ),
    );
    let pipeline = folder.write(
        "pipeline.toml",
        r#"
name = "warnings"
[cometchat]
base_url = "http://127.0.0.1:9"
api_key = "key"
retention = "off"
[sources.chat]
connector = "json"
[[flow]]
entity = "users"
from = "chat.people"
[flow.fields]
uid = "cometchat_id(id)"
name = "name"
createdAt = "at"
[[flow]]
entity = "messages"
from = "chat.lines"
[flow.fields]
muid = "id"
sender = "cometchat_id(by)"
receiverType = "'user'"
receiver = "\"to\""
category = "'message'"
type = "'file'"
sentAt = "at"
data.attachments = "files"
"#,
    );
    let arguments = [&["check", &pipeline], &PATIENCE[..]].concat();
    let ended = folder.run(&arguments).expect(0);
    assert_snapshot!(page::of(&ended.out, &folder));
    let unseen = folder.run(&["check", &pipeline, "--patience", "0 s"]);
    let unseen = unseen.expect(0).out;
    assert!(!unseen.contains("ann_1ewx") && unseen.contains("no example"));
    assert!(
        ended.err.contains("in order, with 5 warnings"),
        "{}",
        ended.err
    );
}

#[test]
fn check_checks_again_when_the_file_is_saved() {
    let folder = Folder::new();
    let chat = Chat::default().write(&folder, "http://127.0.0.1:9/v3");
    let text = std::fs::read_to_string(&chat).expect("a pipeline");
    let log = folder.path().join("checked");
    let mut watching = folder.start_into(&log, &["check", &chat, "--watch", "--format", "json"]);
    let checks = || {
        std::fs::read_to_string(&log)
            .unwrap_or_default()
            .lines()
            .count()
    };
    watching.until("the first check", || checks() == 1);
    folder.write("pipeline.toml", format!("{text}\n# saved"));
    watching.until("the second check", || checks() == 2);
    folder.write(
        "pipeline.toml",
        text.replace("connector = \"json\"", "connector = \"jsno\""),
    );
    folder.write("pipeline.toml", text);
    watching.until("the last check", || checks() == 3);
    let ended = watching.kill();
    assert_eq!(ended.code, None, "it goes on until it is stopped");
}

#[test]
fn tables() {
    assert_snapshot!(
        "tables_of_a_pipeline",
        shown(&["tables", &pipeline("quickstart"), "rooms", "irc.users"])
    );
    let folder = Folder::new();
    folder.write(
        "export/people.csv",
        "id,name,since\n7,Ann,2024-05-01\n12,,2023-01-31\n",
    );
    folder.write(
        "export/lines.jsonl",
        "{\"id\":1,\"tags\":[\"a\"]}\n{\"id\":2}\n",
    );
    folder.write("export/notes.txt", "nothing to read");
    let export = folder.file("export");
    assert_snapshot!("tables_of_a_folder", shown(&["tables", &export]));
    let people = folder.file("export/people.csv");
    assert_snapshot!(
        "tables_of_a_file_json",
        laid_out(&["tables", &people, "--format", "json"])
    );
    folder.write("mixed/good.jsonl", "{\"id\":1}\n");
    let whole = "{\n  \"messages\": [\n    {\n      \"id\": 1\n    }\n  ]\n}\n";
    folder.write("mixed/whole.json", whole);
    let mixed = folder.file("mixed");
    let ended = folder.run(&["tables", &mixed]).expect(4);
    assert_snapshot!(
        "tables_that_cannot_all_be_read",
        page::of(&ended.said(), &folder)
    );
    let ended = folder.run(&["tables", &export, "nobody"]).expect(4);
    assert_snapshot!("tables_of_another_name", page::of(&ended.err, &folder));
}

#[test]
fn check_without_the_variables_of_the_destination() {
    let folder = Folder::new();
    let quickstart = pipeline("quickstart");
    let arguments = [&["check", &quickstart], &PATIENCE[..]].concat();
    let ended = folder.run(&arguments).expect(0);
    assert_snapshot!(untimed(&page::of(&ended.err, &folder)));
}

#[test]
fn preview() {
    let slack = pipeline("slack-export");
    assert_snapshot!(shown(&["preview", &slack, "--flow", "members", "-n", "2"]));
    let quickstart = pipeline("quickstart");
    let by_id = ["preview", &quickstart, "--id", "irc-17"];
    assert_snapshot!("preview_by_id", shown(&by_id));
    let events = [
        "preview",
        &quickstart,
        "--where",
        "kind = 'event' AND id < 100",
        "--flow",
        "messages",
        "-n",
        "1",
    ];
    assert_snapshot!("preview_of_what_is_skipped", shown(&events));
}

#[test]
fn preview_says_what_would_be_rejected_and_what_is_not_there() {
    let folder = Folder::new();
    let chat = Chat::default().write(&folder, "http://127.0.0.1:9/v3");
    let messages = folder.path().join("data/messages.jsonl");
    let text = std::fs::read_to_string(&messages).expect("the messages");
    let empty = r#"{"id":"m-2","group":"g0","user":"u0","at":1700009999,"body":"   "}"#;
    std::fs::write(&messages, format!("{text}{empty}\n")).expect("it can be written");
    let said = |arguments: &[&str], code: i32| {
        let all = [&["preview", &chat], arguments].concat();
        let ended = folder.run(&all).expect(code);
        page::of(&format!("{}--- talk\n{}", ended.out, ended.err), &folder)
    };
    assert_snapshot!(
        "preview_of_what_would_be_rejected",
        said(&["--id", "m-2"], 0)
    );
    assert_snapshot!("preview_of_nobody", said(&["--id", "nobody"], 2));
    assert_snapshot!(
        "preview_of_no_condition",
        said(&["--flow", "messages", "--where", "bdoy = ''"], 2)
    );
    let colored = said(&["--flow", "users", "-n", "1", "--color", "always"], 0);
    assert!(
        colored.contains("\u{1b}[36m\"uid\"\u{1b}[0m: \u{1b}[32m\""),
        "{colored}"
    );
}

#[test]
fn the_version_is_said() {
    let version = Folder::new().run(&["--version"]).expect(0).out;
    let pattern = regex::Regex::new(r"^chatferry \d+\.\d+\.\d+( \([0-9a-f]{12}\))?\n$");
    assert!(pattern.expect("it is one").is_match(&version), "{version}");
}

#[test]
fn rehearse() {
    for name in ["quickstart", "slack-export"] {
        assert_snapshot!(
            format!("rehearse_{name}"),
            shown(&["rehearse", &pipeline(name)])
        );
    }
}

#[test]
fn run_and_status_with_rows_that_cannot_be_delivered() {
    let (chat, folder, served) = (Chat::default(), Folder::new(), Served::new(unlimited()));
    let pipeline = chat.write(&folder, served.url());
    let messages = folder.path().join("data/messages.jsonl");
    let text = std::fs::read_to_string(&messages).expect("the messages");
    let more = concat!(
        r#"{"id":"m-1","group":"g0","user":"nobody","at":1700009999,"body":"from nobody"}"#,
        "\n",
        r#"{"id":"m-2","group":"g0","user":"u0","at":1700009999,"body":"   "}"#,
        "\n",
        r#"{"id":"m-3","group":"g0","user":"u0","at":"#,
        "\n",
        r#"{"id":"m-000001","group":"g0","user":"u0","at":1700009999,"body":"a doubled id"}"#,
        "\n",
    );
    std::fs::write(&messages, text + more).expect("it can be written");

    let ended = folder.run(&["run", &pipeline]).expect(7);
    assert_snapshot!("run", page::of(&ended.out, &folder));
    let ended = folder.run(&["status", &pipeline]).expect(0);
    assert_snapshot!("status", page::of(&ended.out, &folder));
    let ended = folder.run(&["run", &pipeline]).expect(7);
    assert_snapshot!("run_again", page::of(&ended.out, &folder));
}

#[test]
fn a_mistake_in_a_pipeline_is_underlined() {
    let folder = Folder::new();
    let good = Chat::default().write(&folder, "http://127.0.0.1:9/v3");
    let text = std::fs::read_to_string(&good).expect("a pipeline");
    let text = text
        .replace("name = \"name\"", "nmae = \"nam\"")
        .replace("connector = \"json\"", "connector = \"jsno\"");
    folder.write("pipeline.toml", text);
    let ended = folder.run(&["check", &good]).expect(3);
    assert_snapshot!(page::of(&ended.err, &folder));
}
