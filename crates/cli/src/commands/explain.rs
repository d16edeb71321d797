//! `explain`: what a code means, and what to do.

use std::fmt::Write;

use chatferry_config::suggest;
use serde_json::{Value, json};

use crate::args::ExplainArgs;
use crate::catalogue::{Entry, all, find};
use crate::terminal::{Terminal, indented};
use crate::trouble::{Exit, Trouble};

/// Runs the command.
///
/// # Errors
///
/// When there is no such code.
pub fn run(args: &ExplainArgs, terminal: &Terminal) -> Result<Exit, Trouble> {
    let Some(code) = &args.code else {
        terminal.result(&list(terminal));
        return Ok(Exit::Done);
    };
    let Some(entry) = find(code) else {
        let codes: Vec<&str> = all().map(|entry| entry.code).collect();
        let near = suggest::did_you_mean(code, codes);
        let help = near.unwrap_or_else(|| "`chatferry explain` lists all codes".into());
        return Err(Trouble::new(Exit::Usage, format!("there is no code `{code}`")).help(help));
    };
    terminal.result(&match terminal.json() {
        true => format!("{}\n", as_json(&entry)),
        false => as_text(&entry, terminal),
    });
    Ok(Exit::Done)
}

fn as_text(entry: &Entry, terminal: &Terminal) -> String {
    let mut text = format!("{}\n", terminal.bold(entry.code));
    for (title, words) in entry.parts() {
        let _ = writeln!(text, "\n{title}");
        text.push_str(&indented(&words, 2));
    }
    let _ = writeln!(text, "\nfrom {}", entry.page);
    text
}

fn as_json(entry: &Entry) -> Value {
    let mut object = json!({ "code": entry.code, "page": entry.page });
    for (title, words) in entry.parts() {
        let key = match title {
            "What happened" => "happened",
            "What to do" => "remedy",
            _ => "why",
        };
        object[key] = words.into();
    }
    object
}

fn list(terminal: &Terminal) -> String {
    if terminal.json() {
        let all: Vec<Value> = all().map(|entry| as_json(&entry)).collect();
        return format!("{}\n", json!(all));
    }
    let (mut text, mut page) = (String::new(), "");
    for entry in all() {
        if entry.page != page {
            let blank = if page.is_empty() { "" } else { "\n" };
            let title = entry.title.replace('`', "");
            let _ = writeln!(text, "{blank}{}", terminal.bold(&title));
            page = entry.page;
        }
        let _ = writeln!(text, "  {}", entry.code);
    }
    text.push_str("\n`chatferry explain CODE` says what happened, why, and what to do\n");
    text
}
