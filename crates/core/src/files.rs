//! Where the files are that records refer to: those of messages, and the pictures of users and groups.

use std::fmt;

/// Says where files are by now that records refer to.
///
/// It is asked while records are prepared, so it answers from memory, and the same each time.
pub trait Files: fmt::Debug + Send + Sync {
    /// Where the file is that a record has under this URL.
    fn whereabouts(&self, url: &str, declared: &Declared<'_>) -> Whereabouts;
}

/// What a record says of a file beside its URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Declared<'a> {
    /// Its media type.
    pub mime_type: Option<&'a str>,
    /// Its name.
    pub name: Option<&'a str>,
    /// The ending of its name, without the dot.
    pub extension: Option<&'a str>,
    /// Whether it is the picture of a user or group, which can do without.
    pub is_picture: bool,
}

/// Where a file is by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Where the record says.
    AsWritten,
    /// Somewhere else: at this URL.
    At(String),
    /// Where the record says, although it should be somewhere else. That is counted.
    Left,
    /// It should be somewhere else, and is not: why. A record cannot do without it, unless it is a
    /// picture, which is then left out and counted.
    Lacking(&'static str),
}
