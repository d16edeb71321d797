//! What a driver said, and what to do about it.

use adbc_core::error::{Error, Status};
use chatferry_core::source::{SourceError, SourceErrorKind};

/// Letters that a value must have to be looked for in what drivers say: `1` or `on` is no secret.
const SHORTEST_SECRET: usize = 4;

/// Values that must not be shown: what a driver was told, and passwords within it.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    pub(crate) fn of<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let mut secrets = Vec::new();
        for value in values {
            secrets.push(value.to_owned());
            secrets.extend(password(value).map(str::to_owned));
        }
        secrets.retain(|secret| secret.len() >= SHORTEST_SECRET);
        // The longer ones first, since a shorter one may be a part of them.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self(secrets)
    }

    fn out_of(&self, text: &str) -> String {
        let without = |text: String, secret: &String| text.replace(secret.as_str(), "***");
        self.0.iter().fold(text.to_owned(), without)
    }
}

/// The password in a URI.
fn password(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let (account, _) = rest.rsplit_once('@')?;
    let (_, password) = account.split_once(':')?;
    Some(password)
}

/// The error for what a driver said when something was done.
pub(crate) fn failed(doing: impl Into<String>, secrets: &Secrets, error: &Error) -> SourceError {
    let (kind, help) = match error.status {
        Status::NotFound => (
            SourceErrorKind::NotFound,
            "check `driver`, `options` and the names of tables",
        ),
        Status::Unauthenticated | Status::Unauthorized => (
            SourceErrorKind::Denied,
            "check user and password in `options`, and what they may read",
        ),
        Status::InvalidArguments | Status::NotImplemented | Status::InvalidState => (
            SourceErrorKind::Pipeline,
            "check the query, and `options` against the documentation of the driver",
        ),
        _ => (
            SourceErrorKind::Failed,
            "the driver says so; its documentation tells more",
        ),
    };
    let said = secrets.out_of(error.message.trim());
    let said = match said.as_str() {
        "" => format!("the driver says no more than {:?}", error.status),
        _ => said,
    };
    SourceError::new(kind, doing, said).help(help)
}
