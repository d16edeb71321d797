//! The JSON Schema of the file: what reading it asks for, and nothing else.

mod fake;

use chatferry_config::schema;
use fake::registry;
use serde_json::{Value, json};

/// The names of the properties of a schema of a table.
fn keys(table: &Value) -> Vec<&str> {
    let keys = table["properties"].as_object().expect("a table");
    keys.keys().map(String::as_str).collect()
}

/// The schema of the tables of a connector.
fn source<'a>(schema: &'a Value, connector: &str) -> &'a Value {
    let all = &schema["properties"]["sources"]["additionalProperties"]["allOf"];
    let all = all.as_array().expect("one for each connector");
    let of = |one: &&Value| one["if"]["properties"]["connector"]["const"] == connector;
    &all.iter().find(of).expect("it is there")["then"]
}

#[test]
fn every_key_that_is_asked_for_is_there() {
    let schema = schema(&registry());
    let tables = [
        "attachments",
        "cometchat",
        "engine",
        "flow",
        "name",
        "sources",
        "variables",
        "views",
    ];
    assert_eq!(keys(&schema), tables);
    let settings = [
        "api_key",
        "app_id",
        "dry",
        "region",
        "requests_per_minute",
        "timeout",
    ];
    let destination = &schema["properties"]["cometchat"];
    assert_eq!(keys(destination), settings);
    assert_eq!(
        destination["required"],
        json!(["api_key", "app_id", "region"])
    );
    assert_eq!(destination["additionalProperties"], false);
    assert_eq!(
        keys(source(&schema, "postgres")),
        ["connector", "tables", "url"]
    );
    assert_eq!(
        keys(source(&schema, "json")),
        ["columns", "connector", "path"]
    );
    let flow = keys(&schema["properties"]["flow"]["items"]);
    for key in [
        "changed_since",
        "entity",
        "fields",
        "from",
        "name",
        "order_by",
        "references",
        "skip",
        "where",
    ] {
        assert!(flow.contains(&key), "{key}");
    }
}

#[test]
fn values_are_what_they_are_read_as() {
    let schema = schema(&registry());
    let destination = &schema["properties"]["cometchat"]["properties"];
    let region = &destination["region"];
    assert_eq!(region["anyOf"][0], json!({ "enum": ["us", "eu", "in"] }));
    assert_eq!(region["description"], "where the app lives");
    let key = &destination["api_key"]["anyOf"];
    assert_eq!(key[1]["required"], json!(["file"]));
    let pace = &destination["requests_per_minute"]["anyOf"];
    assert_eq!(pace[0], json!({ "type": "integer", "minimum": 1 }));
    let tables = &source(&schema, "postgres")["properties"]["tables"];
    assert_eq!(tables["additionalProperties"], json!({ "type": "string" }));
    let view = &schema["properties"]["views"]["additionalProperties"];
    assert_eq!(view["type"], "string");
    let variable = &schema["properties"]["variables"]["additionalProperties"]["anyOf"];
    assert_eq!(variable.as_array().map(Vec::len), Some(2), "{variable}");
}

#[test]
fn an_entity_has_its_fields_and_no_others() {
    let schema = schema(&registry());
    let flows = schema["properties"]["flow"]["items"]["allOf"].as_array();
    let flows = flows.expect("one for each entity");
    let of = |one: &&Value| one["if"]["properties"]["entity"]["const"] == "messages";
    let messages = flows.iter().find(of).expect("messages");
    let fields = &messages["then"]["properties"]["fields"];
    assert_eq!(fields["additionalProperties"], false);
    assert!(keys(fields).contains(&"sentAt"));
    let required = fields["required"].as_array().expect("some");
    assert!(required.contains(&json!("muid")) && !required.contains(&json!("tags")));
    assert_eq!(
        fields["properties"]["muid"]["description"],
        "the message's id"
    );
    let data = &fields["properties"]["data"]["allOf"][0]["anyOf"][1];
    assert!(keys(data).contains(&"attachments"));
}
