//! What a person may write of a program.

use std::path::{Path, PathBuf};

use chatferry_config::{Node, Section, Shape};
use chatferry_core::{Mistake, Secret};

use crate::program::Program;

/// What a command is, for a person who wrote something else.
const COMMAND: &str =
    "a list of the program and its arguments, such as `[\"python3\", \"export.py\"]`";

/// Where programs run: what is said beside their commands.
#[derive(Clone)]
pub struct Surroundings {
    folder: PathBuf,
    environment: Vec<(String, Secret)>,
}

impl Surroundings {
    /// Reads `folder` and `env`. What cannot be used of them is noted, and left out.
    pub fn read(section: &mut Section<'_>) -> Self {
        let folder = match section.text("folder") {
            Some(folder) => section.resolve(&folder),
            None => section.folder().to_owned(),
        };
        let environment = match section.section("env") {
            Some(mut section) => environment_of(&mut section),
            None => Vec::new(),
        };
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new(".").to_owned(),
            false => folder,
        };
        // The program is looked for where it runs, and a relative path means another place there.
        Self {
            folder: std::path::absolute(&folder).unwrap_or(folder),
            environment,
        }
    }

    /// The program that a command names; `None` when it names none, which is then noted.
    #[must_use]
    pub fn program(&self, node: &Node<'_>) -> Option<Program> {
        let refuse = |label: &str| {
            let message = format!("a command is {COMMAND}");
            let mistake = Mistake::error("program::command", message, node.at());
            node.mistake(mistake.label(label).help(
                "each argument stands by itself and is given as it is: there is no shell that \
                 would take a text apart",
            ));
        };
        if node.kind() == Shape::Text {
            refuse("one text");
            return None;
        }
        let items = node.items()?;
        let written: Vec<&str> = items.iter().filter_map(Node::raw).collect();
        let words: Vec<Option<_>> = items.iter().map(Node::text).collect();
        let words: Vec<String> = words
            .into_iter()
            .map(|word| word.map(|word| word.value))
            .collect::<Option<_>>()?;
        if words.first().is_none_or(String::is_empty) {
            refuse("no program");
            return None;
        }
        let secrets = words
            .iter()
            .zip(&written)
            .filter(|(word, written)| word != *written)
            .map(|(word, _)| word.clone());
        Some(Program {
            secrets: secrets.collect(),
            written: shortened(&written.join(" ")),
            environment: self.environment.clone(),
            folder: self.folder.clone(),
            command: words,
        })
    }
}

/// Characters of a command that a message shows.
const SHOWN: usize = 60;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn environment_of(section: &mut Section<'_>) -> Vec<(String, Secret)> {
    let variable = |(name, at, node): (&str, _, Node<'_>)| {
        let value = node.secret();
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = "an environment has no variable of this name";
            let help = "a name has letters, digits and `_`";
            node.mistake(Mistake::error("program::variable", message, at).help(help));
            return None;
        }
        Some((name.to_owned(), value?.value))
    };
    section.entries().into_iter().filter_map(variable).collect()
}
