//! What the program logs of itself, on standard error.

use std::fmt;

use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use crate::terminal::Terminal;

/// Starts to log.
pub(crate) fn start(verbose: u8, terminal: &Terminal) {
    let level = match verbose {
        0 => "warn",
        1 => "chatferry=info,chatferry_runtime=debug,warn",
        _ => "chatferry=debug,chatferry_runtime=debug,info",
    };
    let filter = EnvFilter::try_from_env("CHATFERRY_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(terminal.color_of_talk());
    if terminal.json_talk() {
        log.event_format(AsJson).init();
    } else {
        log.init();
    }
}

/// One JSON object a line, as all else that is said then.
///
/// The subscriber's own format of JSON nests fields and needs another feature.
struct AsJson;

impl<S, N> FormatEvent<S, N> for AsJson
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> fmt::Result {
        let mut object = Fields(Map::new());
        event.record(&mut object);
        let Fields(mut object) = object;
        let metadata = event.metadata();
        object.insert("event".into(), "log".into());
        object.insert(
            "level".into(),
            metadata.level().as_str().to_lowercase().into(),
        );
        object.insert("target".into(), metadata.target().into());
        let time = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
        object.insert("time".into(), time.into());
        writeln!(writer, "{}", Value::Object(object))
    }
}

/// The fields of an event.
struct Fields(Map<String, Value>);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        self.0
            .insert(field.name().into(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_u64(&mut self, field: &tracing::field::Field, value: u64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_i64(&mut self, field: &tracing::field::Field, value: i64) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_bool(&mut self, field: &tracing::field::Field, value: bool) {
        self.0.insert(field.name().into(), value.into());
    }
}
