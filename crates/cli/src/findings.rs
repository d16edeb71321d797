//! What a person may want to look at in a pipeline that has no mistakes.

use std::collections::{BTreeMap, BTreeSet};

use chatferry_cometchat::entities;
use chatferry_core::{Entity, Field, Flow, Kind};
use chatferry_engine::{FlowPlan, TableColumn};
use serde_json::{Value, json};

use crate::examples::{Examples, advice};

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its stable name.
    pub name: &'static str,
    /// The flow or table that it is about.
    pub about: String,
    /// What was found.
    pub what: String,
    /// What to do about it, if it is not wanted.
    pub help: Option<String>,
}

impl Finding {
    /// As an object for programs.
    #[must_use]
    pub fn as_json(&self) -> Value {
        json!({ "warning": self.name, "about": self.about, "what": self.what, "help": self.help })
    }
}

/// What there is to look at in a flow, whose sources say where nulls may be or do not.
#[must_use]
pub fn of_flow(
    flow: &Flow,
    plan: &FlowPlan,
    examples: &Examples,
    knows_nulls: bool,
) -> Vec<Finding> {
    let finding = |name, what: String, help: Option<&str>| Finding {
        name,
        about: flow.name.clone(),
        what,
        help: help.map(str::to_owned),
    };
    let mut found = Vec::new();
    let missing = plan.columns().iter().filter(|column| column.may_be_missing);
    let missing: Vec<&str> = missing.map(|column| column.field.as_str()).collect();
    if knows_nulls && !missing.is_empty() {
        found.push(finding(
            "may-be-missing",
            format!(
                "{} may be null in the source, and a {} without is rejected",
                list(&missing),
                flow.entity.singular()
            ),
            Some("give it a value with coalesce(...), or leave such rows out under [flow.skip]"),
        ));
    }
    let units: Vec<_> = times(entities::fields(flow.entity), examples).collect();
    for (rule, rows, detail) in &examples.rejected {
        if rule == "time-not-seconds" && !units.is_empty() {
            // The unit says it better.
            continue;
        }
        let what = format!(
            "{rows} of the first {} rows would be rejected as {rule}, the first because of {detail}",
            examples.rows
        );
        found.push(finding("would-be-rejected", what, advice(rule)));
    }
    for (field, unit) in units {
        let what = format!("the times of {field} look like {unit}, and the API takes seconds");
        let help = format!("wrap the expression: unix_seconds(..., '{unit}')");
        found.push(finding("time-unit", what, Some(&help)));
    }
    // The ids of members are made of the other two.
    if let Some(first) = examples.rewritten.first()
        && flow.entity != Entity::Members
    {
        let what = format!(
            "cometchat_id changes {} of the first {} ids, such as {} to {}",
            examples.rewritten.len(),
            examples.rows,
            first.from,
            first.to
        );
        let help = "whatever refers to one must be made by cometchat_id too, and the app logs in with the new ids";
        found.push(finding("rewritten-ids", what, Some(help)));
    }
    let hosts = foreign_hosts(examples);
    if !hosts.is_empty() {
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let what = format!("attachments stay where they are: {}", list(&hosts));
        let help =
            "only their URLs are imported; these hosts have to go on serving them to everyone";
        found.push(finding("foreign-attachments", what, Some(help)));
    }
    found
}

/// The columns of tables that nothing reads.
#[must_use]
pub fn unused(columns: &[TableColumn], read: &BTreeSet<(String, String)>) -> Vec<Finding> {
    let mut unused: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for column in columns {
        if !read.contains(&(column.table.clone(), column.name.clone())) {
            unused.entry(&column.table).or_default().push(&column.name);
        }
    }
    let finding = |(table, columns): (&str, Vec<&str>)| Finding {
        name: "unused-columns",
        about: table.to_owned(),
        what: format!("nothing reads {}", list(&columns)),
        help: None,
    };
    unused.into_iter().map(finding).collect()
}

/// Whether a source says of one of these tables which columns always have a value. Files do not.
#[must_use]
pub fn knows_nulls(columns: &[TableColumn], read: &BTreeSet<(String, String)>) -> bool {
    let is_read = |table: &str| read.iter().any(|(known, _)| known == table);
    let mut certain = columns.iter().filter(|column| !column.may_be_null);
    certain.any(|column| is_read(&column.table))
}

/// The fields of seconds whose examples are of another unit, each with that unit.
fn times<'a>(
    fields: &'static [Field],
    examples: &'a Examples,
) -> impl Iterator<Item = (&'static str, &'static str)> + use<'a> {
    let of_seconds = fields
        .iter()
        .filter(|field| matches!(field.kind, Kind::Seconds));
    of_seconds.filter_map(move |field| {
        let unit = examples.values(field.name).find_map(unit)?;
        Some((field.name, unit))
    })
}

/// The unit that a time looks like, if that is not seconds: told by the number of its digits for
/// the years 2001 to 2286.
fn unit(time: &Value) -> Option<&'static str> {
    match time.as_i64()?.unsigned_abs().checked_ilog10()? {
        12 => Some("ms"),
        15 => Some("us"),
        18 => Some("ns"),
        _ => None,
    }
}

/// The hosts of attachments that are not CometChat's.
fn foreign_hosts(examples: &Examples) -> BTreeSet<String> {
    let lists = examples
        .values("data.attachments")
        .filter_map(Value::as_array);
    let urls = lists.flatten().filter_map(|file| file.get("url")?.as_str());
    let hosts = urls.filter_map(host);
    let is_foreign = |host: &String| {
        let ours = ["cometchat.io", "cometchat.com"];
        !ours
            .iter()
            .any(|own| host == own || host.ends_with(&format!(".{own}")))
    };
    hosts.filter(is_foreign).collect()
}

fn host(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// A few names in a sentence: "a, b and c"; the rest is counted.
fn list(names: &[&str]) -> String {
    const MOST: usize = 12;
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        names if names.len() > MOST => {
            let others = names.len() - MOST;
            format!("{} and {others} more", names[..MOST].join(", "))
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_times_digits_tell_its_unit() {
        for (time, unit_of) in [
            (1_700_000_000_i64, None),
            (1_700_000_000_000, Some("ms")),
            (1_700_000_000_000_000, Some("us")),
            (1_700_000_000_000_000_000, Some("ns")),
            (0, None),
        ] {
            assert_eq!(unit(&json!(time)), unit_of, "{time}");
        }
    }

    #[test]
    fn hosts_of_attachments_are_told_unless_they_are_cometchats() {
        let files = [
            "https://Files.slack.com/a.png",
            "https://me:pass@cdn.example.org:8443?x",
            "https://data-eu.cometchat.io/a.png",
            "not a url",
        ];
        let files = files.map(|url| json!({ "url": url }));
        let examples = Examples {
            records: vec![json!({ "data": { "attachments": files } })],
            ..Examples::default()
        };
        let hosts: Vec<String> = foreign_hosts(&examples).into_iter().collect();
        assert_eq!(hosts, ["cdn.example.org", "files.slack.com"]);
    }

    #[test]
    fn many_names_are_counted() {
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        let many: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(list(&many).ends_with("11 and 8 more"));
    }
}
