//! What a person may say of the copying: in the table `[attachments]`, and on the command line, which
//! comes before it.

use std::fmt;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatferry_config::Attachments;
use chatferry_config::attachments::{Host, Missing};
use chatferry_config::node::PLACEHOLDER;
use chatferry_core::{Mistake, Secret, Span};
use chatferry_files::{Address, explained, is_setting};
use url::Url;

use crate::scope::Scope;

/// Files that are copied at once unless told otherwise. Old servers are easily overwhelmed.
const AT_ONCE: NonZeroUsize = NonZeroUsize::new(4).expect("some");
/// Bytes that a file has at most unless told otherwise: so that one without an end does not fill
/// the disk.
const LARGEST: u64 = 5 << 30;
/// How long a host may be silent unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);

/// What is said on the command line.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The store that files are copied to.
    pub to: Option<String>,
    /// Under which URL everybody sees what is in the store.
    pub public: Option<String>,
    /// Where paths begin.
    pub root: Option<PathBuf>,
    /// What is asked for in a second at most.
    pub per_second: Option<NonZeroU64>,
    /// What is copied at once at most.
    pub at_once: Option<NonZeroUsize>,
}

/// What is said of the copying.
#[derive(Clone)]
pub struct Settings {
    /// The store that files are copied to.
    pub(crate) to: Option<Address>,
    public: Option<Url>,
    /// Where paths begin; and the folder, if it may be one.
    pub(crate) root: (Address, Option<PathBuf>),
    pub(crate) per_second: Option<NonZeroU64>,
    pub(crate) at_once: NonZeroUsize,
    pub(crate) largest: u64,
    pub(crate) timeout: Duration,
    keep: Vec<String>,
    pub(crate) missing: Missing,
    pub(crate) hosts: Vec<Host>,
    /// Whether the pipeline has the table.
    is_written: bool,
}

impl Settings {
    /// What the table of the file and the command line say. Relative paths of the file begin in that
    /// folder, those of the command line where the program was started.
    ///
    /// # Errors
    ///
    /// When something cannot be used: each with its place in the file, or with none.
    pub fn of(
        written: Option<&Attachments>,
        said: &Said,
        folder: &Path,
    ) -> Result<Self, Vec<Mistake>> {
        let usual = Attachments::default();
        let table = written.unwrap_or(&usual);
        let mut mistakes = Vec::new();
        let storage: Vec<(String, Secret)> = table
            .storage
            .iter()
            .filter(|(name, at, _)| {
                let is_known = is_setting(name);
                if !is_known {
                    mistakes.push(unknown_setting(name, at.clone()));
                }
                is_known
            })
            .map(|(name, _, value)| (name.clone(), value.clone()))
            .collect();
        let here = Path::new(".");
        let to = match (&said.to, &table.to) {
            (Some(to), _) => address(to, None, here, &mut mistakes),
            (None, Some(to)) => address(to, to.at.clone(), folder, &mut mistakes),
            (None, None) => None,
        };
        let root = match (&said.root, &table.root) {
            (Some(root), _) => address(&root.to_string_lossy(), None, here, &mut mistakes)
                .map(|address| (address, Some(root.clone()))),
            (None, Some(root)) => address(root, root.at.clone(), folder, &mut mistakes)
                .map(|address| (address, Some(folder.join(&root.value)))),
            (None, None) => None,
        };
        let root = root.map(|(address, folder)| (address.with_storage(storage.clone()), folder));
        let public = match &said.public {
            Some(text) => match Url::parse(text.trim_end_matches('/')) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
                _ => {
                    let message = "--public is not an http(s) URL";
                    mistakes.push(
                        Mistake::error("attachments::public", message, None)
                            .help("such as https://cdn.example.com/chat"),
                    );
                    None
                }
            },
            None => table.public.as_ref().map(|url| url.value.clone()),
        };
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let beside = || {
            let address = Address::folder(folder, "the pipeline file's folder");
            (address, Some(folder.to_owned()))
        };
        Ok(Self {
            to: to.map(|address| address.with_storage(storage)),
            public,
            root: root.unwrap_or_else(beside),
            per_second: said.per_second.or(table.per_second),
            at_once: said.at_once.unwrap_or_else(|| at_once(table.at_once)),
            largest: table.largest.unwrap_or(LARGEST),
            timeout: table.timeout.unwrap_or(TIMEOUT),
            keep: table.keep.clone(),
            missing: table.missing,
            hosts: table.hosts.clone(),
            is_written: written.is_some(),
        })
    }

    /// What is missing to copy files, though it need not be there to do anything else: variables of
    /// the environment that are not set, each as a mistake with its place.
    #[must_use]
    pub fn lacking(&self) -> Vec<Mistake> {
        let headers = self.hosts.iter().flat_map(|host| &host.headers);
        let unset = headers.filter(
            |header| matches!(&header.value, Secret::Value(value) if value.contains(PLACEHOLDER)),
        );
        unset
            .map(|header| {
                let message = "the environment lacks a variable of this header";
                Mistake::error("pipeline::environment", message, header.at.clone())
                    .label("not set")
                    .help("set it: without it the host would not give its files")
            })
            .collect()
    }

    /// Whether the pipeline itself says that files are copied.
    #[must_use]
    pub const fn is_wanted(&self) -> bool {
        self.is_written
    }

    /// The store that files are copied to, as a person may see it.
    #[must_use]
    pub fn to(&self) -> Option<&str> {
        self.to.as_ref().map(Address::written)
    }

    /// Whether it is said under which URL everybody sees what is in the store.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        self.public.is_some()
    }

    pub(crate) fn public_text(&self) -> Option<String> {
        let public = self.public.as_ref()?;
        Some(public.as_str().trim_end_matches('/').to_owned())
    }

    /// The same, where it is not said, with copies that are seen under that URL.
    pub(crate) fn seen_under(mut self, public: &str) -> Self {
        if self.public.is_none() {
            self.public = Url::parse(public).ok();
        }
        self
    }

    pub(crate) fn scope(&self) -> Scope {
        Scope::new(&self.keep, self.public.as_ref())
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("to", &self.to)
            .field("public", &self.public_text())
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

fn at_once(written: Option<NonZeroU64>) -> NonZeroUsize {
    let written = written.and_then(|it| NonZeroUsize::new(usize::try_from(it.get()).ok()?));
    written.unwrap_or(AT_ONCE)
}

/// An address as it is written; `file://` is a folder, too.
fn address(
    written: &str,
    at: Option<Span>,
    folder: &Path,
    mistakes: &mut Vec<Mistake>,
) -> Option<Address> {
    let plain = match Url::parse(written) {
        Ok(url) if url.scheme() == "file" => url.to_file_path().ok(),
        _ => None,
    };
    if let Some(path) = plain {
        return Some(Address::folder(&path, &path.display().to_string()));
    }
    match Address::parse(written, folder) {
        Ok(address) => Some(address),
        Err(error) => {
            let (message, help) = explained(&error);
            mistakes.push(Mistake::error("attachments::address", message, at).help(help));
            None
        }
    }
}

fn unknown_setting(name: &str, at: Option<Span>) -> Mistake {
    let message = format!("no object store has a setting `{name}`");
    Mistake::error("attachments::storage", message, at).help(
        "such as `endpoint`, `region`, `access_key_id` or `secret_access_key` for S3; \
         see docs/files.md",
    )
}
