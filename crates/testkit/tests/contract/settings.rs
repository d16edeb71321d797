//! What is noticed of settings.

use std::sync::Arc;

use chatferry_config::{Registry, Section};
use chatferry_core::source::{Source, SourceError, SourceErrorKind, SourceSettings};
use chatferry_core::{Mistake, Secret};
use chatferry_testkit::settings::assert_settings;

use crate::shelf::SECRET;

const SETTINGS: &str = r#"path = "shelf.txt"
password = "hunter2"
patience = "30 s"

[sources.legacy.tables]
people = "shelf.txt""#;

#[derive(Debug)]
#[expect(dead_code, reason = "it is read by way of `Debug`")]
struct Settings {
    password: Secret,
    /// The password as it was written, in some of them.
    plain: Option<String>,
}

impl SourceSettings for Settings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let kind = SourceErrorKind::NotFound;
        Err(SourceError::new(kind, "open it", "it is never opened"))
    }
}

/// The settings, when nothing was wrong with them.
fn settings(read: Option<Secret>, plain: Option<&str>) -> Option<Box<dyn SourceSettings>> {
    Some(Box::new(Settings {
        password: read?,
        plain: plain.map(str::to_owned),
    }))
}

fn sound(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let path = section.required_text("path", "the file");
    let password = section.required_secret("password", "the password");
    let patience = section.get("patience").map(|node| node.duration());
    if let Some(mut tables) = section.section("tables") {
        tables.entries();
    }
    path?;
    if patience.is_some_and(|patience| patience.is_none()) {
        return None;
    }
    settings(password.map(|password| password.value), None)
}

fn any_key(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    section.entries();
    sound(section)
}

fn any_value(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    section.get("path");
    section.get("patience");
    section.get("tables");
    settings(section.secret("password").map(|it| it.value), None)
}

fn one_at_a_time(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    // Whoever misses two keys tells of the first, and forgives everything else.
    if section.get("path").is_none() && section.get("password").is_none() {
        section.missing("path", "the file");
        section.entries();
        return None;
    }
    sound(section)
}

fn stops_at_the_first(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    section.required_text("path", "the file")?;
    sound(section)
}

fn looks_at_the_world(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    if !section.folder().is_dir() {
        let at = section.at();
        section.mistake(Mistake::error("shelf::folder", "there is no folder", at));
    }
    sound(section)
}

fn shows_the_secret(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    sound(section)?;
    settings(Some(Secret::Value(SECRET.into())), Some(SECRET))
}

fn tells_the_secret(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let password = section.text("password");
    let read = sound(section);
    if let (None, Some(password)) = (&read, password) {
        let message = format!("the password {} does not help", password.value);
        section.mistake(Mistake::error("shelf::password", message, password.at));
    }
    read
}

fn check(plan: chatferry_config::PlanSource) {
    thread_local! {
        static PLAN: std::cell::Cell<Option<chatferry_config::PlanSource>> =
            const { std::cell::Cell::new(None) };
    }
    fn register(connectors: &mut Registry<()>) {
        let plan = PLAN.get().expect("a plan");
        connectors.source("shelf", "a shelf", plan);
    }
    PLAN.set(Some(plan));
    assert_settings(register, SETTINGS, &[SECRET]);
}

#[test]
fn settings_without_flaws_pass() {
    check(sound);
}

#[test]
#[should_panic(expected = "a key that nobody reads is underlined")]
fn a_key_that_nobody_reads() {
    check(|section| {
        let read = sound(section);
        section.get("pathz");
        section.get("passwordz");
        section.get("patiencez");
        read
    });
}

#[test]
#[should_panic(expected = "a key that nobody reads is underlined")]
fn any_key_being_taken() {
    check(any_key);
}

#[test]
#[should_panic(expected = "a value that cannot be is underlined")]
fn a_value_that_nobody_looks_at() {
    check(any_value);
}

#[test]
#[should_panic(expected = "mistakes are underlined all at once")]
fn mistakes_that_come_one_at_a_time() {
    check(one_at_a_time);
}

#[test]
#[should_panic(expected = "a mistake leaves the other keys in peace")]
fn keys_that_nobody_reads_because_of_another_one() {
    check(stops_at_the_first);
}

#[test]
#[should_panic(expected = "settings that are in order are read without a look at the world")]
fn a_look_at_the_world() {
    check(looks_at_the_world);
}

#[test]
#[should_panic(expected = "`Debug` output of settings shows no secret")]
fn a_secret_in_debug_output() {
    check(shows_the_secret);
}

#[test]
#[should_panic(expected = "a mistake shows no secret")]
fn a_secret_in_a_mistake() {
    check(tells_the_secret);
}
