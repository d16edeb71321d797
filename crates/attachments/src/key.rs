//! What stands for a URL where the URL itself must not stand.
//!
//! URLs may hold what lets anybody fetch a file: a token in their query, a user and a password. So the
//! map keeps a hash of the whole, by which it is found again, and a text without all that, which is
//! only to be read.

use sha2::{Digest, Sha256};
use url::Url;

/// Characters of a URL that are shown at most.
const SHOWN: usize = 300;

/// Stands for a URL: the first half of its SHA-256. Two of a billion URLs share one with a
/// probability of less than 1 in 10^20.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) [u8; 16]);

impl Key {
    /// The key of a URL. What stands behind a `#` never reaches a host, and does not count.
    pub(crate) fn of(url: &str) -> Self {
        let url = url.trim();
        let url = url.split('#').next().unwrap_or(url);
        let hash: [u8; 32] = Sha256::digest(url.as_bytes()).into();
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        Self(key)
    }
}

/// What a person may see of a URL or a path: no query, no user and no password.
#[must_use]
pub fn shown(url: &str) -> String {
    let shown = match Url::parse(url.trim()) {
        Ok(mut parsed) => {
            parsed.set_query(None);
            parsed.set_fragment(None);
            let (_, _) = (parsed.set_username(""), parsed.set_password(None));
            parsed.into()
        }
        Err(_) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
    };
    // Telegram's hosts have the token of a bot in the path.
    let part = |part: &str| match part.starts_with("bot") && part.contains(':') {
        true => "bot…".to_owned(),
        false => part.to_owned(),
    };
    let shown = shown.split('/').map(part).collect::<Vec<_>>().join("/");
    match shown.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_anybody_fetch_a_file_is_not_shown() {
        for (url, expected) in [
            (
                "https://me:hunter2@host/a/b.png?t=xoxe-1#top",
                "https://host/a/b.png",
            ),
            (
                "https://host:8443/a?X-Amz-Signature=hunter2",
                "https://host:8443/a",
            ),
            (
                "https://api.telegram.org/file/bot12:hunter2/a.jpg",
                "https://api.telegram.org/file/bot…/a.jpg",
            ),
            ("photos/a b.jpg?hunter2", "photos/a b.jpg"),
            ("https://[hunter2/a?hunter2", "https://[hunter2/a"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn a_key_is_of_the_query_and_not_of_what_stays_in_the_browser() {
        assert_eq!(
            Key::of("https://host/a?b#c"),
            Key::of(" https://host/a?b#d ")
        );
        assert_ne!(Key::of("https://host/a?b"), Key::of("https://host/a?c"));
    }
}
