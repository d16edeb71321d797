//! A registry with a destination like CometChat's and two sources, for tests of the file alone.

#![allow(dead_code, reason = "not every test needs all of it")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chatferry_config::{DestinationKind, Override, Read, Reading, Registry, Section, read, render};
use chatferry_core::{
    Entity, Field, Kind, Secret, Source, SourceError, SourceErrorKind, SourceSettings,
};

#[derive(Debug)]
pub(crate) struct FakeDestination {
    pub(crate) app_id: String,
    pub(crate) region: &'static str,
    pub(crate) api_key: Secret,
    pub(crate) requests_per_minute: u64,
    pub(crate) timeout: Duration,
    pub(crate) dry: bool,
}

#[derive(Debug)]
pub(crate) struct FakeSource {
    pub(crate) url: Secret,
    pub(crate) tables: Vec<(String, String)>,
}

impl SourceSettings for FakeSource {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        Err(SourceError::new(
            SourceErrorKind::NotFound,
            "open a fake",
            "it is a fake",
        ))
    }
}

pub(crate) fn registry() -> Registry<FakeDestination> {
    let mut registry = Registry::new(DestinationKind {
        name: "cometchat",
        fields,
        plan: plan_destination,
    });
    registry.source("postgres", "a PostgreSQL database", plan_postgres);
    registry.source("json", "JSON and JSON lines", plan_json);
    registry
}

fn plan_destination(section: &mut Section<'_>) -> Option<FakeDestination> {
    let app_id = section.required_text("app_id", "the app's id, from the dashboard");
    let region = section.required_choice("region", &["us", "eu", "in"], "where the app lives");
    let api_key = section.required_secret("api_key", "a REST API key with full access");
    let requests_per_minute = section.count("requests_per_minute");
    let timeout = section.duration("timeout");
    let dry = section.flag("dry");
    Some(FakeDestination {
        app_id: app_id?.value,
        region: region?.value,
        api_key: api_key?.value,
        requests_per_minute: requests_per_minute.map_or(60, |count| count.get()),
        timeout: timeout.map_or(Duration::from_secs(60), |timeout| *timeout),
        dry: dry.is_some_and(|dry| *dry),
    })
}

fn plan_postgres(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let url = section.required_secret("url", "where the database is: `postgres://…`");
    let tables = section
        .section("tables")
        .map_or_else(Vec::new, |mut tables| tables.entries());
    let tables = tables
        .into_iter()
        .filter_map(|(name, _, node)| Some((name.to_owned(), node.text()?.value)))
        .collect();
    Some(Box::new(FakeSource {
        url: url?.value,
        tables,
    }))
}

fn plan_json(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let path = section.required_text("path", "the file or files to read");
    section.texts("columns");
    Some(Box::new(FakeSource {
        url: Secret::File(section.resolve(&path?)),
        tables: Vec::new(),
    }))
}

const fn field(name: &'static str, kind: Kind, required: bool, about: &'static str) -> Field {
    Field {
        name,
        kind,
        required,
        about,
    }
}

const USERS: &[Field] = &[
    field("uid", Kind::Text, true, "the user's id"),
    field("name", Kind::Text, true, "the name to show"),
    field("avatar", Kind::Text, false, "the URL of a picture"),
    field("createdAt", Kind::Seconds, false, "when the user joined"),
    field("metadata", Kind::Object, false, "anything else"),
    field("tags", Kind::Texts, false, "words to find the user by"),
];

const MESSAGES: &[Field] = &[
    field("muid", Kind::Text, true, "the message's id"),
    field("sender", Kind::Text, true, "the uid of who sent it"),
    field("receiverType", Kind::Text, true, "'user' or 'group'"),
    field(
        "receiver",
        Kind::Text,
        true,
        "the uid or guid that it went to",
    ),
    field(
        "category",
        Kind::Text,
        true,
        "'message', 'custom' or 'action'",
    ),
    field("type", Kind::Text, true, "'text', 'image', 'file', …"),
    field("sentAt", Kind::Seconds, true, "when it was sent"),
    field("data", Kind::Fields(DATA), false, "what it says"),
    field("tags", Kind::Texts, false, "words to find it by"),
];

const DATA: &[Field] = &[
    field("text", Kind::Text, false, "its text"),
    field("attachments", Kind::Objects(ATTACHMENT), false, "its files"),
    field(
        "customData",
        Kind::Object,
        false,
        "the content of a custom message",
    ),
    field("metadata", Kind::Object, false, "anything else"),
];

const ATTACHMENT: &[Field] = &[field("url", Kind::Text, true, "where the file is")];

const GROUPS: &[Field] = &[
    field("guid", Kind::Text, true, "the group's id"),
    field("name", Kind::Text, true, "the name to show"),
];

const MEMBERS: &[Field] = &[field("memberId", Kind::Text, true, "the member's id")];

fn fields(entity: Entity) -> &'static [Field] {
    match entity {
        Entity::Users => USERS,
        Entity::Groups => GROUPS,
        Entity::Members => MEMBERS,
        Entity::Messages => MESSAGES,
    }
}

/// What the environment of these tests holds.
pub(crate) fn environment(name: &str) -> Option<String> {
    match name {
        "COMETCHAT_APP_ID" => Some("2748c5a1f".into()),
        "COMETCHAT_API_KEY" => Some("hunter2-key".into()),
        "LEGACY_DATABASE_URL" => Some("postgres://me:hunter2@db/legacy".into()),
        "PACE" => Some("30".into()),
        "REGION" => Some("hunter2".into()),
        _ => None,
    }
}

/// Reads a text with that environment and those overrides.
pub(crate) fn read_with(
    text: &str,
    overrides: &[&str],
    without_secrets: bool,
) -> Read<FakeDestination> {
    let overrides: Vec<Override> = overrides
        .iter()
        .map(|set| Override::parse(set).expect("the test writes it well"))
        .collect();
    let reading = Reading {
        environment: &environment,
        folder: Path::new("/pipelines"),
        overrides: &overrides,
        without_secrets,
    };
    read(text, &registry(), &reading)
}

pub(crate) fn read_alone(text: &str) -> Read<FakeDestination> {
    read_with(text, &[], false)
}

/// What a person sees of the mistakes in a text.
pub(crate) fn shown(text: &str) -> String {
    render(
        "acme.toml",
        text,
        &read_alone(text).mistakes,
        100,
        false,
        true,
    )
}
