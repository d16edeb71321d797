//! The files that records refer to, each once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};

use chatferry_core::{Declared, Files, Whereabouts};
use url::Url;

use crate::key::Key;
use crate::map::Known;
use crate::name;
use crate::scope::{Concern, Scope};
use crate::settings::Settings;

/// What is known by the end of a reading of all records.
///
/// It is asked for the whereabouts of every file, notes it, and leaves it where it is.
#[derive(Debug)]
pub struct Found {
    scope: Scope,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    seen: HashSet<Key>,
    known: Known,
    wanted: Vec<Wanted>,
    there: u64,
    kept: u64,
    hosts: BTreeMap<String, OfHost>,
    /// Media types, each once.
    types: HashMap<Box<str>, Arc<str>>,
}

/// How many files there are of one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfHost {
    /// To be copied.
    pub wanted: u64,
    /// Copied before.
    pub there: u64,
    /// Left where they are.
    pub kept: u64,
}

/// What the files are counted under that are no URLs but paths.
pub(crate) const PATHS: &str = "(paths)";

/// A file that is to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Where it is. It may hold a secret.
    pub(crate) url: Box<str>,
    /// The ending that a copy gets, as far as the record tells; may be empty.
    pub(crate) ending: Box<str>,
    /// The media type that the record tells.
    pub(crate) media_type: Option<Arc<str>>,
    /// Whether it may well be a page of HTML.
    pub(crate) may_be_page: bool,
    /// Whether it may well begin like one.
    pub(crate) may_begin_like_a_page: bool,
}

/// What all that was found comes to.
#[derive(Debug)]
pub struct Summary {
    /// Those that are to be copied.
    pub wanted: Vec<Wanted>,
    /// How many were copied before.
    pub there: u64,
    /// How many are left where they are, since the pipeline says so of their hosts.
    pub kept: u64,
    /// The same by host; those without one come under `(paths)`.
    pub hosts: BTreeMap<String, OfHost>,
}

impl Found {
    /// Nothing yet. What is known already is not wanted again.
    #[must_use]
    pub fn new(settings: &Settings, known: Known) -> Self {
        let noted = Noted {
            known,
            ..Noted::default()
        };
        Self {
            scope: settings.scope(),
            noted: Mutex::new(noted),
        }
    }

    /// How many files were found so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.with(|noted| noted.seen.len() as u64)
    }

    /// All that was found.
    #[must_use]
    pub fn finish(&self) -> Summary {
        self.with(|noted| Summary {
            wanted: std::mem::take(&mut noted.wanted),
            there: noted.there,
            kept: noted.kept,
            hosts: std::mem::take(&mut noted.hosts),
        })
    }

    fn with<T>(&self, look: impl FnOnce(&mut Noted) -> T) -> T {
        look(&mut self.noted.lock().expect("no holder of this lock panics"))
    }
}

impl Files for Found {
    fn whereabouts(&self, url: &str, declared: &Declared<'_>) -> Whereabouts {
        let concern = self.scope.concern(url);
        if concern != Concern::None {
            self.with(|noted| noted.note(url, declared, concern));
        }
        Whereabouts::AsWritten
    }
}

impl Noted {
    fn note(&mut self, url: &str, declared: &Declared<'_>, concern: Concern) {
        let key = Key::of(url);
        if !self.seen.insert(key) {
            return;
        }
        let host = self.hosts.entry(host(url)).or_default();
        if concern == Concern::Kept {
            self.kept += 1;
            host.kept += 1;
        } else if self.known.has(key) {
            self.there += 1;
            host.there += 1;
        } else {
            host.wanted += 1;
            let mut wanted = Wanted::of(url, declared);
            if let Some(written) = wanted.media_type.take() {
                let kept = self.types.entry(written.as_ref().into());
                wanted.media_type = Some(Arc::clone(kept.or_insert(written)));
            }
            self.wanted.push(wanted);
        }
    }
}

/// The host of a URL, with its port where that is not the usual one.
pub(crate) fn host(url: &str) -> String {
    let of = |url: &Url| {
        let host = url.host_str()?;
        Some(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        })
    };
    let parsed = Url::parse(url.trim()).ok();
    parsed
        .as_ref()
        .and_then(of)
        .unwrap_or_else(|| PATHS.to_owned())
}

impl Wanted {
    /// A file that a record says this of.
    pub(crate) fn of(url: &str, declared: &Declared<'_>) -> Self {
        let url = url.trim();
        let ending = name::ending(declared.extension, declared.name, url, declared.mime_type);
        let declared = declared.mime_type.unwrap_or_default().to_ascii_lowercase();
        let is_page = declared.contains("html")
            || ["html", "htm", "xhtml", "shtml", "mht", "mhtml"].contains(&&*ending);
        Self {
            url: url.into(),
            may_be_page: is_page,
            may_begin_like_a_page: is_page || declared.starts_with("text/") || ending == "txt",
            ending: ending.into(),
            media_type: (!declared.is_empty()).then(|| declared.into()),
        }
    }

    /// As a person may see it.
    #[must_use]
    pub fn shown(&self) -> String {
        crate::key::shown(&self.url)
    }
}
