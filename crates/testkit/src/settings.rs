//! A source's settings through the door that users use: a pipeline file.

use std::fmt::Write as _;
use std::path::Path;

use chatferry_config::{DestinationKind, Reading, Registry, Section, read};
use chatferry_core::{Field, Kind, Mistake, SourceSettings};

use crate::source::Secrets;

/// What follows the settings in the pipeline file.
const REST: &str = r#"
[cometchat]
[[flow]]
entity = "users"
from = "legacy.users"
fields = { uid = "id" }
"#;

const UID: Field = Field {
    name: "uid",
    kind: Kind::Text,
    required: true,
    about: "the id",
};

/// What becomes of the settings of `[sources.legacy]`, a source of the one connector that
/// `register` adds: the settings, if they can be used, and each mistake with the text it is about.
pub fn planned(
    register: fn(&mut Registry<()>),
    settings: &str,
    folder: &Path,
) -> (Option<Box<dyn SourceSettings>>, String) {
    let planned = Planned::of(register, settings, folder);
    let mut shown = String::new();
    for mistake in &planned.mistakes {
        let written = mistake.at.clone().map_or("", |at| &planned.text[at]);
        writeln!(shown, "{} at {written}", mistake.code).expect("text");
        // The words of mistakes that every table of the file can have are tested with it.
        if !mistake.code.starts_with("pipeline::") {
            let help = mistake.help.as_deref().unwrap_or("none");
            let (message, label) = (&mistake.message, &mistake.label);
            writeln!(shown, "  {message}\n  label: {label}\n  help: {help}").expect("text");
        }
    }
    (planned.settings, shown)
}

/// Checks what every connector promises of its settings, with some that are in order: whatever
/// else is written in the place of a key or of a value is underlined there, nothing outside the
/// file is needed to say so, and none of the `secrets` among them is shown.
///
/// # Example: the settings of a database
///
/// ```no_run
/// # use chatferry_config::Registry;
/// # use chatferry_testkit::settings::assert_settings;
/// # fn register(connectors: &mut Registry<()>) {}
/// let settings = "url = \"mysql://ada:hunter2@db.example.org/chat\"\nsnapshot = true";
/// assert_settings(register, settings, &["hunter2"]);
/// ```
///
/// # Panics
///
/// When a promise is broken, with what was promised.
pub fn assert_settings(register: fn(&mut Registry<()>), settings: &str, secrets: &[&str]) {
    let secrets = Secrets::of(secrets.iter().copied());
    let nowhere = Path::new("/no/such/folder/at/all");
    let planned = |written: &str| Planned::of(register, written, nowhere);
    let fine = planned(settings);
    assert!(
        fine.mistakes.is_empty(),
        "settings that are in order are read without a look at the world: {:?}",
        fine.mistakes
    );
    let read = fine.settings.expect("settings in order can be used");
    secrets.are_not_in(&format!("{read:?}"), "`Debug` output of settings");

    let own = settings.split("\n[").next().unwrap_or_default();
    let lines = own
        .lines()
        .filter(|line| !line.starts_with([' ', '[', '#']));
    let entries: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('=')).collect();
    assert!(!entries.is_empty(), "the settings have a key");
    for (key, value) in entries.iter() {
        let name = key.trim();
        let misspelt = format!("{name}z");
        let changed = settings.replacen(&format!("{key}="), &format!("{misspelt} ="), 1);
        let wrong = planned(&changed);
        wrong.show_no(&secrets);
        assert!(
            wrong.settings.is_none() && wrong.underline(&misspelt),
            "a key that nobody reads is underlined: {misspelt}"
        );
        if value.trim_end().ends_with(['[', '{']) || value.contains("\"\"\"") {
            // It goes on in the next line.
            continue;
        }
        // No setting is a date.
        let changed = settings.replacen(&format!("{key}={value}"), &format!("{key}= {DATE}"), 1);
        let wrong = planned(&changed);
        wrong.show_no(&secrets);
        assert!(
            wrong.settings.is_none() && wrong.underline(DATE),
            "a value that cannot be is underlined: {name} = {DATE}"
        );
        let others = entries.iter().map(|(key, _)| key.trim());
        for other in others.filter(|other| *other != name) {
            assert!(
                !wrong.underline(other),
                "a mistake leaves the other keys in peace: {name} = {DATE}, and {other}"
            );
        }
    }
    let all = |wrong: &dyn Fn(&str, &str) -> String| {
        let line = |line: &str| match entries.iter().find(|(key, _)| is_of(line, key)) {
            Some((key, _)) => wrong(key.trim(), line),
            None => line.to_owned(),
        };
        settings.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    let wrong = planned(&all(&|key, line| line.replacen(key, &format!("{key}z"), 1)));
    for (key, _) in &entries {
        let misspelt = format!("{}z", key.trim());
        assert!(
            wrong.underline(&misspelt),
            "mistakes are underlined all at once: {misspelt}"
        );
    }
}

/// Whether a line says what this key is.
fn is_of(line: &str, key: &str) -> bool {
    line.strip_prefix(key)
        .is_some_and(|rest| rest.starts_with('='))
}

/// What no setting can be.
const DATE: &str = "1979-05-27";

/// What became of settings.
struct Planned {
    settings: Option<Box<dyn SourceSettings>>,
    mistakes: Vec<Mistake>,
    /// The file that they stood in.
    text: String,
}

impl Planned {
    fn of(register: fn(&mut Registry<()>), settings: &str, folder: &Path) -> Self {
        let plan = |section: &mut Section<'_>| {
            section.entries();
            Some(())
        };
        let mut registry = Registry::new(DestinationKind {
            name: "cometchat",
            fields: |_| &[UID],
            plan,
        });
        register(&mut registry);
        let (connector, _) = registry.sources().next().expect("a connector");
        let text = format!(
            "name = \"test\"\n[sources.legacy]\nconnector = \"{connector}\"\n{settings}\n{REST}"
        );
        let reading = Reading {
            environment: &|_| None,
            folder,
            overrides: &[],
            without_secrets: false,
        };
        let read = read(&text, &registry, &reading);
        let settings = read
            .pipeline
            .map(|mut pipeline| pipeline.sources.remove(0).settings);
        Self {
            settings,
            mistakes: read.mistakes,
            text,
        }
    }

    /// Whether one of the mistakes is about this.
    fn underline(&self, written: &str) -> bool {
        let about = |mistake: &Mistake| {
            mistake
                .at
                .clone()
                .is_some_and(|at| &self.text[at] == written)
        };
        self.mistakes.iter().any(about)
    }

    fn show_no(&self, secrets: &Secrets) {
        // The file is the person's own, and shows what it shows: it is the words that count.
        for mistake in &self.mistakes {
            let help = mistake.help.as_deref().unwrap_or_default();
            let words = format!("{} {} {help}", mistake.message, mistake.label);
            secrets.are_not_in(&words, "a mistake");
        }
        if let Some(settings) = &self.settings {
            secrets.are_not_in(&format!("{settings:?}"), "`Debug` output of settings");
        }
    }
}
