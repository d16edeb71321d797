//! Mistakes as a person sees them: underlined, each with what would be right.

use std::error::Error;
use std::fmt;

use chatferry_core::{Mistake, Severity};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, ThemeCharacters, ThemeStyles,
};

use crate::excerpt::Excerpt;

/// One mistake with the line of the file in which it stands.
#[derive(Clone, Debug)]
pub struct Report {
    mistake: Mistake,
    excerpt: Option<Excerpt>,
}

impl Report {
    /// The mistake in this file of this text, to be shown `width` columns wide.
    #[must_use]
    pub fn new(file: &str, text: &str, mistake: &Mistake, width: usize) -> Self {
        let excerpt = mistake
            .at
            .clone()
            .map(|at| Excerpt::new(file, text, &at, width));
        let mut mistake = mistake.clone();
        let overflows = excerpt
            .as_ref()
            .is_some_and(|excerpt| !excerpt.has_room_for(&mistake.label, width));
        if overflows {
            let label = std::mem::replace(&mut mistake.label, "here".into());
            mistake.help = Some(match mistake.help {
                Some(help) => format!("{label}; {help}"),
                None => label,
            });
        }
        Self { mistake, excerpt }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mistake.message)
    }
}

impl Error for Report {}

impl Diagnostic for Report {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.mistake.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.mistake.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.mistake
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        self.excerpt
            .as_ref()
            .map(|excerpt| excerpt as &dyn miette::SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let marked = self.excerpt.as_ref()?.marked();
        let label = LabeledSpan::new_with_span(Some(self.mistake.label.clone()), marked);
        Some(Box::new(std::iter::once(label)))
    }
}

/// All mistakes of a file for the terminal, in the order of the file, and how many there are.
///
/// `file` is the name to show. Lines are wrapped, and lines of the file cut, to fit into `width`
/// columns.
#[must_use]
pub fn render(
    file: &str,
    text: &str,
    mistakes: &[Mistake],
    width: usize,
    color: bool,
    unicode: bool,
) -> String {
    let mut in_order: Vec<&Mistake> = mistakes.iter().collect();
    in_order.sort_by_key(|mistake| mistake.at.as_ref().map_or(usize::MAX, |at| at.start));
    let theme = GraphicalTheme {
        characters: if unicode {
            ThemeCharacters::unicode()
        } else {
            ThemeCharacters::ascii()
        },
        styles: if color {
            ThemeStyles::ansi()
        } else {
            ThemeStyles::none()
        },
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width)
        .with_links(false)
        .with_context_lines(0)
        .without_syntax_highlighting();
    let mut out = String::new();
    for mistake in in_order {
        let report = Report::new(file, text, mistake, width);
        handler
            .render_report(&mut out, &report)
            .expect("a string takes everything");
        out.push('\n');
    }
    out.push_str(&format!("{file}: {}\n", summary(mistakes)));
    out
}

/// How many there are: "2 mistakes, 1 warning".
#[must_use]
pub fn summary(mistakes: &[Mistake]) -> String {
    let of = |severity| {
        mistakes
            .iter()
            .filter(|mistake| mistake.severity == severity)
            .count()
    };
    let count = |number: usize, one: &str| match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {one}s"),
    };
    match (of(Severity::Error), of(Severity::Warning)) {
        (0, 0) => "no mistakes".into(),
        (0, warnings) => count(warnings, "warning"),
        (errors, 0) => count(errors, "mistake"),
        (errors, warnings) => format!(
            "{}, {}",
            count(errors, "mistake"),
            count(warnings, "warning")
        ),
    }
}
