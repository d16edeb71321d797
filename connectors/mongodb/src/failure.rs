//! What stands in the way at the database, and what to do about it.

use std::io;

use chatferry_core::source::{SourceError, SourceErrorKind};
use mongodb::error::{CommandError, Error, ErrorKind};

/// Codes of MongoDB's errors that pass by themselves.
///
/// Source: MongoDB's `error_codes.yml`, categories NetworkError, NotPrimaryError, ShutdownError and
/// RetriableError; and cursors that went away in the midst of a page.
const PASSING: [i32; 16] = [
    6, 7, 43, 89, 91, 112, 134, 189, 237, 262, 9001, 10107, 11600, 11602, 13435, 13436,
];

/// What to do where the server does not know who asks.
const WHO: &str = "check the user and the password in `url`; a user that is kept in another database \
                   than the one that is read needs `?authSource=admin`";

/// Whether trying again later may help.
pub(crate) fn is_passing(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Io(_)
        | ErrorKind::ConnectionPoolCleared { .. }
        | ErrorKind::ServerSelection { .. } => true,
        ErrorKind::Command(error) => PASSING.contains(&error.code),
        _ => false,
    }
}

/// The error where a page did not come in time, and who knows why.
pub(crate) fn silence() -> Error {
    io::Error::new(io::ErrorKind::TimedOut, "the server does not answer").into()
}

/// The error as a source's, with advice. `at` says where the database is, without secrets.
pub(crate) fn failure(error: &Error, doing: &str, at: &str) -> SourceError {
    let (kind, reason, help) = match error.kind.as_ref() {
        ErrorKind::Command(error) => {
            let (kind, help) = advice(error);
            let name = match error.code_name.as_str() {
                "" => error.code.to_string(),
                name => name.to_owned(),
            };
            (kind, format!("{} ({name})", error.message), help)
        }
        ErrorKind::Authentication { message, .. } => {
            (SourceErrorKind::Denied, message.clone(), Some(WHO))
        }
        ErrorKind::ServerSelection { message, .. } => {
            let (reason, help) = unreachable(message);
            (SourceErrorKind::NotFound, reason, Some(help))
        }
        ErrorKind::Io(error) => (
            match error.kind() {
                io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
                    SourceErrorKind::NotFound
                }
                _ => SourceErrorKind::Failed,
            },
            error.to_string(),
            Some("is the server running, and may it be reached from this machine?"),
        ),
        ErrorKind::DnsResolve { message, .. } => (
            SourceErrorKind::NotFound,
            message.clone(),
            Some("check the host in `url`; `mongodb+srv://` asks DNS for the servers behind it"),
        ),
        ErrorKind::InvalidTlsConfig { message, .. } => (
            SourceErrorKind::Denied,
            message.clone(),
            Some("check `tlsCAFile` and `tlsCertificateKeyFile` in `url`"),
        ),
        ErrorKind::InvalidArgument { message, .. } => (
            SourceErrorKind::Pipeline,
            message.clone(),
            Some("check `url` and its options"),
        ),
        ErrorKind::IncompatibleServer { message, .. } => (
            SourceErrorKind::Failed,
            message.clone(),
            Some("MongoDB 4.2 and later can be read; export older ones by `mongoexport`"),
        ),
        other => (SourceErrorKind::Failed, other.to_string(), None),
    };
    let error = SourceError::new(kind, format!("{doing} at {at}"), reason);
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

/// Why no server could be found, out of all that the driver says of it.
fn unreachable(message: &str) -> (String, &'static str) {
    let reason = match message.split_once("Topology: ") {
        Some((_, topology)) => match topology.split_once("Error: ") {
            Some((_, error)) => {
                let (error, _) = error.split_once(", labels: ").unwrap_or((error, ""));
                let error = error.strip_prefix("Kind: ").unwrap_or(error);
                error.trim_end_matches([' ', '}', ']', ',', '>']).to_owned()
            }
            None => "no server fits what `url` asks for".to_owned(),
        },
        None => message.to_owned(),
    };
    let help = match reason.contains("tls") || reason.contains("certificate") {
        true => "`tls`, `tlsCAFile` and `tlsInsecure` in `url` say whether and how TLS is spoken",
        false => {
            "is the server running, and may it be reached from this machine? The members of a \
             replica set are called by the names that the set gives them, unless `url` says \
             `directConnection=true`"
        }
    };
    (reason, help)
}

/// What an error code means for the person who wrote the pipeline.
fn advice(error: &CommandError) -> (SourceErrorKind, Option<&'static str>) {
    match error.code {
        13 => (
            SourceErrorKind::Denied,
            Some("give the user of `url` the role `read` for this database"),
        ),
        18 => (SourceErrorKind::Denied, Some(WHO)),
        2 | 9 | 14 | 17287 => (
            SourceErrorKind::Pipeline,
            Some("check the `filter` of this table"),
        ),
        50 => (
            SourceErrorKind::Failed,
            Some(
                "a page took longer than `statement_timeout`: raise it, or have an index for the \
                 `filter` of this table",
            ),
        ),
        175 | 11600 | 11602 | 91 | 189 => (
            SourceErrorKind::Failed,
            Some("the server was stopped or changed meanwhile: run the same command again"),
        ),
        _ => (SourceErrorKind::Failed, None),
    }
}
