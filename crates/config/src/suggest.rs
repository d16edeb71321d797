//! What a person may have meant by a word that is not there.

/// Words longer than this are not typing mistakes, and comparing them takes long.
const LONGEST: usize = 80;

/// The word that was probably meant, if one is near enough.
///
/// Case, `_` and `-` are not counted, so that `receiver_type` finds `receiverType`.
#[must_use]
pub fn closest<'w>(word: &str, among: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    if word.len() > LONGEST {
        return None;
    }
    let meant = plain(word);
    let allowed = (meant.chars().count() / 3).clamp(1, 3);
    among
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&meant, &plain(candidate)),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `postgres`?", if a word is near enough.
#[must_use]
pub fn did_you_mean<'w>(word: &str, among: impl IntoIterator<Item = &'w str>) -> Option<String> {
    closest(word, among).map(|meant| format!("did you mean `{meant}`?"))
}

/// Words in backticks with commas and a last "and": "`a`, `b` and `c`".
#[must_use]
pub fn list<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word.as_ref())).collect();
    match words.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A word of the file in backticks: no longer than fits a line, and without control characters.
#[must_use]
pub fn quoted(word: &str) -> String {
    const SHOWN: usize = 48;
    let mut shown: String = word
        .chars()
        .take(SHOWN)
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect();
    if word.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

fn plain(word: &str) -> String {
    word.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_finds_its_word() {
        let words = ["users", "groups", "members", "messages"];
        assert_eq!(closest("user", words), Some("users"));
        assert_eq!(closest("mesages", words), Some("messages"));
        assert_eq!(closest("MEMBERS", words), Some("members"));
        assert_eq!(closest("channels", words), None);
        assert_eq!(closest("", words), None);
    }

    #[test]
    fn another_way_to_write_two_words_finds_them() {
        assert_eq!(
            closest("receiver_type", ["receiver", "receiverType"]),
            Some("receiverType")
        );
        assert_eq!(closest("appId", ["app_id", "api_key"]), Some("app_id"));
    }

    #[test]
    fn a_word_of_a_megabyte_takes_no_time() {
        assert_eq!(closest(&"a".repeat(1 << 20), ["a"]), None);
    }
}
