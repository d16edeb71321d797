//! JSON as a person reads it: a line for each value, in colours where they are wanted.

/// What colours the parts of a text.
#[derive(Clone, Copy, Debug)]
pub struct Colors {
    name: &'static str,
    text: &'static str,
    number: &'static str,
    word: &'static str,
    end: &'static str,
}

impl Colors {
    /// Colours, or none.
    #[must_use]
    pub const fn new(wanted: bool) -> Self {
        if wanted {
            Self {
                name: "\u{1b}[36m",
                text: "\u{1b}[32m",
                number: "\u{1b}[33m",
                word: "\u{1b}[35m",
                end: "\u{1b}[0m",
            }
        } else {
            Self {
                name: "",
                text: "",
                number: "",
                word: "",
                end: "",
            }
        }
    }
}

/// The same JSON with a line for each value. Nothing but space between values, and colours, are
/// added.
#[must_use]
pub fn json(json: &str, colors: Colors) -> String {
    let mut text = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut rest = json.trim_start();
    while let Some(first) = rest.chars().next() {
        let (part, after) = rest.split_at(length(rest));
        let after = after.trim_start();
        match first {
            '{' | '[' => {
                text.push(first);
                if after.starts_with(['}', ']']) {
                    text.push_str(&after[..1]);
                    rest = after[1..].trim_start();
                    continue;
                }
                depth += 1;
                new_line(&mut text, depth);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                new_line(&mut text, depth);
                text.push(first);
            }
            ',' => {
                text.push(first);
                new_line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            _ => {
                let color = match first {
                    '"' if after.starts_with(':') => colors.name,
                    '"' => colors.text,
                    '-' | '0'..='9' => colors.number,
                    _ => colors.word,
                };
                text.extend([color, part, colors.end]);
            }
        }
        rest = after;
    }
    text
}

/// How many bytes the sign, the text, the number or the word has that stands first.
fn length(json: &str) -> usize {
    let bytes = json.as_bytes();
    match bytes[0] {
        b'"' => {
            let mut end = 1;
            while end < bytes.len() && bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            (end + 1).min(bytes.len())
        }
        b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
        _ => {
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"{}[],:\"".contains(byte);
            bytes.iter().position(is_end).unwrap_or(bytes.len())
        }
    }
}

fn new_line(text: &mut String, depth: usize) {
    text.push('\n');
    text.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"a":{"b":[1,{"c":"x, \"{y}\" \\"}],"d":{},"e":[ ]},"é":[-1.5e3,null]}"#;

    #[test]
    fn json_is_laid_out_and_otherwise_untouched() {
        let shown = json(JSON, Colors::new(false));
        assert!(shown.starts_with("{\n  \"a\": {\n    \"b\": [\n      1,\n      {"));
        let (before, after): (serde_json::Value, serde_json::Value) = (
            serde_json::from_str(JSON).expect("it is JSON"),
            serde_json::from_str(&shown).expect("it still is"),
        );
        assert_eq!(before, after);
    }

    #[test]
    fn colours_are_all_that_is_added() {
        let colored = json(JSON, Colors::new(true));
        assert!(colored.contains("\u{1b}[36m\"a\"\u{1b}[0m: {"));
        assert!(colored.contains("\u{1b}[33m-1.5e3\u{1b}[0m"));
        assert!(colored.contains("\u{1b}[35mnull\u{1b}[0m"));
        assert_eq!(
            console::strip_ansi_codes(&colored),
            json(JSON, Colors::new(false))
        );
    }
}
