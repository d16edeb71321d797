//! What a file in order says, and what holds for every text.

mod fake;

use std::num::NonZeroU64;
use std::path::PathBuf;

use chatferry_config::Pipeline;
use chatferry_config::attachments::Missing;
use chatferry_config::node::PLACEHOLDER;
use chatferry_core::{Entity, FieldValue, Flow, References, Sql, Value};
use fake::{FakeDestination, read_alone, read_with};
use proptest::prelude::*;

/// The example of the documentation.
const EXAMPLE: &str = include_str!("acme.toml");

fn example() -> Pipeline<FakeDestination> {
    let read = read_alone(EXAMPLE);
    assert_eq!(read.mistakes, []);
    read.pipeline.expect("there is no mistake")
}

fn expression<'f>(flow: &'f Flow, path: &[&str]) -> &'f Sql {
    let mut fields = &flow.fields;
    let (last, parents) = path.split_last().expect("a path has a name");
    let named = |fields: &'f Vec<_>, name: &str| -> &'f FieldValue {
        let fields: &'f Vec<chatferry_core::FieldEntry> = fields;
        &fields
            .iter()
            .find(|field| field.name == name)
            .expect("the field is there")
            .value
    };
    for parent in parents {
        match named(fields, parent) {
            FieldValue::Object(inner) => fields = inner,
            FieldValue::Expression(sql) => panic!("{sql:?} is no table"),
        }
    }
    match named(fields, last) {
        FieldValue::Expression(sql) => sql,
        FieldValue::Object(_) => panic!("a table is no expression"),
    }
}

#[test]
fn attachments_need_their_hosts_secrets_only_to_be_copied() {
    let with = |table: &str| {
        let text = format!("{EXAMPLE}\n[attachments]\n{table}");
        let read = read_alone(&text);
        assert_eq!(read.mistakes, []);
        read.pipeline.expect("there is no mistake").attachments
    };
    let attachments = with(
        "to = \"s3://acme/chat\"\npublic = \"https://cdn.example.com/chat/\"\nkeep = \"*.giphy.com\"\n\
         missing = \"keep\"\nper_second = 5\nlargest = \"1 GiB\"\ntimeout = \"2 min\"\n\
         storage = { region = \"eu-west-1\" }\n\
         [attachments.hosts.\"Files.Slack.com\"]\nheaders = { Authorization = \"Bearer ${NOBODY_HAS_THIS}\" }\n\
         [attachments.hosts.\"10.0.0.7:8080\"]",
    );
    let attachments = attachments.expect("the table is there");
    let public = attachments.public.as_ref().map(|url| url.as_str());
    assert_eq!(public, Some("https://cdn.example.com/chat"));
    assert_eq!(attachments.missing, Missing::Keep);
    assert_eq!(attachments.per_second, NonZeroU64::new(5));
    assert_eq!(attachments.largest, Some(1 << 30));
    let hosts: Vec<_> = attachments
        .hosts
        .iter()
        .map(|host| host.name.as_str())
        .collect();
    assert_eq!(hosts, ["files.slack.com", "10.0.0.7:8080"]);
    let header = &attachments.hosts[0].headers[0];
    let value = header.value.reveal().expect("no file is read");
    assert!(value.contains(PLACEHOLDER), "{value}");

    let of = |table: &str| format!("{:?}", with(table));
    let plain =
        of("to = \"s3://acme/chat\"\n[attachments.hosts.a]\nheaders = { Cookie = \"hunter2\" }");
    assert!(!plain.contains("hunter2"));
    assert_eq!(
        plain,
        of("per_second = 1"),
        "the same records, copied more slowly"
    );
    assert_ne!(plain, of("missing = \"keep\""), "other records");
}

#[test]
fn the_example_of_the_documentation_is_in_order() {
    let pipeline = example();
    assert_eq!(pipeline.name, "acme");
    assert_eq!(pipeline.engine.memory, 64 << 20);
    let sources: Vec<&str> = pipeline
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    assert_eq!(sources, ["legacy", "uploads"]);
    assert_eq!(pipeline.views[0].name, "direct");
    let [users, messages] = pipeline.flows.as_slice() else {
        panic!("there are two flows")
    };
    assert_eq!(
        (users.name.as_str(), users.entity),
        ("users", Entity::Users)
    );
    assert_eq!(
        (messages.name.as_str(), messages.entity),
        ("direct", Entity::Messages)
    );
    assert_eq!(messages.order_by.len(), 2);
    assert_eq!(users.references, References::Require);
    assert_eq!(expression(users, &["metadata", "legacy", "id"]).text, "id");
}

#[test]
fn sql_stands_where_it_says() {
    let pipeline = example();
    let mut pieces: Vec<&Sql> = pipeline.views.iter().map(|view| &view.query).collect();
    for flow in &pipeline.flows {
        pieces.push(&flow.from);
        pieces.extend(&flow.filter);
        pieces.extend(&flow.order_by);
        pieces.extend(flow.skip.iter().map(|skip| &skip.when));
    }
    pieces.push(expression(
        &pipeline.flows[1],
        &["data", "metadata", "legacy", "editedAt"],
    ));
    assert_eq!(pieces.len(), 8);
    for sql in pieces {
        assert!(sql.verbatim);
        assert_eq!(
            EXAMPLE.get(sql.at.clone().expect("it is in the file")),
            Some(sql.text.as_str())
        );
    }
}

#[test]
fn sql_with_escapes_or_variables_has_only_a_place() {
    let text = EXAMPLE
        .replace("\"NOT is_bot\"", r#""a = \"b\"""#)
        .replace("\"avatar_url\"", "\"'${PACE}'\"")
        .replace("\"cometchat_id(id)\"", "'''\r\nid'''");
    let pipeline = read_alone(&text).pipeline.expect("it is in order");
    let filter = pipeline.flows[0].filter.as_ref().expect("it is there");
    assert_eq!(
        (filter.text.as_str(), filter.verbatim),
        ("a = \"b\"", false)
    );
    assert_eq!(&text[filter.at.clone().unwrap()], r#"a = \"b\""#);
    let avatar = expression(&pipeline.flows[0], &["avatar"]);
    assert_eq!((avatar.text.as_str(), avatar.verbatim), ("'30'", false));
    let uid = expression(&pipeline.flows[0], &["uid"]);
    assert_eq!((&text[uid.at.clone().unwrap()], uid.verbatim), ("id", true));
}

#[test]
fn numbers_and_flags_are_literals() {
    let text = EXAMPLE.replace(
        "\"avatar_url\"",
        "1_000\nmetadata = { a = true, b = 1.50, c = -3 }",
    );
    let text = text.replace("metadata  = {", "tags = \"x\" #");
    let pipeline = read_alone(&text).pipeline.expect("it is in order");
    let flow = &pipeline.flows[0];
    let written = |path: &[&str]| {
        let sql = expression(flow, path);
        (sql.text.clone(), sql.verbatim)
    };
    assert_eq!(written(&["avatar"]), ("1000".into(), false));
    assert_eq!(written(&["metadata", "a"]), ("true".into(), true));
    assert_eq!(written(&["metadata", "b"]), ("1.5".into(), false));
    assert_eq!(written(&["metadata", "c"]), ("-3".into(), true));
}

#[test]
fn settings_may_come_from_the_environment() {
    let text = EXAMPLE.replace(
        "region  = \"eu\"",
        "region = \"${NOT_SET:-in}\"\nrequests_per_minute = \"${PACE}\"",
    );
    let pipeline = read_alone(&text).pipeline.expect("it is in order");
    assert_eq!(pipeline.destination.region, "in");
    assert_eq!(
        Some(pipeline.destination.requests_per_minute),
        NonZeroU64::new(30).map(u64::from)
    );
    assert_eq!(
        pipeline.destination.api_key.reveal().unwrap(),
        "hunter2-key"
    );
}

#[test]
fn a_secret_may_be_in_a_file_beside_the_pipeline() {
    let text = EXAMPLE.replace("\"${COMETCHAT_API_KEY}\"", "{ file = \"keys/rest\" }");
    let pipeline = read_alone(&text).pipeline.expect("it is in order");
    let file = PathBuf::from("/pipelines/keys/rest");
    assert!(pipeline.destination.api_key == chatferry_core::Secret::File(file));
}

#[test]
fn options_replace_values_and_add_tables() {
    let sets = [
        "cometchat.region=in",
        "cometchat.app_id=\"123\"",
        "variables.archived=skip",
        "variables.limit=5",
        "variables.share=0.5",
        "variables.all=true",
        "engine.memory=1 GiB",
        "engine.spill=tmp",
    ];
    let read = read_with(EXAMPLE, &sets, false);
    assert_eq!(read.mistakes, []);
    let pipeline = read.pipeline.expect("there is no mistake");
    assert_eq!(
        (
            pipeline.destination.region,
            pipeline.destination.app_id.as_str()
        ),
        ("in", "123")
    );
    assert_eq!(pipeline.engine.memory, 1 << 30);
    assert_eq!(pipeline.engine.spill, Some("/pipelines/tmp".into()));
    assert_eq!(pipeline.variables["archived"], Value::Text("skip".into()));
    assert_eq!(pipeline.variables["limit"], Value::Integer(5));
    assert_eq!(pipeline.variables["share"], Value::Float(0.5));
    assert_eq!(pipeline.variables["all"], Value::Flag(true));
}

#[test]
fn reasons_to_skip_keep_their_order() {
    let skip = "[flow.skip]\nzebra = \"a\"\n\"no text\" = \"b\"\nape = \"c\"\n[flow.fields]\nuid";
    let text = EXAMPLE.replace("[flow.fields]\nuid", skip);
    let pipeline = read_alone(&text).pipeline.expect("it is in order");
    let reasons: Vec<&str> = pipeline.flows[0]
        .skip
        .iter()
        .map(|skip| &*skip.reason)
        .collect();
    assert_eq!(reasons, ["zebra", "no text", "ape"]);
}

#[test]
fn an_option_needs_a_path_and_a_value() {
    use chatferry_config::Override;
    assert!(Override::parse("region").is_err());
    assert!(Override::parse("=eu").is_err());
    assert!(Override::parse("a..b=eu").is_err());
    assert!(Override::parse(&format!("{}=1", vec!["a"; 1_000].join("."))).is_err());
    let secret = Override::parse("cometchat.api_key=hunter2").expect("it is well written");
    assert_eq!(secret.path(), "cometchat.api_key");
    assert!(!format!("{secret:?}").contains("hunter2"));
}

/// Reads a text and checks what holds for every one.
fn holds(text: &str) {
    let read = read_alone(text);
    let errors = read
        .mistakes
        .iter()
        .any(|m| m.severity == chatferry_core::Severity::Error);
    assert_eq!(read.pipeline.is_none(), errors);
    for mistake in &read.mistakes {
        if let Some(at) = &mistake.at {
            assert!(
                text.get(at.clone()).is_some(),
                "{mistake:?} is not in the text"
            );
        }
        assert!(
            !mistake.message.is_empty() && !mistake.message.ends_with('.'),
            "{mistake:?}"
        );
    }
    for (width, unicode) in [(100, true), (40, false), (0, true)] {
        let shown = chatferry_config::render("p.toml", text, &read.mistakes, width, false, unicode);
        assert!(!shown.contains("Failed to read"), "{shown}");
        assert!(
            shown.chars().all(|c| c == '\n' || !c.is_control()),
            "{shown:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        holds(&text);
    }

    #[test]
    fn pieces_of_pipelines_are_read_without_panic(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..30)
    ) {
        holds(&pieces.concat());
    }

    #[test]
    fn a_pipeline_with_a_hole_is_read_without_panic(
        start in 0..EXAMPLE.len(), length in 0..60_usize, put in prop::sample::select(PIECES.to_vec())
    ) {
        let end = (start + length).min(EXAMPLE.len());
        holds(&format!("{}{put}{}", &EXAMPLE[..start], &EXAMPLE[end..]));
    }
}

const PIECES: [&str; 44] = [
    "\n",
    " ",
    "name",
    "=",
    "\"",
    "'",
    "'''",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    ",",
    ".",
    "#",
    "[[flow]]\n",
    "[flow]\n",
    "[flow.fields]\n",
    "[sources.legacy]\n",
    "[views]\n",
    "[cometchat]\n",
    "[variables]\n",
    "[engine]\n",
    "connector = \"postgres\"\n",
    "entity = \"messages\"\n",
    "from = \"v\"\n",
    "v = \"SELECT * FROM v\"\n",
    "w = \"SELECT * FROM u\"\n",
    "u = \"SELECT * FROM w, v\"\n",
    "data = {}\n",
    "uid = 3\n",
    "9e999",
    "1979-05-27",
    "inf",
    "true",
    "${",
    "${A}",
    "é",
    "日本",
    "\u{0}",
    "\r\n",
    "\u{feff}",
];
