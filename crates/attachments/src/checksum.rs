//! What a host says of the contents that it sends, and whether they came so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderMap;

/// What the contents must hash to, as far as the host says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Checksums {
    pub(crate) sha256: Option<Vec<u8>>,
    pub(crate) md5: Option<Vec<u8>>,
}

impl Checksums {
    /// What the headers say: `Content-Digest` and `Repr-Digest` (RFC 9530), `Digest` (RFC 3230),
    /// `Content-MD5` (RFC 1864), and what Google's stores say. An `ETag` may be anything.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut sums = Self::default();
        let said = |name: &str| {
            let values = headers.get_all(name).into_iter();
            let texts = values.filter_map(|value| value.to_str().ok());
            texts.map(str::to_owned).collect::<Vec<_>>()
        };
        for name in ["content-digest", "repr-digest", "digest", "x-goog-hash"] {
            for value in said(name) {
                for part in value.split(',') {
                    let Some((algorithm, hash)) = part.trim().split_once('=') else {
                        continue;
                    };
                    sums.note(algorithm, hash.trim_matches(':'));
                }
            }
        }
        for value in said("content-md5") {
            sums.note("md5", value.trim());
        }
        sums
    }

    fn note(&mut self, algorithm: &str, hash: &str) {
        let (place, length) = match algorithm.to_ascii_lowercase().as_str() {
            "sha-256" => (&mut self.sha256, 32),
            "md5" => (&mut self.md5, 16),
            _ => return,
        };
        if let Ok(hash) = STANDARD.decode(hash)
            && hash.len() == length
        {
            *place = Some(hash);
        }
    }

    /// Whether contents with these hashes are what was said.
    pub(crate) fn fit(&self, sha256: &[u8; 32], md5: Option<&[u8; 16]>) -> bool {
        let fits = |said: &Option<Vec<u8>>, is: Option<&[u8]>| match (said, is) {
            (Some(said), Some(is)) => said == is,
            _ => true,
        };
        fits(&self.sha256, Some(sha256)) && fits(&self.md5, md5.map(<[u8; 16]>::as_slice))
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn said(name: &'static str, value: &'static str) -> Checksums {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        Checksums::of(&headers)
    }

    #[test]
    fn every_way_to_say_a_checksum_is_understood() {
        // Of "hello".
        let (md5, sha) = (
            "XUFAKrxLKna5cZ2REBfFkg==",
            "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        );
        let (md5, sha) = (
            STANDARD.decode(md5).expect("text"),
            STANDARD.decode(sha).expect("text"),
        );
        assert_eq!(
            said("content-md5", "XUFAKrxLKna5cZ2REBfFkg==").md5,
            Some(md5.clone())
        );
        assert_eq!(
            said(
                "x-goog-hash",
                "crc32c=mnG7TA==, md5=XUFAKrxLKna5cZ2REBfFkg=="
            )
            .md5,
            Some(md5)
        );
        for (name, value) in [
            (
                "digest",
                "SHA-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
            ),
            (
                "content-digest",
                "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
            ),
        ] {
            assert_eq!(said(name, value).sha256, Some(sha.clone()), "{name}");
        }
        assert_eq!(
            said("etag", "\"5d41402abc4b2a76b9719d911017c592\""),
            Checksums::default()
        );
        assert_eq!(said("content-md5", "nonsense"), Checksums::default());
    }
}
