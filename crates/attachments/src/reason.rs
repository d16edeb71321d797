//! Why a file could not be copied, and what to do about it.

/// Why a file could not be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The host has no such file, or there is none at that path.
    NotFound,
    /// The host does not give it to us.
    Denied,
    /// A page came in the place of the file.
    Page,
    /// The host asked for fewer requests again and again.
    Throttled,
    /// The host is out of order.
    OutOfOrder,
    /// No connection to the host could be made.
    Unreachable,
    /// The answer broke off, or the host fell silent.
    BrokenOff,
    /// What came has another checksum than the host says.
    Checksum,
    /// It is larger than files may be.
    TooLarge,
    /// The host sends us on in circles, or to what is no web address.
    Redirects,
    /// The host is on this machine or in its network.
    Inside,
    /// The path leads out of the folder where paths begin.
    Outside,
    /// The file is there and cannot be read.
    Unreadable,
    /// The host gave another answer that is no file.
    Refused,
}

/// Every reason: its name, what it means, and what to do.
const ALL: [(Reason, &str, &str, &str); 14] = [
    (
        Reason::NotFound,
        "not-found",
        "there is no such file",
        "it was deleted, or the link has expired: take a new export, or do without the file with \
         missing = \"keep\"",
    ),
    (
        Reason::Denied,
        "denied",
        "the host does not give the file to us",
        "give the host's token as a header under [attachments.hosts.\"HOST\"], and see that it may \
         read files",
    ),
    (
        Reason::Page,
        "page-instead",
        "a page came in the place of the file, such as one to sign in",
        "the token is missing, wrong or expired: give it as a header under \
         [attachments.hosts.\"HOST\"]; Slack wants `Authorization = \"Bearer xoxp-…\"` of the scope files:read",
    ),
    (
        Reason::Throttled,
        "throttled",
        "the host asked for fewer requests again and again",
        "run the same command again later, with a smaller --per-second",
    ),
    (
        Reason::OutOfOrder,
        "out-of-order",
        "the host was out of order",
        "run the same command again when it is well",
    ),
    (
        Reason::Unreachable,
        "unreachable",
        "the host could not be reached",
        "is there still such a host, and does it need a VPN? run the same command again then",
    ),
    (
        Reason::BrokenOff,
        "broken-off",
        "the answer broke off, or the host fell silent, each time",
        "run the same command again; for large files on a slow line with a larger `timeout`",
    ),
    (
        Reason::Checksum,
        "checksum",
        "what came is not what the host says it sends",
        "run the same command again; if it stays so, fetch the file by hand and look",
    ),
    (
        Reason::TooLarge,
        "too-large",
        "the file is larger than `largest`",
        "set a larger `largest` under [attachments], or do without the file",
    ),
    (
        Reason::Redirects,
        "redirects",
        "the host sends on in circles, or to what is no web address",
        "open the link in a browser to see what it wants",
    ),
    (
        Reason::Inside,
        "inside",
        "the host is on this machine or in its own network, where records of a chat have no say",
        "if it is your old server, name it: [attachments.hosts.\"HOST\"]",
    ),
    (
        Reason::Outside,
        "outside",
        "the path leads out of the folder in which paths begin",
        "set `root` under [attachments] to the folder that all of them are in",
    ),
    (
        Reason::Unreadable,
        "unreadable",
        "the file is there and cannot be read",
        "give this user the right to read it; is the archive whole?",
    ),
    (
        Reason::Refused,
        "refused",
        "the host gave an answer that is no file",
        "open the link in a browser to see what it wants",
    ),
];

impl Reason {
    fn entry(self) -> &'static (Self, &'static str, &'static str, &'static str) {
        let found = ALL.iter().find(|(reason, ..)| *reason == self);
        found.expect("every reason is listed")
    }

    /// All reasons.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|(reason, ..)| *reason)
    }

    /// Its stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// What it means, as a phrase.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        self.entry().2
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        self.entry().3
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|reason| reason.name() == name)
    }
}

/// One attempt that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    /// What exactly happened: a status, say. Never a URL.
    pub(crate) detail: String,
    /// How long the host asks us to wait.
    pub(crate) wait: Option<std::time::Duration>,
}

impl Failure {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            wait: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_found_by_its_name() {
        for reason in Reason::all() {
            assert_eq!(Reason::named(reason.name()), Some(reason));
        }
        assert_eq!(Reason::named("none"), None);
    }
}
