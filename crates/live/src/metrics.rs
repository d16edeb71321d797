//! How a run stands, in Prometheus' text format (version 0.0.4).

use std::fmt::Write;

use chatferry_core::{FlowAccount, OutcomeKind};
use chatferry_runtime::WaitsFor;
use chrono::{DateTime, Utc};

use crate::board::State;
use crate::histogram::Histogram;

/// What the text is, for whoever asks for it.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every metric of a run.
pub(crate) fn of(state: &State) -> String {
    let mut text = Text(String::with_capacity(16 * 1024));
    run(&mut text, state);
    rows(&mut text, state);
    requests(&mut text, state);
    progress(&mut text, state);
    text.0
}

fn run(text: &mut Text, state: &State) {
    text.metric("run_info", "gauge", "What runs; always 1.");
    let labels = [
        ("version", env!("CARGO_PKG_VERSION")),
        ("title", &state.title),
        ("pipeline", &state.pipeline),
    ];
    text.sample("run_info", &labels, 1);
    text.metric(
        "run_started_timestamp_seconds",
        "gauge",
        "When the run was started.",
    );
    text.sample("run_started_timestamp_seconds", &[], seconds(state.started));
    if let Some((when, ending)) = &state.ended {
        text.metric(
            "run_ended_timestamp_seconds",
            "gauge",
            "When the run ended.",
        );
        text.sample("run_ended_timestamp_seconds", &[], seconds(*when));
        text.metric(
            "run_exit_code",
            "gauge",
            "The exit code of a run that has ended.",
        );
        text.sample("run_exit_code", &[("how", &ending.how)], ending.exit);
    }
}

fn rows(text: &mut Text, state: &State) {
    let flows = &state.account.flows;
    text.metric(
        "rows_read_total",
        "counter",
        "Rows that were read from the sources.",
    );
    for flow in flows {
        text.sample("rows_read_total", &labels(flow), flow.read);
    }
    text.metric(
        "rows_settled_total",
        "counter",
        "Rows that have an outcome; `earlier` is what an earlier run has delivered.",
    );
    for flow in flows {
        let mut labels = labels(flow);
        labels.push(("outcome", "earlier"));
        text.sample("rows_settled_total", &labels, flow.settled_before);
        for kind in OutcomeKind::ALL {
            labels.pop();
            labels.push(("outcome", kind.name()));
            text.sample("rows_settled_total", &labels, flow.count(kind));
        }
    }
    text.metric(
        "rows_undelivered_total",
        "counter",
        "Rows that are not at the destination, by rule, by the API's code or by name.",
    );
    for flow in flows {
        for ((kind, reason), rows) in &flow.outcomes {
            if !kind.delivered() {
                let mut labels = labels(flow);
                labels.extend([("outcome", kind.name()), ("reason", reason)]);
                text.sample("rows_undelivered_total", &labels, rows);
            }
        }
    }
    text.metric(
        "rows_changed_total",
        "counter",
        "Rows that make something else now than what was delivered of them.",
    );
    for flow in flows {
        text.sample("rows_changed_total", &labels(flow), flow.differing);
    }
    text.metric(
        "placeholders_total",
        "counter",
        "Users and groups that stand for what rows refer to and no flow delivers.",
    );
    for flow in flows {
        for (made, count) in &flow.placeholders {
            let mut labels = labels(flow);
            labels.push(("stands_for", made.name()));
            text.sample("placeholders_total", &labels, count);
        }
    }
    text.metric(
        "rows_expected",
        "gauge",
        "Rows that there are, where that is known.",
    );
    let entities = state.view.iter().flat_map(|view| &view.entities);
    for rows in entities {
        if let Some(total) = rows.total {
            text.sample("rows_expected", &[("entity", rows.entity.name())], total);
        }
    }
}

fn labels(flow: &FlowAccount) -> Vec<(&str, &str)> {
    vec![("flow", &flow.flow), ("entity", flow.entity.name())]
}

fn requests(text: &mut Text, state: &State) {
    text.metric(
        "requests_sent_total",
        "counter",
        "Requests that were sent, repeated ones included.",
    );
    text.sample("requests_sent_total", &[], state.requests.sent);
    text.metric(
        "requests_total",
        "counter",
        "Requests that came back: answered with verdicts, throttled, or failed.",
    );
    for ((entity, result, status), requests) in &state.results {
        let status = status.map_or(String::new(), |status| status.to_string());
        let labels = [
            ("entity", entity.name()),
            ("result", result.name()),
            ("status", &status),
        ];
        text.sample("requests_total", &labels, requests);
    }
    text.metric(
        "request_records_total",
        "counter",
        "Records that requests carried, repeated ones included.",
    );
    text.sample("request_records_total", &[], state.requests.records);
    text.metric(
        "request_bytes_total",
        "counter",
        "Bytes of the bodies of requests.",
    );
    text.sample("request_bytes_total", &[], state.requests.bytes);
    text.histogram(
        "request_duration_seconds",
        "How long answers took.",
        &state.took,
    );
    text.histogram("request_records", "Records in a request.", &state.filled);
    if let Some(limit) = state.limit {
        text.metric(
            "requests_limit_per_minute",
            "gauge",
            "Requests that the pace allows in any minute.",
        );
        text.sample("requests_limit_per_minute", &[], limit);
    }
    if let Some(answer) = state.last_answer {
        text.metric(
            "last_answer_timestamp_seconds",
            "gauge",
            "When the last answer came.",
        );
        text.sample("last_answer_timestamp_seconds", &[], seconds(answer));
    }
}

fn progress(text: &mut Text, state: &State) {
    let Some(view) = &state.view else {
        return;
    };
    let is_running = state.ended.is_none();
    if let (_, Some(allowed)) = view.requests {
        text.metric(
            "requests_allowed",
            "gauge",
            "Requests that the limit has allowed since the first.",
        );
        text.sample("requests_allowed", &[], allowed);
    }
    text.metric(
        "requests_in_flight",
        "gauge",
        "Requests that wait for their answers.",
    );
    text.sample(
        "requests_in_flight",
        &[],
        if is_running { view.in_flight } else { 0 },
    );
    text.metric("records_waiting", "gauge", "Records that wait to be sent.");
    text.sample("records_waiting", &[], state.waiting);
    text.metric(
        "held_seconds",
        "gauge",
        "How much longer nobody may send, because the destination said so.",
    );
    let held = view.held_for.filter(|_| is_running).unwrap_or_default();
    text.sample("held_seconds", &[], held.as_secs_f64());
    text.metric("waits_for", "gauge", "1 for what the next step waits for.");
    for (name, waits_for) in [
        ("pace", WaitsFor::Pace),
        ("source", WaitsFor::Source),
        ("answers", WaitsFor::Answers),
    ] {
        let is_it = is_running && view.waits_for == waits_for;
        text.sample("waits_for", &[("for", name)], u8::from(is_it));
    }
    if let Some((least, most)) = view.left.filter(|_| is_running) {
        text.metric(
            "remaining_seconds",
            "gauge",
            "How much longer it takes, about.",
        );
        text.sample(
            "remaining_seconds",
            &[("bound", "least")],
            least.as_secs_f64(),
        );
        text.sample(
            "remaining_seconds",
            &[("bound", "most")],
            most.as_secs_f64(),
        );
    }
    text.metric(
        "problems_total",
        "counter",
        "Answers that were no verdicts, and were dealt with.",
    );
    let problems = view.problem.as_ref().map_or(0, |(_, _, times)| *times);
    text.sample("problems_total", &[], problems);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a double holds milliseconds for long enough"
)]
fn seconds(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1_000.0
}

/// The text in the making. Each metric's name begins with `chatferry_`.
struct Text(String);

impl Text {
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        self.0.push_str(&format!(
            "# HELP chatferry_{name} {help}\n# TYPE chatferry_{name} {kind}\n"
        ));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.0.push_str("chatferry_");
        self.0.push_str(name);
        for (place, (label, value)) in labels.iter().enumerate() {
            self.0.push(if place == 0 { '{' } else { ',' });
            self.0.push_str(label);
            self.0.push_str("=\"");
            for c in value.chars() {
                match c {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    c => self.0.push(c),
                }
            }
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        writeln!(self.0, " {value}").expect("writing to memory succeeds");
    }

    fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.metric(name, "histogram", help);
        for (bound, count) in histogram.buckets() {
            let bound = match bound {
                f64::INFINITY => "+Inf".to_owned(),
                bound => format!("{bound:?}"),
            };
            self.sample(&format!("{name}_bucket"), &[("le", &bound)], count);
        }
        self.sample(&format!("{name}_sum"), &[], histogram.sum());
        self.sample(&format!("{name}_count"), &[], histogram.count());
    }
}
