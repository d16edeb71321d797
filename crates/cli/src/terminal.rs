//! What a person sees: results on standard output, talk on standard error.

use std::io::{IsTerminal, Write};
use std::path::Path;

use chatferry_report::words::WIDEST;
pub use chatferry_report::words::{indented, wrapped};
use chrono::{SecondsFormat, Utc};
use serde_json::{Value, json};

use crate::args::{Color, Format, LogFormat, Shared};
use crate::trouble::Trouble;

/// Columns that are used where there are fewer.
const NARROWEST: usize = 40;

/// Where results and talk go, and how they may look.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    format: Format,
    quiet: bool,
    color: Color,
    results_on_terminal: bool,
    talk_on_terminal: bool,
    no_color: bool,
    /// Whether talk is for programs.
    json_talk: bool,
    /// Whether results are talk, too: standard output is for something else.
    results_are_talk: bool,
}

impl Terminal {
    /// As the arguments and the environment say.
    #[must_use]
    pub fn new(shared: &Shared) -> Self {
        Self {
            format: shared.format,
            quiet: shared.quiet,
            color: shared.color,
            results_on_terminal: std::io::stdout().is_terminal(),
            talk_on_terminal: std::io::stderr().is_terminal(),
            json_talk: shared.log_format == LogFormat::Json,
            results_are_talk: false,
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }

    /// The same with its results on standard error, since standard output is for something else.
    #[must_use]
    pub const fn talking(self) -> Self {
        Self {
            results_on_terminal: self.talk_on_terminal,
            results_are_talk: true,
            ..self
        }
    }

    /// Whether results are for programs.
    #[must_use]
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether talk may move and redraw.
    #[must_use]
    pub const fn is_live(&self) -> bool {
        self.talk_on_terminal && !self.quiet && !self.json_talk
    }

    /// Whether talk is for programs: one JSON object a line.
    #[must_use]
    pub const fn json_talk(&self) -> bool {
        self.json_talk
    }

    /// Whether nothing but results and errors is wanted.
    #[must_use]
    pub const fn quiet(&self) -> bool {
        self.quiet
    }

    /// Whether talk may be coloured.
    #[must_use]
    pub fn color_of_talk(&self) -> bool {
        self.may_color(self.talk_on_terminal)
    }

    fn may_color(&self, on_terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => on_terminal && !self.no_color && !self.json_talk,
        }
    }

    /// Columns to use for talk.
    #[must_use]
    pub fn width(&self) -> usize {
        match console::Term::stderr().size_checked() {
            Some((_, columns)) if self.talk_on_terminal => {
                usize::from(columns).clamp(NARROWEST, WIDEST)
            }
            _ => WIDEST,
        }
    }

    /// Whether lines may be drawn with Unicode.
    #[must_use]
    pub fn unicode(&self) -> bool {
        let language = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(std::env::var_os);
        !matches!(language, Some(language) if language == "C" || language == "POSIX")
            || cfg!(windows)
    }

    /// Writes a result.
    ///
    /// A reader that has gone away, such as `head`, is no error.
    pub fn result(&self, text: &str) {
        if self.results_are_talk {
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
            return;
        }
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes a result that people read, in lines that fit where it is shown.
    pub fn told(&self, text: &str) {
        match self.width_of_results() {
            WIDEST => self.result(text),
            width => self.result(&folded(text, width)),
        }
    }

    /// Whether results may be coloured.
    #[must_use]
    pub fn color_of_results(&self) -> bool {
        self.may_color(self.results_on_terminal)
    }

    /// Columns to use for results.
    #[must_use]
    pub fn width_of_results(&self) -> usize {
        let term = match self.results_are_talk {
            true => console::Term::stderr(),
            false => console::Term::stdout(),
        };
        match term.size_checked() {
            Some((_, columns)) if self.results_on_terminal => {
                usize::from(columns).clamp(NARROWEST, WIDEST)
            }
            _ => WIDEST,
        }
    }

    /// Text of a result in the title style, where it may be coloured.
    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        styled(text, "1", self.color_of_results())
    }

    /// Text of a result in the style of warnings, where it may be coloured.
    #[must_use]
    pub fn yellow(&self, text: &str) -> String {
        styled(text, "33", self.color_of_results())
    }

    /// Text of talk in the title style, where it may be coloured.
    #[must_use]
    pub fn bold_talk(&self, text: &str) -> String {
        styled(text, "1", self.color_of_talk())
    }

    /// Takes away what was shown, where results go to a terminal.
    pub fn clear(&self) {
        if self.results_on_terminal && !self.json() {
            // A terminal that cannot be cleared is written on below what stands there.
            let _ = console::Term::stdout().clear_screen();
        }
    }

    /// Says something, unless it should be quiet.
    pub fn say(&self, text: &str) {
        self.log(json!({ "event": "message", "message": text }), text);
    }

    /// Says something, for programs as this object with its time, unless it should be quiet.
    pub fn log(&self, mut object: Value, text: &str) {
        if self.quiet {
            return;
        }
        if self.json_talk {
            object["time"] = now().into();
        }
        let mut err = std::io::stderr().lock();
        let _ = match self.json_talk {
            true => writeln!(err, "{object}"),
            false => writeln!(err, "{text}"),
        };
    }

    /// Says what to type next, about this pipeline.
    pub fn next(&self, command: &str, pipeline: &Path) {
        let pipeline = pipeline.display().to_string();
        let pipeline = match pipeline.contains(char::is_whitespace) {
            true => format!("'{pipeline}'"),
            false => pipeline,
        };
        self.say(&format!("next: chatferry {command} {pipeline}"));
    }

    /// Says what is wrong with a pipeline file; also when it should be quiet.
    pub fn complain(&self, text: &str) {
        let text = text.trim_end();
        let mut err = std::io::stderr().lock();
        let _ = match self.json_talk {
            true => {
                let object = json!({ "event": "complaint", "message": text, "time": now() });
                writeln!(err, "{object}")
            }
            false => writeln!(err, "{text}"),
        };
    }

    /// Says what ended the program.
    pub fn trouble(&self, trouble: &Trouble) {
        if trouble.message.is_empty() {
            return;
        }
        if self.json_talk {
            let object = json!({ "event": "error", "message": trouble.message, "help": trouble.help,
                                 "exit": trouble.exit.code(), "time": now() });
            let mut err = std::io::stderr().lock();
            let _ = writeln!(err, "{object}");
            return;
        }
        let (red, cyan, plain) = if self.color_of_talk() {
            ("\u{1b}[1;31m", "\u{1b}[36m", "\u{1b}[0m")
        } else {
            ("", "", "")
        };
        let width = self.width();
        let mut text = paragraph(&format!("{red}error:{plain}"), &trouble.message, width);
        if let Some(help) = &trouble.help {
            text.push('\n');
            text.push_str(&paragraph(&format!(" {cyan}help:{plain}"), help, width));
        }
        self.complain(&text);
    }
}

fn styled(text: &str, style: &str, may: bool) -> String {
    match may {
        true => format!("\u{1b}[{style}m{text}\u{1b}[0m"),
        false => text.to_owned(),
    }
}

/// The time, as logs have it.
fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A title and what follows it, in lines that fit on a page and stand below each other. Each item
/// of a list begins a line of its own.
fn paragraph(title: &str, text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for (place, item) in text.split("\n- ").enumerate() {
        let mark = if place == 0 { "" } else { "- " };
        let rest = " ".repeat(mark.len());
        let wrapped = wrapped(item, width - 7 - mark.len())
            .into_iter()
            .enumerate();
        lines.extend(wrapped.map(|(line, text)| match line {
            0 => format!("{mark}{text}"),
            _ => format!("{rest}{text}"),
        }));
    }
    format!("{title} {}", lines.join("\n       "))
}

/// Text whose lines have at most so many columns: what is beyond goes on in the next line, two
/// columns further in than its line began.
fn folded(text: &str, width: usize) -> String {
    let mut folded = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        if console::measure_text_width(bare) <= width {
            folded.push_str(line);
            continue;
        }
        let begins = bare.len() - bare.trim_start().len();
        let further = (begins + 2).min(width / 2);
        folded.push_str(&bare[..begins]);
        let (mut column, mut is_first) = (begins, true);
        for word in bare[begins..].split(' ') {
            let length = console::measure_text_width(word);
            let space = usize::from(!is_first);
            if column + space + length > width && !is_first {
                folded.truncate(folded.trim_end_matches(' ').len());
                folded.push('\n');
                folded.push_str(&" ".repeat(further));
                column = further;
            } else if !is_first {
                folded.push(' ');
                column += 1;
            }
            folded.push_str(word);
            column += length;
            is_first = false;
        }
        folded.push_str(&line[bare.len()..]);
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_too_long_go_on_further_in_and_others_are_as_they_were() {
        let text =
            "title\n  a  b\n  one two three four five\n\u{1b}[1mbold and long enough\u{1b}[0m\n";
        assert_eq!(
            folded(text, 16),
            "title\n  a  b\n  one two three\n    four five\n\u{1b}[1mbold and long\n  enough\u{1b}[0m\n"
        );
        assert_eq!(folded("a b", 40), "a b");
    }

    #[test]
    fn each_item_of_a_list_begins_a_line() {
        let text = "it has changed:\n- one thing and\n  more\n- another";
        assert_eq!(
            paragraph("error:", text, 24),
            "error: it has changed:\n       - one thing and\n         more\n       - another"
        );
    }
}
