//! What a copy is called: by its contents, so that the same contents lie there once.

use std::fmt::Write;

use url::Url;

/// Characters that an ending has at most.
const LONGEST: usize = 10;

/// Characters that an ending has at most which is made of a media type.
const OF_TYPE: usize = 4;

/// The name of contents with that SHA-256: `ab/abcdef….png`.
pub(crate) fn of(sha256: &[u8; 32], ending: &str) -> String {
    let mut name = String::with_capacity(80);
    let _ = write!(name, "{:02x}/", sha256[0]);
    for byte in sha256 {
        let _ = write!(name, "{byte:02x}");
    }
    if !ending.is_empty() {
        name.push('.');
        name.push_str(ending);
    }
    name
}

/// The ending that a copy gets, without the dot: the one that the record declares, or that of the
/// declared name or of the URL, or one that fits the media type. Empty when nobody knows.
pub(crate) fn ending(
    extension: Option<&str>,
    name: Option<&str>,
    url: &str,
    media_type: Option<&str>,
) -> String {
    let of_name = |name: &str| {
        let (stem, ending) = name.rsplit_once('.')?;
        (!stem.is_empty()).then(|| sound(ending)).flatten()
    };
    let of_url = || {
        let path = match Url::parse(url) {
            Ok(url) => url.path().to_owned(),
            Err(_) => url.split(['?', '#']).next()?.to_owned(),
        };
        of_name(path.rsplit('/').next()?)
    };
    let of_type = || {
        let media_type = media_type?.split(';').next()?.trim().to_ascii_lowercase();
        let usual = match media_type.as_str() {
            "image/jpeg" => "jpg",
            "image/svg+xml" => "svg",
            "video/quicktime" => "mov",
            "audio/mpeg" => "mp3",
            "text/plain" => "txt",
            // Most of the others are called as their files end: png, gif, webp, pdf, mp4, ogg.
            other => other.split_once('/')?.1.trim_start_matches("x-"),
        };
        sound(usual).filter(|ending| ending.len() <= OF_TYPE)
    };
    let declared = extension.and_then(|it| sound(it.trim_start_matches('.')));
    declared
        .or_else(|| name.and_then(of_name))
        .or_else(of_url)
        .or_else(of_type)
        .unwrap_or_default()
}

/// An ending as it may stand in a name, if it may.
fn sound(ending: &str) -> Option<String> {
    let ending = ending.trim().to_ascii_lowercase();
    let is_sound = !ending.is_empty()
        && ending.len() <= LONGEST
        && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_sound.then_some(ending)
}

/// The media type that a copy is served as: the declared one, unless that says nothing.
pub(crate) fn media_type(
    declared: Option<&str>,
    answered: Option<&str>,
    ending: &str,
) -> Option<String> {
    let says = |it: Option<&str>| {
        let it = it?.trim();
        let essence = it.split(';').next()?.trim().to_ascii_lowercase();
        let is_sound = essence.contains('/') && it.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        let says_nothing = essence == "application/octet-stream" || essence.ends_with("/*");
        (is_sound && !says_nothing).then(|| it.to_owned())
    };
    let guessed = || {
        let guess = mime_guess::from_ext(ending).first_raw();
        guess.map(str::to_owned)
    };
    says(declared).or_else(|| says(answered)).or_else(guessed)
}

/// Whether a browser would run what is in it, in the name of whoever serves it.
pub(crate) fn is_active(media_type: Option<&str>, ending: &str) -> bool {
    let essence = media_type.unwrap_or_default().to_ascii_lowercase();
    ["html", "svg", "xml", "javascript", "ecmascript", "flash"]
        .iter()
        .any(|word| essence.contains(word))
        || [
            "html", "htm", "xhtml", "shtml", "svg", "svgz", "xml", "js", "mjs", "swf", "mht",
            "mhtml",
        ]
        .contains(&ending)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::*;

    #[test]
    fn an_ending_is_what_is_declared_or_what_can_be_told() {
        let url = "https://host/a/photo.JPEG?x=y.exe";
        assert_eq!(ending(Some(".PNG"), Some("a.gif"), url, None), "png");
        assert_eq!(ending(None, Some("a.tar.gz"), url, None), "gz");
        assert_eq!(ending(None, Some(".hidden"), url, None), "jpeg");
        assert_eq!(
            ending(None, None, "https://host/a/photo", Some("image/jpeg; q=1")),
            "jpg"
        );
        assert_eq!(
            ending(None, None, "https://host/a/photo", Some("image/webp")),
            "webp"
        );
        assert_eq!(
            ending(
                None,
                None,
                "photos/a.b/photo",
                Some("application/octet-stream")
            ),
            ""
        );
        assert_eq!(ending(Some("a/../b"), None, "x", None), "");
    }

    #[test]
    fn a_copy_is_served_as_what_it_is_declared() {
        let of = media_type;
        assert_eq!(
            of(Some("image/png"), Some("text/plain"), "jpg").as_deref(),
            Some("image/png")
        );
        assert_eq!(
            of(Some("application/octet-stream"), Some("image/gif"), "").as_deref(),
            Some("image/gif")
        );
        assert_eq!(of(None, None, "mp4").as_deref(), Some("video/mp4"));
        assert_eq!(of(Some("image/png\r\nx: y"), None, ""), None);
        assert!(is_active(Some("image/svg+xml"), ""));
        assert!(is_active(None, "html"));
        assert!(!is_active(Some("image/png"), "png"));
    }

    proptest! {
        #[test]
        fn a_name_never_leads_anywhere_else(extension in any::<String>(), name in any::<String>(), url in any::<String>()) {
            let ending = ending(Some(&extension), Some(&name), &url, None);
            let name = of(&[0xab; 32], &ending);
            prop_assert!(name.starts_with("ab/abab"));
            prop_assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./".contains(&byte)));
            prop_assert!(name.matches('/').count() == 1 && !name.contains(".."));
        }
    }
}
