//! What a person sees: results on standard output, talk on standard error.

use std::io::{IsTerminal, Write};

use chatferry_report::words::WIDEST;
pub use chatferry_report::words::{indented, wrapped};

use crate::args::{Color, Format, Shared};
use crate::trouble::Trouble;

/// Where results and talk go, and how they may look.
#[derive(Clone, Copy, Debug)]
pub struct Terminal {
    format: Format,
    quiet: bool,
    color: Color,
    results_on_terminal: bool,
    talk_on_terminal: bool,
    no_color: bool,
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
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
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
        self.talk_on_terminal && !self.quiet
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
            Color::Auto => on_terminal && !self.no_color,
        }
    }

    /// Columns to use for talk.
    #[must_use]
    pub fn width(&self) -> usize {
        match console::Term::stderr().size_checked() {
            Some((_, columns)) if self.talk_on_terminal => usize::from(columns).clamp(40, WIDEST),
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
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Writes a result in the title style, where it may be coloured.
    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        if self.may_color(self.results_on_terminal) {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Says something, unless it should be quiet.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            let mut err = std::io::stderr().lock();
            let _ = writeln!(err, "{text}");
        }
    }

    /// Says what is wrong with a pipeline file; also when it should be quiet.
    pub fn complain(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{}", text.trim_end());
    }

    /// Says what ended the program.
    pub fn trouble(&self, trouble: &Trouble) {
        if trouble.message.is_empty() {
            return;
        }
        let (red, cyan, plain) = if self.color_of_talk() {
            ("\u{1b}[1;31m", "\u{1b}[36m", "\u{1b}[0m")
        } else {
            ("", "", "")
        };
        let mut text = paragraph(&format!("{red}error:{plain}"), &trouble.message);
        if let Some(help) = &trouble.help {
            text.push('\n');
            text.push_str(&paragraph(&format!(" {cyan}help:{plain}"), help));
        }
        self.complain(&text);
    }
}

/// A title and what follows it, in lines that fit on a page and stand below each other.
fn paragraph(title: &str, text: &str) -> String {
    format!("{title} {}", wrapped(text, WIDEST - 7).join("\n       "))
}
