//! The metrics, as Prometheus reads them.

use std::collections::BTreeMap;

use chatferry_live::Ending;

use crate::guest::{ask, get};
use crate::run::{live, tell};

/// A sample: its name, its labels, its value.
type Sample = (String, BTreeMap<String, String>, f64);

/// Reads the text format, version 0.0.4, strictly: every metric is announced with its help and its
/// type before its samples, which follow each other.
fn read(text: &str) -> (BTreeMap<String, String>, Vec<Sample>) {
    let (mut types, mut samples) = (BTreeMap::new(), Vec::new());
    let mut current = String::new();
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').expect("a help has words");
            assert!(!words.is_empty() && !types.contains_key(name), "{line}");
            name.clone_into(&mut current);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').expect("a type has a name");
            assert_eq!(name, current, "{line}");
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
            types.insert(name.to_owned(), kind.to_owned());
        } else {
            let sample = sample(line);
            let parts = ["_bucket", "_sum", "_count"];
            let of = match types.get(&current).map(String::as_str) {
                Some("histogram") => parts
                    .iter()
                    .any(|part| sample.0 == format!("{current}{part}")),
                _ => sample.0 == current,
            };
            assert!(of, "{line} after {current}");
            samples.push(sample);
        }
    }
    (types, samples)
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).expect("a sample has a value");
    let (name, mut rest) = line.split_at(end);
    let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
    assert!(name.chars().all(is_word), "{line}");
    let mut labels = BTreeMap::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            let (label, value) = rest.split_once("=\"").expect("a label has a value");
            assert!(label.chars().all(is_word), "{line}");
            let (mut text, mut chars) = (String::new(), value.char_indices());
            let end = loop {
                let (at, c) = chars.next().expect("a value ends");
                match c {
                    '"' => break at,
                    '\\' => text.push(match chars.next().expect("an escape has two parts").1 {
                        'n' => '\n',
                        c @ ('\\' | '"') => c,
                        c => panic!("\\{c} in {line}"),
                    }),
                    c => text.push(c),
                }
            };
            assert!(labels.insert(label.to_owned(), text).is_none(), "{line}");
            rest = &value[end + 1..];
            rest = rest.strip_prefix(',').unwrap_or(rest);
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').expect("a value stands apart");
    let value = value.parse().expect("a value is a number");
    (name.to_owned(), labels, value)
}

#[tokio::test]
async fn prometheus_can_read_them() {
    let live = live().await;
    tell(live.board());
    live.board().ended(Ending {
        how: "complete".into(),
        exit: 7,
        message: None,
        help: None,
        next: None,
    });
    let answer = ask(live.address(), "GET", "/metrics", "localhost").await;
    let format = "text/plain; version=0.0.4; charset=utf-8";
    assert_eq!(answer.header("content-type"), Some(format));
    let text = answer.text().await;
    let (types, samples) = read(&text);
    for (name, kind) in &types {
        assert!(name.starts_with("chatferry_"), "{name}");
        assert_eq!(kind == "counter", name.ends_with("_total"), "{name}");
    }
    let value = |name: &str, labels: &[(&str, &str)]| {
        let found = samples.iter().find(|(of, known, _)| {
            of == name && labels.iter().all(|(label, value)| known[*label] == *value)
        });
        found
            .unwrap_or_else(|| panic!("no {name} {labels:?} in\n{text}"))
            .2
    };
    let flow = ("flow", crate::run::ODD);
    assert_eq!(value("chatferry_rows_read_total", &[flow]), 220.0);
    let imported = [flow, ("entity", "messages"), ("outcome", "imported")];
    assert_eq!(value("chatferry_rows_settled_total", &imported), 100.0);
    let empty = [flow, ("reason", "text-empty"), ("outcome", "rejected")];
    assert_eq!(value("chatferry_rows_undelivered_total", &empty), 5.0);
    assert_eq!(value("chatferry_rows_changed_total", &[flow]), 3.0);
    let placeholders = [flow, ("stands_for", "users")];
    assert_eq!(value("chatferry_placeholders_total", &placeholders), 2.0);
    let throttled = [("result", "throttled"), ("status", "429")];
    assert_eq!(value("chatferry_requests_total", &throttled), 1.0);
    assert_eq!(value("chatferry_request_duration_seconds_count", &[]), 4.0);
    for (bound, requests) in [("0.05", 1.0), ("1.0", 3.0), ("60.0", 3.0), ("+Inf", 4.0)] {
        let bucket = value(
            "chatferry_request_duration_seconds_bucket",
            &[("le", bound)],
        );
        assert_eq!(bucket, requests, "{bound}");
    }
    assert_eq!(value("chatferry_run_exit_code", &[]), 7.0);
}

#[tokio::test]
async fn there_are_metrics_before_the_first_row() {
    let live = live().await;
    let (_, samples) = read(&get(live.address(), "/metrics").await);
    assert!(
        samples
            .iter()
            .any(|(name, ..)| name == "chatferry_run_info")
    );
}
