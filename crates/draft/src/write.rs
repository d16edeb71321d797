//! The pipeline file of a draft.

use std::fmt::Write;

use crate::chat::Chat;
use crate::flows::{self, Flow};
use crate::sql::toml;
use crate::views::Views;

/// Columns that a line of a comment has.
const WIDTH: usize = 98;

/// Where the chat lies.
#[derive(Clone, Debug)]
pub struct Place {
    /// What the pipeline is to be called.
    pub name: String,
    /// The sections of its sources, as they stand in the file.
    pub sections: String,
}

/// The pipeline file.
#[must_use]
pub fn written(chat: &Chat<'_>, place: &Place) -> String {
    let mut text = String::new();
    comment(
        &mut text,
        "",
        "A first draft by `chatferry init`: read it before you run it.",
    );
    text.push_str("#\n# What it takes the tables for\n");
    for reason in &chat.reasons {
        let line = format!("{}: {} ({})", reason.about, reason.choice, reason.why);
        comment(&mut text, "  * ", &line);
    }
    if !chat.open.is_empty() {
        text.push_str("#\n# To look at\n");
        for open in &chat.open {
            comment(&mut text, "  * ", open);
        }
    }
    let _ = write!(
        text,
        r#"
name = {}

[cometchat]
app_id  = "${{COMETCHAT_APP_ID}}"
region  = "${{COMETCHAT_REGION:-eu}}"
api_key = "${{COMETCHAT_API_KEY}}"
# An app keeps messages older than six months only with extended storage, which is arranged with
# CometChat. Remove this line to skip what is older.
retention = "off"

"#,
        toml(&place.name)
    );
    if chat.paths() {
        text.push_str("[variables]\nweb_server = \"https://chat.example.org\"\n\n");
    }
    text.push_str(place.sections.trim_end());
    text.push_str("\n\n[views]\n");
    let views = Views::of(chat);
    for view in views.all() {
        comment(&mut text, "", view.about);
        let sql = view
            .sql
            .replace('\\', "\\\\")
            .replace("\"\"\"", "\\\"\\\"\\\"");
        let _ = writeln!(text, "{} = \"\"\"\n{sql}\n\"\"\"", view.name);
    }
    for flow in flows::all(chat, &views) {
        text.push('\n');
        flow_written(&mut text, &flow);
    }
    text
}

fn flow_written(text: &mut String, flow: &Flow) {
    let mut head = vec![("entity", toml(flow.entity))];
    head.extend(flow.name.as_ref().map(|name| ("name", toml(name))));
    head.push(("from", toml(&flow.from)));
    let order: Vec<String> = flow.order_by.iter().map(|column| toml(column)).collect();
    if !order.is_empty() {
        head.push(("order_by", format!("[{}]", order.join(", "))));
    }
    text.push_str("[[flow]]\n");
    aligned(
        text,
        head.iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone())),
    );
    if !flow.skip.is_empty() {
        text.push_str("[flow.skip]\n");
        aligned(
            text,
            flow.skip.iter().map(|(why, when)| (toml(why), toml(when))),
        );
    }
    for (title, fields) in [
        ("flow.fields", &flow.fields),
        ("flow.fields.data", &flow.data),
    ] {
        if !fields.is_empty() {
            let _ = writeln!(text, "[{title}]");
            aligned(
                text,
                fields
                    .iter()
                    .map(|(field, sql)| ((*field).to_owned(), toml(sql))),
            );
        }
    }
    if !flow.legacy.is_empty() {
        let within = if flow.entity == "messages" {
            "data.metadata"
        } else {
            "metadata"
        };
        let _ = writeln!(text, "[flow.fields.{within}.legacy]");
        aligned(
            text,
            flow.legacy
                .iter()
                .map(|(field, sql)| ((*field).to_owned(), toml(sql))),
        );
    }
}

/// Lines of keys and values, the values below each other.
fn aligned(text: &mut String, lines: impl Iterator<Item = (String, String)>) {
    let lines: Vec<(String, String)> = lines.collect();
    let width = lines
        .iter()
        .map(|(key, _)| key.chars().count())
        .max()
        .unwrap_or(0);
    for (key, value) in lines {
        let _ = writeln!(text, "{key:<width$} = {value}");
    }
}

/// A comment in as many lines as it needs.
fn comment(text: &mut String, mark: &str, said: &str) {
    let indent = " ".repeat(mark.len());
    let mut line = format!("# {mark}");
    let mut is_empty = true;
    for word in said.split_whitespace() {
        let long = line.chars().count() + 1 + word.chars().count() > WIDTH;
        if long && !is_empty {
            let _ = writeln!(text, "{}", line.trim_end());
            line = format!("# {indent}");
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        line.push_str(word);
        is_empty = false;
    }
    let _ = writeln!(text, "{}", line.trim_end());
}
