//! The table `[attachments]`: where the files go that records refer to.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use chatferry_core::{Mistake, Secret, Span};
use url::Url;

use crate::node::{Node, Setting};
use crate::section::Section;

/// What the table `[attachments]` says. What it does not say is for whoever copies the files.
#[derive(Clone, Default)]
pub struct Attachments {
    /// The store that files are copied to.
    pub to: Option<Setting<String>>,
    /// What is set of that store, each by the name that its own library has for it, and where.
    pub storage: Vec<(String, Option<Span>, Secret)>,
    /// Under which URL everybody sees what is in the store.
    pub public: Option<Setting<Url>>,
    /// Where paths begin that records have in the place of URLs.
    pub root: Option<Setting<String>>,
    /// What is asked for in a second at most.
    pub per_second: Option<NonZeroU64>,
    /// What is copied at once at most.
    pub at_once: Option<NonZeroU64>,
    /// How many bytes a file has at most.
    pub largest: Option<u64>,
    /// How long a host may be silent.
    pub timeout: Option<Duration>,
    /// The hosts whose URLs stay as they are, with `*` for any part of a name.
    pub keep: Vec<String>,
    /// What becomes of a record whose file was not copied.
    pub missing: Missing,
    /// What is said of single hosts.
    pub hosts: Vec<Host>,
}

/// What becomes of a record whose file was not copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// It is rejected; the picture of a user or group is left out.
    #[default]
    Reject,
    /// It is sent with the URL that the file had.
    Keep,
}

/// What is said of a host that files are fetched from.
#[derive(Clone)]
pub struct Host {
    /// Its name, with its port where it is not the usual one.
    pub name: String,
    /// The headers that it is asked with, each with its place.
    pub headers: Vec<Header>,
}

/// A header that a host is asked with.
#[derive(Clone)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Where its value stands.
    pub at: Option<Span>,
    /// Its value. It may hold a [placeholder](crate::node::PLACEHOLDER) for a variable that is not
    /// set, since only what copies files needs it.
    pub value: Secret,
}

/// Only what records depend on: a pipeline is another one when this changes, and stays the same when
/// files are to be copied faster.
impl fmt::Debug for Attachments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attachments")
            .field("public", &self.public.as_ref().map(|url| url.as_str()))
            .field("keep", &self.keep)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({}, {} headers)", self.name, self.headers.len())
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({})", self.name)
    }
}

/// Reads the table.
pub(crate) fn attachments(root: &mut Section<'_>) -> Option<Attachments> {
    let mut section = root.section("attachments")?;
    let to = section.text("to");
    let storage = section.section("storage").map(|mut storage| {
        let entries = storage.entries().into_iter();
        let setting = |(name, at, node): (&str, Option<Span>, Node<'_>)| {
            Some((name.to_owned(), at, node.secret()?.value))
        };
        entries.filter_map(setting).collect()
    });
    let public = section.get("public").and_then(|node| url(&node));
    let root = section.text("root");
    let per_second = section.count("per_second");
    let at_once = section.count("at_once");
    let largest = section.bytes("largest");
    let timeout = section.duration("timeout");
    let keep = section.texts("keep").unwrap_or_default();
    let missing = section.choice("missing", &["reject", "keep"]);
    let hosts = section.section("hosts").map(|mut hosts| {
        let entries = hosts.entries().into_iter();
        let hosts = entries.filter_map(|(name, at, node)| host(name, at, &node));
        hosts.collect()
    });
    Some(Attachments {
        to,
        storage: storage.unwrap_or_default(),
        public,
        root,
        per_second: per_second.map(|set| set.value),
        at_once: at_once.map(|set| set.value),
        largest: largest.map(|set| set.value),
        timeout: timeout.map(|set| set.value),
        keep: keep.into_iter().map(|set| set.value).collect(),
        missing: match missing.map(|set| set.value) {
            Some("keep") => Missing::Keep,
            _ => Missing::Reject,
        },
        hosts: hosts.unwrap_or_default(),
    })
}

/// A URL that files can be seen under.
fn url(node: &Node<'_>) -> Option<Setting<Url>> {
    let written = node.text()?;
    let url = Url::parse(written.value.trim_end_matches('/')).ok();
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    let Some(url) = url.filter(is_plain) else {
        let message = "files cannot be seen under this";
        node.mistake(
            Mistake::error("attachments::public", message, node.at())
                .label("not an http(s) URL without a query")
                .help("such as \"https://cdn.example.com/chat\""),
        );
        return None;
    };
    Some(Setting {
        value: url,
        at: written.at,
    })
}

fn host(name: &str, at: Option<Span>, node: &Node<'_>) -> Option<Host> {
    let mut section = node.section()?;
    // What is only needed to copy files may be missing whenever none are.
    section.be_silent();
    let mut headers = Vec::new();
    if let Some(mut table) = section.section("headers") {
        for (name, _, node) in table.entries() {
            let value = node.secret();
            let is_name = !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.!#$%&'*+^`|~".contains(&byte));
            if !is_name {
                let message = "this cannot be the name of a header";
                node.mistake(
                    Mistake::error("attachments::header", message, node.name_at())
                        .help("such as `Authorization` or `Cookie`"),
                );
                continue;
            }
            headers.extend(value.map(|value| Header {
                name: name.to_owned(),
                at: node.at(),
                value: value.value,
            }));
        }
    }
    let is_host = Url::parse(&format!("http://{name}/")).is_ok_and(|url| {
        url.path() == "/" && url.username().is_empty() && !name.contains(['?', '#'])
    });
    if !is_host {
        node.mistake(
            Mistake::error("attachments::host", "this is not the name of a host", at)
                .label("a host, and a port where it is not the usual one")
                .help("such as `[attachments.hosts.\"files.slack.com\"]`, without `https://` and without a path"),
        );
        return None;
    }
    Some(Host {
        name: name.to_ascii_lowercase(),
        headers,
    })
}
