//! `connectors`, `functions`, `rules`, `schema`: what there is.

use std::fmt::Write;

use chatferry_cometchat::rules;
use chatferry_engine::functions;
use serde_json::json;

use crate::connectors;
use crate::terminal::{Terminal, wrapped};
use crate::trouble::{Exit, Trouble};

/// Lists the connectors.
///
/// # Errors
///
/// Never; it has the form of a command.
pub fn connectors(terminal: &Terminal) -> Result<Exit, Trouble> {
    let connectors = connectors::all();
    let all: Vec<(&str, &str)> = connectors.sources().collect();
    if terminal.json() {
        let all: Vec<_> = all
            .iter()
            .map(|(name, about)| json!({ "name": name, "about": about }))
            .collect();
        terminal.result(&format!("{}\n", json!(all)));
    } else {
        let lines = all
            .iter()
            .map(|(name, about)| format!("{name:<10}  {about}\n"));
        terminal.result(&lines.collect::<String>());
    }
    Ok(Exit::Done)
}

/// Writes the JSON Schema of pipeline files.
///
/// # Errors
///
/// Never; it has the form of a command.
pub fn schema(terminal: &Terminal) -> Result<Exit, Trouble> {
    let schema = chatferry_config::schema(&connectors::all());
    terminal.result(&format!("{schema:#}\n"));
    Ok(Exit::Done)
}

/// Lists the functions that chatferry adds to SQL.
///
/// # Errors
///
/// Never; it has the form of a command.
pub fn functions(terminal: &Terminal) -> Result<Exit, Trouble> {
    let mut text = String::new();
    if terminal.json() {
        let all = functions::ALL.iter().map(|function| {
            json!({ "name": function.name, "usage": function.usage, "about": function.about,
                    "example": { "call": function.example.0, "gives": function.example.1 } })
        });
        text = format!("{}\n", json!(all.collect::<Vec<_>>()));
    } else {
        for function in functions::ALL {
            let _ = writeln!(text, "{}", terminal.bold(function.usage));
            for line in wrapped(function.about, 94) {
                let _ = writeln!(text, "    {line}");
            }
            let _ = writeln!(
                text,
                "    {} gives {}\n",
                function.example.0, function.example.1
            );
        }
        text.pop();
    }
    terminal.result(&text);
    Ok(Exit::Done)
}

/// Lists the destination's rules.
///
/// # Errors
///
/// Never; it has the form of a command.
pub fn rules(terminal: &Terminal) -> Result<Exit, Trouble> {
    let mut text = String::new();
    if terminal.json() {
        let all = rules::ALL.iter().map(
            |rule| json!({ "name": rule.name, "demands": rule.demands, "remedy": rule.remedy }),
        );
        text = format!("{}\n", json!(all.collect::<Vec<_>>()));
    } else {
        for rule in rules::ALL {
            let _ = writeln!(text, "{}", terminal.bold(rule.name));
            for line in wrapped(rule.demands, 94)
                .into_iter()
                .chain(wrapped(&format!("remedy: {}", rule.remedy), 94))
            {
                let _ = writeln!(text, "    {line}");
            }
        }
    }
    terminal.result(&text);
    Ok(Exit::Done)
}
