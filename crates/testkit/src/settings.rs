//! A source's settings through the door that users use: a pipeline file.

use std::fmt::Write as _;
use std::path::Path;

use chatferry_config::{DestinationKind, Reading, Registry, Section, read};
use chatferry_core::{Field, Kind, SourceSettings};

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
    let mut shown = String::new();
    for mistake in &read.mistakes {
        let written = mistake.at.clone().map_or("", |at| &text[at]);
        writeln!(shown, "{} at {written}", mistake.code).expect("text");
        // The words of mistakes that every table of the file can have are tested with it.
        if !mistake.code.starts_with("pipeline::") {
            let help = mistake.help.as_deref().unwrap_or("none");
            let (message, label) = (&mistake.message, &mistake.label);
            writeln!(shown, "  {message}\n  label: {label}\n  help: {help}").expect("text");
        }
    }
    let settings = read
        .pipeline
        .map(|mut pipeline| pipeline.sources.remove(0).settings);
    (settings, shown)
}
