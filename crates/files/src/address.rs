//! Where files are, as a person writes it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatferry_core::Secret;
use url::Url;

use crate::limits::Limits;

/// Schemes of what is not on this machine.
pub(crate) const SCHEMES: [&str; 7] = ["s3", "gs", "az", "abfs", "abfss", "https", "http"];

/// Where files are: a folder, an archive, a bucket or a part of one, a web server; and how much
/// may come out of what is compressed there.
#[derive(Clone)]
pub struct Address {
    /// As a person may see it: without secrets.
    written: String,
    place: Place,
    limits: Limits,
    storage: Storage,
}

/// Where that is.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Local(PathBuf),
    Remote(Url),
}

/// What is set of object stores, by the names that their own libraries have for it.
pub(crate) type Storage = Arc<[(String, Secret)]>;

/// What is wrong with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Nothing here speaks that.
    Scheme(String),
    /// It names no bucket or host.
    Nobody,
    /// It is not a URL.
    Url,
}

impl Address {
    /// What is written; a relative path begins in that folder.
    ///
    /// # Errors
    ///
    /// When it is a URL of another kind than those known.
    pub fn parse(written: &str, folder: &Path) -> Result<Self, AddressError> {
        let (shown, place) = match scheme(written) {
            Some(_) => {
                let url = url(written)?;
                (without_secrets(&url), Place::Remote(url))
            }
            None => (written.to_owned(), Place::Local(folder.join(written))),
        };
        Ok(Self::of(shown, place))
    }

    /// A folder, and what a person calls it.
    #[must_use]
    pub fn folder(path: &Path, called: &str) -> Self {
        Self::of(called.to_owned(), Place::Local(path.to_owned()))
    }

    /// Where a path begins that is a URL, and the rest of it; `None` for another path.
    ///
    /// # Errors
    ///
    /// When it is a URL of another kind than those known.
    pub fn split(path: &str) -> Result<Option<(Self, Rest)>, AddressError> {
        let Some(scheme) = scheme(path) else {
            return Ok(None);
        };
        let mut whole = url(path)?;
        let rest = if scheme.starts_with("http") {
            // What is written is escaped, and has a query: nothing in it is a wildcard.
            let path = whole.path().trim_start_matches('/');
            let path = percent_decoded(path);
            whole.set_path("");
            Rest::Literal(path)
        } else {
            // What is written is the object's name as it is.
            let (_, behind) = path.split_once("://").expect("it has a scheme");
            let (bucket, rest) = behind.split_once('/').unwrap_or((behind, ""));
            whole = url(&format!("{scheme}://{bucket}"))?;
            Rest::Pattern(rest.to_owned())
        };
        let shown = without_secrets(&whole);
        Ok(Some((Self::of(shown, Place::Remote(whole)), rest)))
    }

    fn of(written: String, place: Place) -> Self {
        Self {
            written,
            place,
            limits: Limits::default(),
            storage: Arc::default(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn within(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// The same with settings of object stores, each by the name that the store's own library has
    /// for it, such as `region`.
    #[must_use]
    pub fn with_storage(self, storage: impl IntoIterator<Item = (String, Secret)>) -> Self {
        let storage = storage.into_iter().collect();
        Self { storage, ..self }
    }

    /// The same limits and settings for another address.
    pub(crate) fn as_set_for(&self, other: Self) -> Self {
        Self {
            limits: self.limits,
            storage: Arc::clone(&self.storage),
            ..other
        }
    }

    /// As a person may see it.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn storage(&self) -> &Storage {
        &self.storage
    }
}

/// What stands behind an address in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rest {
    /// A path in which nothing is a wildcard.
    Literal(String),
    /// A path, or a pattern.
    Pattern(String),
}

/// The scheme, if it is a URL.
fn scheme(written: &str) -> Option<&str> {
    let (scheme, _) = written.split_once("://")?;
    let is_one = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric());
    is_one.then_some(scheme)
}

fn url(written: &str) -> Result<Url, AddressError> {
    let url = Url::parse(written).map_err(|_| AddressError::Url)?;
    if !SCHEMES.contains(&url.scheme()) {
        return Err(AddressError::Scheme(url.scheme().to_owned()));
    }
    match url.host_str() {
        Some(host) if !host.is_empty() => Ok(url),
        _ => Err(AddressError::Nobody),
    }
}

/// What a person may see of a URL: neither a password nor a signature.
fn without_secrets(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.set_fragment(None);
    // `abfss` has the container where others have the user.
    if url.scheme().starts_with("http") {
        let (_, _) = (shown.set_username(""), shown.set_password(None));
    }
    shown.as_str().trim_end_matches('/').to_owned()
}

/// A path of a URL as it was before it was escaped.
pub(crate) fn percent_decoded(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| path.get(at + 1..at + 3))
            .flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                at += 3;
            }
            None => {
                plain.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.written)
    }
}

// Within one source the settings of all addresses are the same.
impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.place.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(path: &str) -> Option<(String, Rest)> {
        let split = Address::split(path).expect("a sound address");
        split.map(|(address, rest)| (address.written().to_owned(), rest))
    }

    #[test]
    fn a_path_says_where_it_begins_when_it_is_a_url() {
        let pattern =
            |address: &str, rest: &str| Some((address.to_owned(), Rest::Pattern(rest.to_owned())));
        let literal =
            |address: &str, rest: &str| Some((address.to_owned(), Rest::Literal(rest.to_owned())));
        assert_eq!(split("data/*.json"), None);
        assert_eq!(split("/data/a.json"), None);
        assert_eq!(
            split("s3://bucket/a/{b}/*?.json"),
            pattern("s3://bucket", "a/{b}/*?.json")
        );
        assert_eq!(split("gs://bucket"), pattern("gs://bucket", ""));
        assert_eq!(
            split("abfss://box@account.dfs.core.windows.net/a.json"),
            pattern("abfss://box@account.dfs.core.windows.net", "a.json")
        );
        assert_eq!(
            split("https://me:hunter2@host:8443/a%20b/%7Bc%7D.json?X-Amz-Signature=5ecret"),
            literal("https://host:8443", "a b/{c}.json")
        );
    }

    #[test]
    fn what_nothing_here_speaks_is_refused() {
        let error = |written| Address::parse(written, Path::new("/")).expect_err("unknown");
        assert_eq!(
            error("ftp://host/a"),
            AddressError::Scheme("ftp".to_owned())
        );
        assert_eq!(error("s3:///a"), AddressError::Nobody);
        assert_eq!(error("https://"), AddressError::Url);
    }

    #[test]
    fn secrets_are_not_shown() {
        let address = Address::parse("https://me:hunter2@host/a/?sig=hunter2", Path::new("/"));
        let address = address.expect("a sound address").with_storage([(
            "secret_access_key".to_owned(),
            Secret::Value("hunter2".to_owned()),
        )]);
        assert_eq!(format!("{address:?}"), "Address(https://host/a)");
    }
}
