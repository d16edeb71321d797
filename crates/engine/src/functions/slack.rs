//! Slack's message text as plain text with CometChat's mentions.

use super::id::cometchat_id;
use super::{Definition, map_text, one_text, text};

pub(super) const SLACK_TEXT: Definition = Definition {
    name: "slack_text",
    usage: "slack_text(text)",
    about: "Slack's markup as plain text: mentions of users become CometChat's `<@uid:...>`, \
            channels #name, links their address (after their label, if they have one), and the \
            escapes `&amp;` `&lt;` `&gt;` the characters they stand for.",
    example: (
        "slack_text('hi <@U1> &amp; <!here>')",
        "hi <@uid:u1_22k> & @here",
    ),
    takes: one_text,
    gives: text,
    call: |columns| map_text(columns, |text| Ok(slack_text(text))),
};

/// Slack's markup as plain text with CometChat's mentions.
///
/// The forms are those of Slack's "Formatting text for app surfaces": `<@user>`, `<#channel|name>`,
/// `<!special|label>`, `<link|label>`, and three escapes. What is none of them stays as it is.
#[must_use]
pub fn slack_text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let (before, from_bracket) = rest.split_at(start);
        unescape(before, &mut plain);
        match from_bracket.find('>') {
            Some(end) if !from_bracket[1..end].contains('<') => {
                reference(&from_bracket[1..end], &mut plain);
                rest = &from_bracket[end + 1..];
            }
            _ => {
                plain.push('<');
                rest = &from_bracket[1..];
            }
        }
    }
    unescape(rest, &mut plain);
    plain
}

/// Writes what stands between angle brackets.
fn reference(inside: &str, plain: &mut String) {
    let (target, label) = match inside.split_once('|') {
        Some((target, label)) if !label.is_empty() => (target, Some(label)),
        Some((target, _)) => (target, None),
        None => (inside, None),
    };
    let mut chars = target.chars();
    match chars.next() {
        Some('@') => {
            plain.push_str("<@uid:");
            plain.push_str(&cometchat_id(chars.as_str()));
            plain.push('>');
        }
        Some('#') => prefixed('#', label.unwrap_or(chars.as_str()), plain),
        Some('!') => special(chars.as_str(), label, plain),
        Some(_) => link(target, label, plain),
        None => {
            plain.push('<');
            unescape(inside, plain);
            plain.push('>');
        }
    }
}

/// Writes `<!here>`, `<!subteam^S1|@team>`, `<!date^1^{date}|today>`.
fn special(name: &str, label: Option<&str>, plain: &mut String) {
    match (name.split_once('^'), label) {
        (Some(("date", _)), Some(label)) => unescape(label, plain),
        (Some((_, id)), label) => prefixed('@', label.unwrap_or(id), plain),
        (None, _) => prefixed('@', name, plain),
    }
}

/// Writes a link as its address, after its label where that says something of its own.
fn link(address: &str, label: Option<&str>, plain: &mut String) {
    let bare = address
        .strip_prefix("mailto:")
        .or_else(|| address.strip_prefix("tel:"));
    let short = bare
        .or_else(|| address.split_once("://").map(|(_, rest)| rest))
        .unwrap_or(address);
    match label {
        Some(label)
            if label != address && label != short && label != short.trim_end_matches('/') =>
        {
            unescape(label, plain);
            plain.push_str(" (");
            unescape(address, plain);
            plain.push(')');
        }
        _ => unescape(bare.unwrap_or(address), plain),
    }
}

fn prefixed(sign: char, name: &str, plain: &mut String) {
    plain.push(sign);
    unescape(name.trim_start_matches(sign), plain);
}

/// Writes text with Slack's three escapes undone, each once.
fn unescape(text: &str, plain: &mut String) {
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let known = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];
        let found = known
            .into_iter()
            .find(|(escape, _)| rest.starts_with(escape));
        let (escape, character) = found.unwrap_or(("&", '&'));
        plain.push(character);
        rest = &rest[escape.len()..];
    }
    plain.push_str(rest);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn slacks_documented_forms_become_plain_text() {
        for (slack, plain) in [
            ("hello", "hello"),
            ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
            ("&amp;lt;", "&lt;"),
            ("AT&T & co", "AT&T & co"),
            ("hi <@u012>!", "hi <@uid:u012>!"),
            ("<@u012|bob> left", "<@uid:u012> left"),
            ("see <#C024BE7LR|general>", "see #general"),
            ("see <#C024BE7LR>", "see #C024BE7LR"),
            (
                "<!here> <!channel|channel> <!everyone>",
                "@here @channel @everyone",
            ),
            ("<!subteam^SAZ94GDB8|@team>", "@team"),
            ("<!date^1392734382^{date}|18 Feb 2014>", "18 Feb 2014"),
            ("<https://example.org>", "https://example.org"),
            ("<https://example.org/|example.org>", "https://example.org/"),
            (
                "<https://example.org|the site>",
                "the site (https://example.org)",
            ),
            (
                "<https://example.org?a=1&amp;b=2>",
                "https://example.org?a=1&b=2",
            ),
            ("<mailto:a@example.org|a@example.org>", "a@example.org"),
            ("1 < 2", "1 < 2"),
            ("<<a", "<<a"),
            ("<>", "<>"),
        ] {
            assert_eq!(slack_text(slack), plain, "{slack}");
        }
        assert!(slack_text("hi <@U012AB3CD>").starts_with("hi <@uid:u012ab3cd_"));
    }

    proptest! {
        /// What people wrote between the markup is there, in its order, whatever the markup is.
        #[test]
        fn nothing_but_markup_is_lost(parts in prop::collection::vec(("[^<>&]{0,12}", "(?s).{0,20}"), 0..8)) {
            let slack: String = parts.iter().map(|(word, inside)| format!("{word}<{inside}>")).collect();
            let plain = slack_text(&slack);
            let mut rest = plain.as_str();
            for (word, _) in &parts {
                let at = rest.find(word.as_str());
                prop_assert!(at.is_some(), "{word:?} of {slack:?} is not in {plain:?}");
                rest = &rest[at.unwrap_or_default() + word.len()..];
            }
        }

        /// Markup that is cut off, nested or doubled is text: the characters are all there.
        #[test]
        fn what_is_never_closed_stays(text in "[<&ampltg;#@!|^x ]{0,40}") {
            let escapes = ["&lt;", "&gt;", "&amp;"];
            prop_assume!(!escapes.iter().any(|escape| text.contains(escape)));
            prop_assert_eq!(slack_text(&text), text);
        }

        #[test]
        fn text_without_markup_is_kept(text in "[^<&]*") {
            assert_eq!(slack_text(&text), text);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "[<>|@#!&;a-zé ^:/]{0,40}") {
            let _ = slack_text(&text);
        }
    }
}
