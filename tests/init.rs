//! Does `init` bring a chat that nobody has described to a verified import?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::net::{TcpListener, TcpStream};

use chatferry_benches::legacy::{Population, Target, fill};
use chatferry_testkit::servers::{self, PASSWORD};
use chatferry_tests::account::{self, Rows};
use chatferry_tests::{Folder, page, repository};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::runtime::Runtime;

const APP: [(&str, &str); 2] = [("COMETCHAT_APP_ID", "app"), ("COMETCHAT_API_KEY", "key")];

/// A folder with the database `chat.db` that a script of `tests/init` makes.
fn chat(name: &str) -> Folder {
    let folder = Folder::new();
    let script = repository().join("tests/init").join(format!("{name}.sql"));
    let script = std::fs::read_to_string(script).unwrap();
    let make = async {
        let options = SqliteConnectOptions::new().filename(folder.file("chat.db"));
        let mut connection = options.create_if_missing(true).connect().await.unwrap();
        let made = sqlx::raw_sql(AssertSqlSafe(script));
        made.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    };
    Runtime::new().unwrap().block_on(make);
    folder
}

/// What a run of a drafted pipeline is to come to: imported, and skipped.
struct Wanted {
    users: u64,
    groups: u64,
    members: u64,
    messages: u64,
    skipped: u64,
}

/// From a database to a verified import: six commands, and nothing edited.
fn is_carried_over(name: &str, wanted: &Wanted) {
    let folder = chat(name);
    let drafted = folder.run(&["init", "chat.db"]).expect(0);
    let file = folder.path().join("pipeline.toml");
    insta::assert_snapshot!(
        format!("{name}.toml"),
        std::fs::read_to_string(file).unwrap()
    );
    insta::assert_snapshot!(format!("{name}"), page::of(&drafted.said(), &folder));

    let checked = folder.run_with(&APP, &["check", "pipeline.toml"]).expect(0);
    assert_eq!(checked.err.matches('⚠').count(), 0, "{}", checked.err);
    folder
        .run_with(&APP, &["rehearse", "pipeline.toml"])
        .expect(0);

    // A port that was free a moment ago.
    let address = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let at = address.to_string();
    let arguments = [
        "simulate",
        "--listen",
        &at,
        "--requests-per-minute",
        "off",
        "--retention",
        "off",
        "--core-requests-per-minute",
        "off",
        "--other-requests-per-minute",
        "off",
    ];
    let mut simulator = folder.start(&arguments);
    simulator.until("it listens", || TcpStream::connect(address).is_ok());

    let there = format!("cometchat.base_url=http://{at}/v3");
    let set = [
        "--set",
        &there,
        "--set",
        "cometchat.requests_per_minute=off",
        "--format",
        "json",
    ];
    let imported = [&["run", "pipeline.toml"], &set[..]].concat();
    let imported = folder.run_with(&APP, &imported).expect(0);
    let rows = |entity: &str, outcome: &str| {
        let flows = account::of(&imported).into_iter();
        let flows = flows.filter(|(flow, _)| flow.starts_with(entity));
        let of = |rows: Rows| rows.get(outcome).copied().unwrap_or(0);
        flows.map(|(_, rows)| of(rows)).sum::<u64>()
    };
    let account = account::of(&imported);
    assert_eq!(
        rows("users", "imported") + rows("placeholder", "imported"),
        wanted.users,
        "{account:?}"
    );
    assert_eq!(rows("groups", "imported"), wanted.groups, "{account:?}");
    assert_eq!(rows("members", "imported"), wanted.members, "{account:?}");
    assert_eq!(rows("messages", "imported"), wanted.messages, "{account:?}");
    let read = rows("messages", "read");
    assert_eq!(read - wanted.messages, wanted.skipped, "{account:?}");

    let verified = [&["verify", "pipeline.toml", "--patience", "0"], &set[..]].concat();
    let verified = folder.run_with(&APP, &verified).expect(0);
    println!("{}", verified.out);
    simulator.kill();
}

#[test]
fn singular_names_and_uuids() {
    let wanted = Wanted {
        users: 3,
        groups: 2,
        members: 6,
        messages: 81,
        skipped: 9,
    };
    is_carried_over("singular", &wanted);
}

#[test]
fn camel_case_and_milliseconds() {
    let wanted = Wanted {
        users: 3,
        groups: 2,
        members: 6,
        messages: 110,
        skipped: 10,
    };
    is_carried_over("camel", &wanted);
}

#[test]
fn german_names_and_times_as_people_write_them() {
    let wanted = Wanted {
        users: 3,
        groups: 2,
        members: 6,
        messages: 40,
        skipped: 0,
    };
    is_carried_over("deutsch", &wanted);
}

#[test]
fn messages_between_two_in_a_table_of_their_own() {
    let wanted = Wanted {
        users: 3,
        groups: 2,
        members: 6,
        messages: 80,
        skipped: 0,
    };
    is_carried_over("apart", &wanted);
}

#[test]
fn members_are_who_wrote_where_no_table_has_them() {
    let wanted = Wanted {
        users: 4,
        groups: 2,
        members: 2,
        messages: 41,
        skipped: 0,
    };
    is_carried_over("writers", &wanted);
}

#[test]
fn everything_in_one_table() {
    let wanted = Wanted {
        users: 4,
        groups: 2,
        members: 8,
        messages: 60,
        skipped: 0,
    };
    is_carried_over("one", &wanted);
}

/// Drafts a pipeline for what is at a URL, and has everything of it rehearsed.
fn is_rehearsed(url: &str, system: &str) -> (Folder, String) {
    let folder = Folder::new();
    let drafted = ["init", url, "--system", system, "-o", "chat.toml"];
    let drafted = folder.run(&drafted).expect(0);
    let text = std::fs::read_to_string(folder.path().join("chat.toml")).unwrap();
    for said in [&text, &drafted.said()] {
        assert!(!said.contains(PASSWORD), "the password got out");
    }
    assert!(text.contains("${LEGACY_DATABASE_URL}"), "{text}");
    assert!(
        drafted.err.contains("export LEGACY_DATABASE_URL="),
        "{}",
        drafted.err
    );
    let variables = [APP[0], APP[1], ("LEGACY_DATABASE_URL", url)];
    let ended = folder.run_with(&variables, &["rehearse", "chat.toml", "--format", "json"]);
    let account = account::of(&ended);
    // What is rejected are rows that break the API's own rules.
    assert!(matches!(ended.code, Some(0 | 7)), "{}", ended.said());
    let messages = &account["messages"];
    println!("{account:?}");
    assert!(
        messages["imported"] * 10 > messages["read"] * 6,
        "{messages:?}"
    );
    (folder, text)
}

#[test]
fn a_generated_chat_in_postgresql() {
    let runtime = Runtime::new().unwrap();
    let url = runtime.block_on(async {
        let database = servers::postgres().await.database().await;
        let target = Target::Postgres(database.url().to_owned());
        fill(&target, &Population::new(3, 2_000)).await.unwrap();
        database.url().to_owned()
    });
    let (_, text) = is_rehearsed(&url, "none");
    for decided in [
        "conversations of two: direct",
        "users: legacy.users",
        "members: legacy.participants",
    ] {
        assert!(text.contains(decided), "{decided} is not in {text}");
    }
    // It is the chat of a ready-made pipeline, too.
    let (_, text) = is_rehearsed(&url, "homegrown-postgres");
    assert!(text.contains("name = \"homegrown-postgres\""));
}

#[test]
fn a_generated_chat_in_mariadb() {
    let runtime = Runtime::new().unwrap();
    let url = runtime.block_on(async {
        let database = servers::mariadb().await.database().await;
        let target = Target::MySql(database.url().to_owned());
        fill(&target, &Population::new(3, 2_000)).await.unwrap();
        database.url().to_owned()
    });
    let (_, text) = is_rehearsed(&url, "none");
    for decided in ["conversations of two: direct", "users: legacy.chat_users"] {
        assert!(text.contains(decided), "{decided} is not in {text}");
    }
}

#[test]
fn known_systems_get_their_ready_made_pipeline() {
    let folder = Folder::new();
    let sample = repository().join("pipelines/homegrown-sqlite/data/chat.db");
    std::fs::copy(sample, folder.file("chat.db")).unwrap();
    let drafted = folder.run(&["init", "chat.db"]).expect(0);
    assert!(drafted.out.contains("homegrown-sqlite"), "{}", drafted.out);
    folder
        .run_with(&APP, &["rehearse", "pipeline.toml"])
        .expect(0);

    let export = repository().join("pipelines/slack-export/export");
    let export = export.to_str().unwrap();
    let drafted = folder.run(&["init", export, "-o", "slack.toml", "--format", "json"]);
    let drafted = account::json(&drafted.expect(0));
    assert_eq!(drafted["system"], "slack-export");
    folder.run_with(&APP, &["rehearse", "slack.toml"]).expect(0);

    let dump = repository().join("pipelines/rocketchat/dump");
    let drafted = folder.run(&[
        "init",
        dump.to_str().unwrap(),
        "-o",
        "rocket.toml",
        "--format",
        "json",
    ]);
    assert_eq!(account::json(&drafted.expect(0))["system"], "rocketchat");
    folder
        .run_with(&APP, &["rehearse", "rocket.toml"])
        .expect(0);
}

#[test]
fn a_ready_made_pipeline_is_not_for_what_its_connector_cannot_read() {
    let tables = repository().join("pipelines/homegrown-csv/data");
    let folder = Folder::new();
    let drafted = folder.run(&["init", tables.to_str().unwrap(), "--format", "json"]);
    assert_eq!(
        account::json(&drafted.expect(0))["system"],
        serde_json::Value::Null
    );
    let ended = folder.run_with(&APP, &["rehearse", "pipeline.toml"]);
    assert!(matches!(ended.code, Some(0 | 7)), "{}", ended.said());
}

#[test]
fn systems_whose_files_are_whole_documents_are_known_by_their_keys() {
    let folder = Folder::new();
    for (system, place) in [
        ("discord", "discord/export"),
        ("telegram", "telegram/export"),
        ("zulip-export", "zulip-export/export"),
        ("stream", "stream/import"),
        ("stream-export", "stream-export/export"),
        ("sendbird", "sendbird/export"),
        ("twilio", "twilio/export"),
        ("mattermost-bulk", "mattermost-bulk/export"),
    ] {
        let export = repository().join("pipelines").join(place);
        let file = format!("{}.toml", place.replace('/', "-"));
        let drafted = folder.run(&["init", export.to_str().unwrap(), "-o", &file]);
        let drafted = drafted.expect(0);
        let said = format!("the ready-made pipeline {system};");
        assert!(drafted.out.contains(&said), "{place}: {}", drafted.said());
        // Some of the samples have rows that are rejected.
        let rehearsed = folder.run_with(&APP, &["rehearse", &file]);
        let done = matches!(rehearsed.code, Some(0 | 7));
        assert!(done, "{place}: {}", rehearsed.said());
    }
}

#[test]
fn a_system_may_be_named_whatever_its_files_tell() {
    let folder = Folder::new();
    let export = repository().join("pipelines/discord/export");
    let export = export.to_str().unwrap();
    let ended = folder.run(&["init", export, "--system", "discord", "-o", "discord.toml"]);
    ended.expect(0);
    folder
        .run_with(&APP, &["rehearse", "discord.toml"])
        .expect(0);
}

#[test]
fn a_file_is_never_written_over() {
    let folder = chat("one");
    folder.write("pipeline.toml", "mine");
    let ended = folder.run(&["init", "chat.db"]).expect(2);
    assert!(ended.err.contains("is there already"), "{}", ended.err);
    assert_eq!(
        std::fs::read(folder.path().join("pipeline.toml")).unwrap(),
        b"mine"
    );
    folder
        .run(&["init", "chat.db", "-o", "other.toml"])
        .expect(0);
}

#[test]
fn tables_may_be_chosen_and_left_out() {
    let folder = chat("apart");
    let said = [
        "init",
        "chat.db",
        "--members",
        "none",
        "--messages",
        "direct_messages",
    ];
    folder.run(&said).expect(0);
    let text = std::fs::read_to_string(folder.path().join("pipeline.toml")).unwrap();
    assert!(text.contains("every message goes to one person"), "{text}");
    assert!(!text.contains("legacy.messages"), "{text}");

    let ended = folder.run(&["init", "chat.db", "-o", "o.toml", "--users", "peple"]);
    let ended = ended.expect(2);
    assert!(
        ended.err.contains("there is no table called peple"),
        "{}",
        ended.err
    );
    assert!(!folder.path().join("o.toml").exists());
}

#[test]
fn what_has_no_messages_is_told_so() {
    let folder = Folder::new();
    folder.write("prices.csv", "product,price\ntea,3\n");
    let ended = folder.run(&["init", "prices.csv"]).expect(4);
    assert!(ended.err.contains("looks like messages"), "{}", ended.err);
    let ended = folder.run(&["init", "nowhere.txt"]).expect(2);
    assert!(
        ended.err.contains("nothing that can be looked at"),
        "{}",
        ended.err
    );
    assert!(!folder.path().join("pipeline.toml").exists());
}

#[test]
fn files_of_a_folder_are_a_chat_too() {
    let folder = Folder::new();
    folder.write("export/users.csv", "id,name\n1,Ada\n2,Bob\n");
    let messages = "{\"id\":1,\"user_id\":1,\"room\":\"lobby\",\"text\":\"Hello\",\"at\":1700000000}\n\
                    {\"id\":2,\"user_id\":2,\"room\":\"lobby\",\"text\":\"Hi\",\"at\":1700000001}\n";
    folder.write("export/messages.jsonl", messages);
    folder.run(&["init", "export"]).expect(0);
    let ended = ["rehearse", "pipeline.toml", "--format", "json"];
    let account = account::of(&folder.run_with(&APP, &ended).expect(0));
    assert_eq!(account["users"]["imported"], 2);
    assert_eq!(account["messages"]["imported"], 2);
}

#[test]
fn a_connector_that_the_program_is_built_without_is_named_with_how_to_get_it() {
    let ended = Folder::new().run(&["init", "mongodb://127.0.0.1/chat"]);
    assert_ne!(ended.code, Some(0));
    let how = "--features mongodb";
    assert!(ended.err.contains(how), "{}", ended.err);
}
