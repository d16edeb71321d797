//! What stands in the way at the database, and what to do about it.

use std::io;

use chatferry_core::source::{SourceError, SourceErrorKind as Kind};
use sqlx::Error;
use sqlx::mysql::MySqlDatabaseError;

/// Errors that pass by themselves.
///
/// Source: MySQL, "Server Error Message Reference"; MariaDB, "MariaDB Error Codes".
const PASSING: [u16; 11] = [
    1040, // too many connections
    1053, // the server shuts down
    1079, // the server has shut down
    1152, // the connection was aborted
    1158, // a packet could not be read
    1159, // no packet came in time
    1160, // a packet could not be written
    1203, // too many connections of this user
    1317, // the statement was interrupted
    1927, // the session was killed (MariaDB)
    4031, // the session did nothing for too long (MySQL)
];

/// What to do when a certificate is not good enough.
const TLS: &str = "`tls` says how much is demanded, and `ca` which certificates are trusted";

/// Whether trying again later may help.
pub(crate) fn is_passing(error: &Error) -> bool {
    match error {
        Error::Io(error) => error.kind() != io::ErrorKind::InvalidData && !is_unknown_host(error),
        Error::Database(_) => number(error).is_some_and(|number| PASSING.contains(&number)),
        _ => false,
    }
}

/// The error as a source's, with advice. `at` says where the database is, without secrets.
pub(crate) fn failure(error: &Error, doing: &str, at: &str) -> SourceError {
    let (kind, reason, help) = match error {
        Error::Database(_) => {
            let number = number(error).unwrap_or_default();
            let (kind, help) = advice(number);
            (kind, said(error), help)
        }
        Error::Io(error) => {
            let (kind, help) = network(error);
            let reason = match error.kind() {
                io::ErrorKind::TimedOut => "it does not answer".to_owned(),
                _ if is_unknown_host(error) => "no such host is known".to_owned(),
                _ => error.to_string(),
            };
            (kind, reason, Some(help))
        }
        Error::Tls(error) => (
            Kind::Denied,
            format!("no secure connection could be made: {error}"),
            Some(TLS),
        ),
        Error::Configuration(_) => (
            Kind::Denied,
            "the server takes this password over a secure connection only".to_owned(),
            Some("set `tls = \"require\"`"),
        ),
        // The one thing that we complain of in the driver's words.
        Error::InvalidArgument(what) => (
            Kind::Pipeline,
            what.clone(),
            Some("write the value into the query"),
        ),
        _ => (
            Kind::Failed,
            "its answer could not be understood".to_owned(),
            None,
        ),
    };
    let error = SourceError::new(kind, format!("{doing} at {at}"), reason);
    match help {
        Some(help) => error.help(help),
        None => error,
    }
}

fn network(error: &io::Error) -> (Kind, &'static str) {
    if error.kind() == io::ErrorKind::InvalidData {
        return (Kind::Denied, TLS);
    }
    if is_unknown_host(error) {
        let help = "check the host's name, and whether this machine can look it up";
        return (Kind::NotFound, help);
    }
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound | io::ErrorKind::TimedOut => {
            Kind::NotFound
        }
        _ => Kind::Failed,
    };
    let help = "is the server running, and may it be reached from this machine?";
    (kind, help)
}

/// What an error's number means for the person who wrote the pipeline.
fn advice(number: u16) -> (Kind, Option<&'static str>) {
    match number {
        1045 | 1698 => (
            Kind::Denied,
            Some(
                "check the user and the password, where the user may come from, and whether the \
                 server wants `tls = \"require\"`",
            ),
        ),
        1044 => (
            Kind::Denied,
            Some("grant SELECT on the database's tables to the user"),
        ),
        1049 => (
            Kind::NotFound,
            Some("the last part of `url` names the database"),
        ),
        1129 | 1130 => (
            Kind::Denied,
            Some("the server takes no connections from this machine: have its user changed there"),
        ),
        // MySQL, and MariaDB under two numbers.
        1835 | 3159 | 4155 => (
            Kind::Denied,
            Some("the server demands a secure connection: set `tls = \"require\"`"),
        ),
        1142 | 1143 | 1345 | 1370 => (
            Kind::Denied,
            Some("grant SELECT to the user, or leave that column or table out"),
        ),
        1356 => (
            Kind::Denied,
            Some("have the view repaired, or SELECT granted to the one who made it"),
        ),
        1146 => (
            Kind::Changed,
            Some("the table was there when it was described: has it been dropped or renamed?"),
        ),
        1054 => (
            Kind::Changed,
            Some("the column was there when it was described: run `chatferry check` again"),
        ),
        1176 => (
            Kind::Changed,
            Some("the index was there when the table was described: start again"),
        ),
        1969 | 3024 => (
            Kind::Failed,
            Some(
                "a page took longer than `statement_timeout`: raise it, or choose a `key` that \
                 has an index",
            ),
        ),
        1040 | 1203 | 1226 => (
            Kind::Failed,
            Some("the server has no connection left: lower `connections`, or try again later"),
        ),
        1064 => (
            Kind::Pipeline,
            Some("`query` is a SELECT in the server's own dialect"),
        ),
        1060 => (
            Kind::Pipeline,
            Some("give each column of `query` a name of its own"),
        ),
        1792 => (
            Kind::Pipeline,
            Some("`query` is a SELECT: nothing is changed at a source"),
        ),
        1053 | 1079 | 1317 | 1927 => (
            Kind::Failed,
            Some("the server was shut down: start it, and run the same command again"),
        ),
        _ => (Kind::Failed, None),
    }
}

/// The error in the server's own words, unless they could be about what is in a row.
fn said(error: &Error) -> String {
    let Some(error) = database(error) else {
        return String::new();
    };
    let number = error.number();
    match error.code() {
        // Class 22 is about data.
        Some(code) if code.starts_with("22") => format!("a value cannot be computed ({number})"),
        _ => format!("{} ({number})", error.message()),
    }
}

/// The same of what was said when a table was described: it is the pipeline that names what is not
/// there, and not the database that has changed.
pub(crate) fn of_query(error: SourceError) -> SourceError {
    match error.kind {
        Kind::Changed => SourceError {
            kind: Kind::Pipeline,
            ..error.help("check the names in its `query`")
        },
        _ => error,
    }
}

fn is_unknown_host(error: &io::Error) -> bool {
    error.to_string().contains("lookup address")
}

/// The server's number of the error, if it is one of the server's.
fn number(error: &Error) -> Option<u16> {
    Some(database(error)?.number())
}

fn database(error: &Error) -> Option<&MySqlDatabaseError> {
    error
        .as_database_error()?
        .try_downcast_ref::<MySqlDatabaseError>()
}
