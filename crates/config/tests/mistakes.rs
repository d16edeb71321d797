//! Every kind of mistake in a pipeline file, as a person sees it.

mod fake;

use chatferry_config::render;
use fake::{read_alone, read_with, shown};

/// A file in order, up to its flow.
const HEAD: &str = r#"name = "acme"

[cometchat]
app_id = "${COMETCHAT_APP_ID}"
region = "eu"
api_key = "${COMETCHAT_API_KEY}"

[sources.legacy]
connector = "postgres"
url = "${LEGACY_DATABASE_URL}"
"#;

/// A flow in order.
const USERS: &str = r#"
[[flow]]
entity = "users"
from = "legacy.users"
[flow.fields]
uid = "id"
name = "name"
"#;

/// The head, then this, then a flow.
fn with(middle: &str) -> String {
    format!("{HEAD}\n{middle}\n{USERS}")
}

/// The head, then this.
fn ending(end: &str) -> String {
    format!("{HEAD}\n{end}\n")
}

/// One snapshot for each case: its name and the text that holds the mistake.
macro_rules! mistakes {
    ($($name:ident: $text:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let text: String = $text.into();
                insta::assert_snapshot!(stringify!($name), shown(&text));
            }
        )*
    };
}

mistakes! {
    // The file as a whole.
    an_empty_file: "";
    nothing_but_a_name: "name = \"acme\"";
    an_empty_name: with("").replace("\"acme\"", "\"  \"");
    an_unknown_table: with("[source.other]\nconnector = \"json\"");
    an_unknown_key_like_no_other: with("[engine]\nvehicle = 3");
    no_sources: HEAD.split("[sources").next().unwrap().to_owned() + USERS;
    no_flows: HEAD;
    a_flow_with_one_bracket: ending("[flow]\nentity = \"users\"");

    // Syntax.
    a_string_that_is_not_closed: with("").replace("\"eu\"", "\"eu");
    several_lines_that_are_not_toml: "name = acme\nregion: eu\n[sources\nx = 5 MiB\ny = True\nz = “a”\nw =";
    a_regex_in_a_basic_string: with("[views]\nv = \"SELECT regexp_like(a, '\\d+') FROM legacy.b\"");
    a_list_that_is_not_closed: with("[views]\nv = [1, 2");
    a_line_that_goes_on: with("").replace("region = \"eu\"", "region = 'eu's'");
    a_key_written_twice: with("").replace("region = \"eu\"", "region = \"eu\"\nregion = \"us\"");
    fields_before_their_flow: ending("[flow.fields]\nuid = \"id\"\n[[flow]]\nentity = \"users\"");
    a_table_written_twice: with("[cometchat]\ntimeout = \"3 s\"");
    nested_too_deeply: format!("a = {}", "[".repeat(200));
    a_number_too_large: with("[variables]\nn = 99999999999999999999");
    unicode_before_the_mistake: with("# 数据库 é\n[views]\n\"日本\" = \"SELECT 1\" # 日本");

    // Keys and values.
    an_unknown_key: with("").replace("region =", "regoin =");
    a_value_that_is_none_of_the_choices: with("").replace("\"eu\"", "\"europe\"");
    a_choice_from_the_environment: with("").replace("\"eu\"", "\"${REGION}\"");
    text_where_a_number_belongs: with("").replace("region", "requests_per_minute = \"many\"\nregion");
    zero_where_a_count_belongs: with("").replace("region", "requests_per_minute = 0\nregion");
    a_number_where_text_belongs: with("").replace("\"${COMETCHAT_APP_ID}\"", "2748");
    a_duration_without_a_unit: with("").replace("region", "timeout = 30\nregion");
    a_flag_that_is_none: with("").replace("region", "dry = \"yes\"\nregion");
    a_size_of_nothing: with("[engine]\nmemory = \"plenty\"");
    a_list_with_a_number_in_it: with("[sources.more]\nconnector = \"json\"\npath = \"x\"\ncolumns = [\"a\", 2]");
    a_table_where_text_belongs: with("[engine.spill]\npath = \"x\"");
    a_secret_file_with_a_wrong_key: with("").replace("\"${COMETCHAT_API_KEY}\"", "{ flie = \"/run/key\" }");
    a_secret_that_is_a_list: with("").replace("\"${COMETCHAT_API_KEY}\"", "[1]");
    a_written_out_secret_is_not_shown: with("").replace("\"${COMETCHAT_API_KEY}\"", "\"hunter2\" # mine\napi_kee = \"hunter3\"");
    a_required_key_that_is_missing: with("").replace("url = \"${LEGACY_DATABASE_URL}\"", "");

    // Attachments.
    attachments_that_are_wrong: with("[attachments]\nto = \"s3://b\"\npublic = \"cdn.example.com\"\nmising = \"keep\"\nat_once = 0\n[attachments.hosts.\"https://host/path\"]\n[attachments.hosts.\"files.slack.com\"]\nheaders = { \"Author ization\" = \"x\" }\nheader = 1");

    // The environment.
    a_missing_variable: with("").replace("COMETCHAT_API_KEY", "COMETCHAT_KEY");
    a_variable_that_is_not_closed: with("").replace("${COMETCHAT_API_KEY}", "${COMETCHAT_API_KEY");
    a_variable_without_a_name: with("").replace("${COMETCHAT_API_KEY}", "${my key}");
    a_missing_variable_after_an_escape: with("").replace("${COMETCHAT_API_KEY}", "\\u00e9${NOBODY}");

    // Sources.
    an_unknown_connector: with("").replace("\"postgres\"", "\"postgress\"");
    a_source_without_a_connector: with("").replace("connector = \"postgres\"", "");
    a_source_that_is_no_table: with("").replace("[sources.legacy]", "[sources]\nlegacy = \"x\"\n[sources.old]");
    a_source_with_an_odd_name: with("[sources.old-data]\nconnector = \"json\"\npath = \"x\"");

    // Variables and views.
    variables_that_are_none: with("[variables]\nsince = 2024-01-01\nlist = [1]\n\"a b\" = 1");
    a_view_that_is_no_text: with("[views]\na = 3\nb = \"\"");
    a_view_called_like_a_source: with("[views]\nlegacy = \"SELECT 1\"");
    a_view_with_an_odd_name: with("[views]\n\"2nd\" = \"SELECT 1\"");
    a_view_that_reads_itself: with("[views]\nusers = \"SELECT * FROM users WHERE NOT bot\"");
    views_in_a_circle: with("[views]\na = \"SELECT * FROM b\"\nb = '''\nSELECT *\nFROM legacy.x JOIN c USING (id)'''\nc = \"SELECT \\u0041 FROM (SELECT * FROM a)\"");

    // Flows.
    an_unknown_entity: ending("[[flow]]\nentity = \"user\"\nfrom = \"legacy.users\"\n[flow.fields]\nuid = \"id\"");
    a_flow_with_nothing: ending("[[flow]]");
    a_flow_without_fields: ending("[[flow]]\nentity = \"users\"\nfrom = \"legacy.users\"");
    two_flows_of_one_name: with(USERS).replacen("legacy.users", "legacy.bots", 1);
    an_empty_flow_name: with("").replace("entity = \"users\"", "entity = \"users\"\nname = \"\"");
    a_view_that_is_not_there: with("[views]\nmembers = \"SELECT 1\"").replace("\"legacy.users\"", "\"member\"");
    a_table_without_its_source: with("").replace("\"legacy.users\"", "\"users\"");
    a_source_without_its_table: with("").replace("\"legacy.users\"", "\"legacy\"");
    a_source_that_is_not_there: with("").replace("\"legacy.users\"", "\"legasy.users\"");
    a_query_where_a_name_belongs: with("").replace("\"legacy.users\"", "\"\"\"\nSELECT *\nFROM legacy.users\"\"\"");
    odd_references: with("").replace("from =", "references = \"ignore\"\nfrom =");
    an_odd_order: with("").replace("from =", "order_by = [\"a\", 1]\nfrom =");
    an_odd_skip: with("").replace("[flow.fields]", "[flow.skip]\n\"\" = \"true\"\n\"no text\" = 3\n[flow.fields]");
    an_unknown_key_of_a_flow: with("").replace("from =", "orderby = \"id\"\nfilter = \"true\"\nfrom =");

    // Fields.
    an_unknown_field: with("").replace("name = \"name\"", "name = \"name\"\ncreated_at = \"x\"\nfavourite = \"y\"");
    a_required_field_that_is_missing: with("").replace("name = \"name\"", "");
    required_fields_that_are_missing: ending("[[flow]]\nentity = \"messages\"\nfrom = \"legacy.m\"\n[flow.fields]\nmuid = \"id\"\ndata = { text = \"body\" }");
    an_empty_expression: with("").replace("name = \"name\"", "name = \"\"");
    fields_of_the_wrong_shape: with("").replace("uid = \"id\"", "uid = \"id\"\navatar = { url = \"x\" }\ntags = [\"a\"]\ncreatedAt = 2024-01-31\nmetadata = {}");
    a_nested_field_nearly_known: ending("[[flow]]\nentity = \"messages\"\nfrom = \"legacy.m\"\n[flow.fields]\nmuid = \"id\"\nsender = \"a\"\nreceiverType = \"'user'\"\nreceiver = \"b\"\ncategory = \"'message'\"\ntype = \"'text'\"\nsentAt = 1700000000\ndata = { txet = \"body\", attachments = { url = \"x\" }, ours = \"y\", metadata = { a = [1] } }");
    a_number_that_cannot_be_sent: with("").replace("name = \"name\"", "name = inf");
    a_line_that_is_very_long: with("").replace("name = \"name\"", &format!("name = \"name\"\nmetadata = {{ {} = [1] }}", "very_".repeat(60)));
}

#[test]
fn an_option_that_nothing_reads_is_named() {
    let text = with("");
    let sets = [
        "cometchat.regoin=us",
        "flow.where=true",
        "cometchat.region=ue",
        "sources.a b.c=1",
    ];
    let read = read_with(&text, &sets, false);
    let shown = render("acme.toml", &text, &read.mistakes, 100, false, true);
    insta::assert_snapshot!("options", shown);
}

#[test]
fn without_secrets_a_missing_variable_is_a_warning() {
    let text = with("").replace("COMETCHAT_A", "NO_A").replace(
        "\"eu\"",
        "\"${NO_REGION}\"\ntimeout = \"${NO_TIMEOUT}\"\ndry = \"${NO_DRY}\"",
    );
    let read = read_with(&text, &[], true);
    let shown = render("acme.toml", &text, &read.mistakes, 100, false, true);
    insta::assert_snapshot!("without_secrets", shown);
    let destination = read
        .pipeline
        .expect("warnings do not stand in the way")
        .destination;
    assert_eq!(
        (destination.app_id.as_str(), destination.region),
        ("placeholder", "us")
    );
}

#[test]
fn without_unicode_everything_is_ascii() {
    let text = with("").replace("region =", "regoin =");
    let shown = render(
        "acme.toml",
        &text,
        &read_alone(&text).mistakes,
        100,
        false,
        false,
    );
    insta::assert_snapshot!("in_ascii", shown);
}

#[test]
fn ten_mistakes_are_found_at_once() {
    let text = r#"
[cometchat]
regoin = "eu"
api_key = "${NOBODY}"

[engine]
vehicle = 1

[sources.legacy]
connector = "postgress"

[views]
v = "SELECT * FROM v"

[[flow]]
entity = "users"
from = "legcy.users"
references = "no"
[flow.fields]
uid = "id"
nmae = "name"
"#;
    // In this order, with the pipeline's own name last: it has no place.
    let words = [
        "app_id",
        "regoin",
        "NOBODY",
        "vehicle",
        "postgress",
        "`v`",
        "legcy",
        "`no`",
        "nmae",
        "name",
    ];
    let read = read_alone(text);
    insta::assert_snapshot!("at_once", shown(text));
    assert_eq!(read.mistakes.len(), 10);
    for (mistake, word) in read.mistakes.iter().zip(words) {
        assert!(
            mistake.message.contains(word),
            "{word}: {}",
            mistake.message
        );
    }
    assert!(read.pipeline.is_none());
}

#[test]
fn no_mistake_shows_what_the_environment_holds() {
    for (name, _) in [("REGION", 0), ("LEGACY_DATABASE_URL", 1)] {
        let value = format!("\"${{{name}}}\"");
        for text in [
            with("").replace("\"eu\"", &value),
            with("")
                .replace("\"acme\"", &value)
                .replace("\"legacy.users\"", &value),
            with("").replace("\"postgres\"", &value),
            with("").replace("\"users\"", &value),
            with(&format!("[engine]\nmemory = {value}")),
            with("").replace(
                "region",
                &format!("timeout = {value}\ndry = {value}\nregion"),
            ),
            with("").replace("region", &format!("requests_per_minute = {value}\nregion")),
            with("").replace(
                "from =",
                &format!("references = {value}\nname = {value}\nfrom ="),
            ) + USERS
                + &format!("[[flow]]\nname = {value}\nentity = \"users\""),
        ] {
            let read = read_alone(&text);
            assert!(!read.mistakes.is_empty(), "{text}");
            assert!(
                !format!("{:?}", read.mistakes).contains("hunter2"),
                "{:#?}",
                read.mistakes
            );
        }
    }
}

#[test]
fn no_line_is_wider_than_the_screen() {
    let text = with("").replace(
        "name = \"name\"",
        &format!(
            "{} = 1\nb = {{ c = [{}] }}",
            "a".repeat(300),
            "1,".repeat(200)
        ),
    );
    for width in [40, 60, 80, 100] {
        for line in render(
            "acme.toml",
            &text,
            &read_alone(&text).mistakes,
            width,
            false,
            true,
        )
        .lines()
        {
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}
