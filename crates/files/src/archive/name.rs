//! What the files in an archive are called.
//!
//! A name never leads out of its archive. Nothing is ever written where a name says, but it is
//! shown, matched, and may become a column.

/// The path within the archive that a stored name stands for: without a drive, without a slash at
/// its beginning, and without `.` and `..`, which end at the archive's own root. `None` when
/// nothing is left, or the name ends as folders' do, or it belongs to what macOS adds.
pub(super) fn within(stored: &str) -> Option<String> {
    let last = stored.rsplit('/').next().unwrap_or_default();
    if ["", ".", ".."].contains(&last) {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in stored.split('/') {
        // A drive can stand where a path begins, and so before what is left of it.
        let segment = match kept.is_empty() {
            true => without_drives(segment),
            false => segment,
        };
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let is_ours = kept.first().is_some_and(|first| *first != "__MACOSX");
    is_ours.then(|| kept.join("/"))
}

fn without_drives(mut segment: &str) -> &str {
    while let [letter, b':', ..] = segment.as_bytes()
        && letter.is_ascii_alphabetic()
    {
        segment = &segment[2..];
    }
    segment
}

/// The text of a stored name. What is not UTF-8 keeps what is readable of it.
pub(super) fn text(stored: &[u8]) -> String {
    String::from_utf8_lossy(stored).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_stays_within_its_archive() {
        let cases = [
            ("a/b.json", Some("a/b.json")),
            ("./a/./b.json", Some("a/b.json")),
            ("a//b.json", Some("a/b.json")),
            ("/etc/passwd", Some("etc/passwd")),
            ("//server/share/a", Some("server/share/a")),
            ("../../etc/passwd", Some("etc/passwd")),
            ("a/../../b", Some("b")),
            ("C:/a.json", Some("a.json")),
            ("c:a.json", Some("a.json")),
            ("a/..", None),
            ("a/", None),
            ("..", None),
            ("", None),
            ("__MACOSX/a/._b.json", None),
        ];
        for (stored, name) in cases {
            assert_eq!(within(stored).as_deref(), name, "{stored}");
        }
    }

    proptest! {
        #[test]
        fn no_name_leads_out(stored in "[./a-cC:\\\\]{0,24}") {
            if let Some(name) = within(&stored) {
                prop_assert!(!name.is_empty() && !name.starts_with('/') && !name.ends_with('/'));
                prop_assert!(name.split('/').all(|segment| !["", ".", ".."].contains(&segment)));
                prop_assert_eq!(within(&name), Some(name));
            }
        }
    }
}
