//! What stands in the way at the database, and what to do about it.

use chatferry_core::source::{SourceError, SourceErrorKind};

/// Classes and codes of PostgreSQL's errors that pass by themselves.
///
/// Source: PostgreSQL, appendix A, "Error codes": class 08 connection exceptions, 40001 (also a
/// conflict with recovery on a replica), 53300 too many connections, 57P01 to 57P03 shutdown,
/// crash and start, 55006 object in use.
const PASSING: [&str; 6] = ["40001", "53300", "57P01", "57P02", "57P03", "55006"];

/// Whether trying again later may help.
pub(crate) fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Protocol(what) => what.contains("unexpected end") || what.contains("EOF"),
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("08") || PASSING.contains(&code.as_ref())),
        _ => false,
    }
}

/// The error as a source's, with advice. `at` says where the database is, without secrets.
pub(crate) fn failure(error: &sqlx::Error, doing: &str, at: &str) -> SourceError {
    let (kind, reason, help) = match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default().into_owned();
            let (kind, help) = advice(&code, error.message(), doing.starts_with("describe"));
            (kind, format!("{} ({code})", error.message()), help)
        }
        // How the TLS library says no.
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => (
            SourceErrorKind::Denied,
            error.to_string(),
            Some("`ca` says which certificates are trusted, and `tls` how strictly"),
        ),
        sqlx::Error::Io(error) => (
            match error.kind() {
                std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound => {
                    SourceErrorKind::NotFound
                }
                _ => SourceErrorKind::Failed,
            },
            error.to_string(),
            Some("is the server running, and may it be reached from this machine?"),
        ),
        sqlx::Error::Tls(error) => (
            SourceErrorKind::Denied,
            format!("no secure connection could be made: {error}"),
            Some("`tls` says how much is demanded, and `ca` which certificates are trusted"),
        ),
        sqlx::Error::PoolTimedOut => (
            SourceErrorKind::NotFound,
            "it does not answer".to_owned(),
            Some("is the server running, and may it be reached from this machine?"),
        ),
        other => (SourceErrorKind::Failed, other.to_string(), None),
    };
    let error = SourceError::new(kind, format!("{doing} at {at}"), reason);
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

/// What an error code means for the person who wrote the pipeline.
fn advice(code: &str, message: &str, describing: bool) -> (SourceErrorKind, Option<&'static str>) {
    match code {
        "28P01" | "28000" if message.contains("encryption") => (
            SourceErrorKind::Denied,
            Some("the server demands a secure connection: set `tls = \"require\"`"),
        ),
        "28P01" | "28000" => (
            SourceErrorKind::Denied,
            Some("check the user and the password in `url`, and the server's pg_hba.conf"),
        ),
        "3D000" => (
            SourceErrorKind::NotFound,
            Some("the last part of `url` names the database"),
        ),
        "42501" => (
            SourceErrorKind::Denied,
            Some("grant SELECT to the user of `url`, or leave that column or table out"),
        ),
        "42P01" | "42703" if describing => (
            SourceErrorKind::Pipeline,
            Some("the `query` of this table names what the database does not have"),
        ),
        "42P01" => (
            SourceErrorKind::Changed,
            Some("the table was there when it was described: has it been dropped or renamed?"),
        ),
        "42703" => (
            SourceErrorKind::Changed,
            Some("the column was there when it was described: run `chatferry check` again"),
        ),
        "57014" => (
            SourceErrorKind::Failed,
            Some(
                "a page took longer than `statement_timeout`: raise it, or choose a `key` that \
                 has an index",
            ),
        ),
        "40001" => (
            SourceErrorKind::Failed,
            Some("on a replica, raise max_standby_streaming_delay, or set hot_standby_feedback"),
        ),
        "53300" => (
            SourceErrorKind::Failed,
            Some("the server has no connection left: lower `connections`, or try again later"),
        ),
        "42601" => (
            SourceErrorKind::Pipeline,
            Some("`query` is a SELECT in PostgreSQL's own dialect, without a semicolon"),
        ),
        "25006" => (
            SourceErrorKind::Pipeline,
            Some("a source only reads: take out of `query` what changes the database"),
        ),
        "57P01" | "57P02" | "57P03" => (
            SourceErrorKind::Failed,
            Some("the server was shut down: start it, and run the same command again"),
        ),
        _ => (SourceErrorKind::Failed, None),
    }
}
