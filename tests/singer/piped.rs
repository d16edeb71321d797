//! What comes through a pipe, and when its STATE is given on.

use std::path::Path;

use chatferry_simulator::Settings;
use chatferry_tests::{Folder, Served, page, unlimited};

use crate::chat::{SCHEMAS, pipe, pipeline, said, state, user};

const PIPED: &str = "path = \"-\"";

fn spool(folder: &Folder) -> std::path::PathBuf {
    folder.path().join("pipeline.ledger-input")
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn messages_before_their_users_are_delivered_after_them_and_the_last_state_is_printed() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = pipeline(&folder, &served, PIPED);
    let messages = [
        SCHEMAS,
        &said(10, 1, "hello"),
        &state(10),
        &said(11, 2, "hi"),
        &user(1),
        &user(2),
        &state(11),
        "{\"type\":\"ACTIVATE_VERSION\",\"stream\":\"users\",\"version\":1}\n",
    ];
    let ended = pipe(&folder, &messages.concat(), &[&pipeline]).expect(0);
    assert_eq!(ended.out, "{\"messages\": 11}\n");
    insta::assert_snapshot!("delivered", page::of(&ended.err, &folder));
    assert!(!spool(&folder).exists(), "it is settled");
    assert_eq!(served.stored().muids(), ["10", "11"]);
    assert_eq!(served.counts().users, 2);

    // The tap goes on, and has nothing to tell of users.
    let more = [SCHEMAS, &said(11, 2, "hi"), &said(12, 1, "you"), &state(12)];
    let ended = pipe(&folder, &more.concat(), &[&pipeline]).expect(0);
    assert_eq!(ended.out, "{\"messages\": 12}\n");
    assert_eq!(served.stored().muids(), ["10", "11", "12"]);
    assert_eq!(served.counts().users, 2);
}

#[test]
fn no_state_is_printed_before_all_is_settled_and_what_was_read_can_be_gone_on_with() {
    let folder = Folder::new();
    let served = Served::new(Settings {
        api_key: Some("right".into()),
        ..unlimited()
    });
    let pipeline = pipeline(&folder, &served, PIPED);
    let messages = [SCHEMAS, &user(1), &said(10, 1, "hello"), &state(10)].concat();
    let ended = pipe(&folder, &messages, &[&pipeline]).expect(5);
    assert_eq!(ended.out, "");
    insta::assert_snapshot!("unsettled", page::of(&ended.err, &folder));
    let kept = std::fs::read_to_string(spool(&folder)).unwrap();
    assert_eq!(kept, messages);
    #[cfg(unix)]
    assert_eq!(mode(&spool(&folder)), 0o600);

    let right = ["--set", "cometchat.api_key=right"];
    let again = ["singer-target", &pipeline, "--resume", right[0], right[1]];
    let ended = folder.run(&again).expect(0);
    assert_eq!(ended.out, "{\"messages\": 10}\n");
    assert_eq!(served.stored().muids(), ["10"]);
    assert!(!spool(&folder).exists());
    let ended = folder.run(&again).expect(2);
    assert!(ended.err.contains("nothing to go on with"), "{}", ended.err);
}

#[test]
fn a_state_is_not_given_on_while_messages_wait_for_their_senders() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = pipeline(&folder, &served, PIPED);
    let messages = [SCHEMAS, &user(1), &said(10, 2, "hello"), &state(10)].concat();
    let ended = pipe(&folder, &messages, &[&pipeline]).expect(7);
    assert_eq!(ended.out, "");
    assert!(
        ended.err.contains("1 row refers to somebody"),
        "{}",
        ended.err
    );
    // The tap, which was not given a newer state, gives it again.
    let messages = [SCHEMAS, &user(2), &said(10, 2, "hello"), &state(10)].concat();
    let ended = pipe(&folder, &messages, &[&pipeline]).expect(0);
    assert_eq!(ended.out, "{\"messages\": 10}\n");
    assert_eq!(served.stored().muids(), ["10"]);
}

#[test]
fn what_was_rejected_is_not_forgotten_when_the_tap_goes_on() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = pipeline(&folder, &served, PIPED);
    let torn = "{\"type\":\"RECORD\",\"stream\":\"messages\",\"record\":{\"id\":\"ten\"}}\n";
    let first = [SCHEMAS, &user(1), &said(9, 1, ""), torn, &state(10)].concat();
    let ended = pipe(&folder, &first, &[&pipeline]).expect(7);
    assert_eq!(ended.out, "{\"messages\": 10}\n");
    let second = [SCHEMAS, &said(11, 1, "hello"), torn, &state(11)].concat();
    pipe(&folder, &second, &[&pipeline]).expect(7);
    let failures = folder.run(&["failures", &pipeline, "--format", "csv"]);
    let told = |rule: &str| {
        failures
            .out
            .lines()
            .filter(|line| line.contains(rule))
            .count()
    };
    assert_eq!(
        [told("text-empty"), told("type-mismatch")],
        [1, 2],
        "{}",
        failures.out
    );
}

#[test]
fn what_is_no_tap_is_told_before_anything_is_sent() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = pipeline(&folder, &served, PIPED);
    let line = [SCHEMAS, &user(1), "INFO hello\n", &user(2)].concat();
    let batch = "{\"type\":\"BATCH\",\"stream\":\"users\",\"manifest\":[]}\n";
    let mut told = String::new();
    for (title, messages) in [
        ("a line of a log", line),
        ("a record before its schema", user(1)),
        ("files", [SCHEMAS, batch].concat()),
        ("nothing", String::new()),
    ] {
        let ended = pipe(&folder, &messages, &[&pipeline]);
        assert_eq!(ended.out, "");
        told.push_str(&format!("{title}: {:?}\n{}\n", ended.code, ended.err));
    }
    insta::assert_snapshot!("no_tap", page::of(&told, &folder));
    assert_eq!(served.counts().requests, 0);
    assert!(!spool(&folder).exists(), "nothing of it is kept");

    // A tap that has nothing new may say no more than where it is.
    let ended = pipe(&folder, &state(7), &[&pipeline]).expect(0);
    assert_eq!(ended.out, "{\"messages\": 7}\n");
    assert!(!spool(&folder).exists());
}

#[test]
fn what_a_tap_that_crashes_has_said_before_is_delivered() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = pipeline(&folder, &served, PIPED);
    let cut = said(11, 1, "hi");
    let cut = &cut[..cut.len() / 2];
    let messages = [SCHEMAS, &user(1), &said(10, 1, "hello"), &state(10), cut].concat();
    let ended = pipe(&folder, &messages, &[&pipeline]).expect(4);
    assert_eq!(ended.out, "{\"messages\": 10}\n");
    assert!(
        ended.err.contains("in the midst of a message"),
        "{}",
        ended.err
    );
    assert_eq!(served.stored().muids(), ["10"]);
}

#[test]
fn nobody_who_takes_the_state_is_no_loss() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = pipeline(&folder, &served, PIPED);
    folder.write(
        "messages",
        [SCHEMAS, &user(1), &said(10, 1, "hello"), &state(10)].concat(),
    );
    let messages = || std::fs::File::open(folder.path().join("messages")).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let target = ["singer-target", &pipeline];
    let ended = folder.start_piped(messages(), writer, &target).ended();
    let ended = ended.expect(130);
    assert!(
        ended.err.contains("cannot print the STATE"),
        "{}",
        ended.err
    );
    let ended = folder.start_fed(messages(), &target).ended().expect(0);
    assert_eq!(ended.out, "{\"messages\": 10}\n");
    assert_eq!(served.stored().muids(), ["10"]);
}

#[test]
fn streams_may_be_left_out_or_be_read_by_nobody() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = pipeline(&folder, &served, PIPED);
    let rooms = "{\"type\":\"SCHEMA\",\"stream\":\"rooms\",\"schema\":{}}\n\
                 {\"type\":\"RECORD\",\"stream\":\"rooms\",\"record\":{\"id\":1}}\n";
    let messages = [SCHEMAS, rooms, &user(1), &state(1)].concat();
    let ended = pipe(&folder, &messages, &[&pipeline]).expect(0);
    assert!(
        ended
            .err
            .contains("no flow reads the stream `rooms`, which has 1 record"),
        "{}",
        ended.err
    );

    // Of users there is nothing new, and the tap does not even name them.
    let (of_messages, _) = SCHEMAS.split_once('\n').unwrap();
    let messages = format!("{of_messages}\n{}{}", said(10, 1, "hello"), state(10));
    let ended = pipe(&folder, &messages, &[&pipeline]).expect(3);
    assert_eq!(ended.out, "");
    let declared = "path = \"-\"\n[sources.legacy.tables]\nmessages = \"messages\"\n\
                    users = { stream = \"users\", schema = { id = \"bigint\", name = \"text\" } }";
    let pipeline = crate::chat::pipeline(&folder, &served, declared);
    let ended = pipe(&folder, &messages, &[&pipeline]).expect(0);
    assert_eq!(ended.out, "{\"messages\": 10}\n");
}

#[test]
fn a_config_names_the_pipeline_and_its_values() {
    let folder = Folder::new();
    let served = Served::new(Settings {
        api_key: Some("right".into()),
        ..unlimited()
    });
    pipeline(&folder, &served, PIPED);
    folder.write(
        "config.json",
        r#"{"pipeline": "pipeline.toml", "set": {"cometchat.api_key": "right", "cometchat": {"in_flight": 2}}}"#,
    );
    let messages = [SCHEMAS, &user(1), &state(1)].concat();
    let ended = pipe(&folder, &messages, &["--config", "config.json"]).expect(0);
    assert_eq!(ended.out, "{\"messages\": 1}\n");

    let mut told = String::new();
    for wrong in [
        "{\"pipeline\": ",
        "[]",
        "{}",
        "{\"pipelines\": \"pipeline.toml\"}",
        "{\"pipeline\": \"pipeline.toml\", \"set\": {\"cometchat\": [1]}}",
    ] {
        folder.write("config.json", wrong);
        let ended = pipe(&folder, &messages, &["--config", "config.json"]).expect(2);
        told.push_str(&format!("{wrong}\n{}\n", ended.err));
    }
    insta::assert_snapshot!("config", page::of(&told, &folder));
}

#[test]
fn standard_input_is_read_by_the_target_alone() {
    let (folder, served) = (Folder::new(), Served::new(unlimited()));
    let pipeline = pipeline(&folder, &served, PIPED);
    let ended = folder.run(&["run", &pipeline]).expect(3);
    assert!(ended.err.contains("singer-target"), "{}", ended.err);
    let pipeline = crate::chat::pipeline(&folder, &served, "path = \"messages\"");
    let ended = pipe(&folder, "", &[&pipeline]).expect(3);
    assert!(ended.err.contains("reads standard input"), "{}", ended.err);

    // What a tap has printed into a file can be run like any other source.
    folder.write("messages", [SCHEMAS, &user(1), &said(1, 1, "hi")].concat());
    folder.run(&["run", &pipeline]).expect(0);
    assert_eq!(served.stored().muids(), ["1"]);
}
