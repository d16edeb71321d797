//! Something wrong in a pipeline file, and where.

use std::ops::Range;

/// A range of bytes in the text of the pipeline file.
pub type Span = Range<usize>;

/// Whether a mistake stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The pipeline cannot run.
    Error,
    /// The pipeline can run; the person should know.
    Warning,
}

/// Something wrong in a pipeline file: what it is, where it stands and what would be right.
///
/// The message is a lower-case fragment without a full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// A stable name, such as `pipeline::unknown-key`.
    pub code: &'static str,
    /// Whether it stands in the way.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// Where it stands; `None` when something is missing from the whole file, or when the value
    /// was not written in the file.
    pub at: Option<Span>,
    /// What is shown under the underlined place.
    pub label: String,
    /// What would be right, if there is something to say.
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake that stands in the way.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>, at: Option<Span>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            at,
            label: "here".into(),
            help: None,
        }
    }

    /// A mistake that the pipeline can run with.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>, at: Option<Span>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message, at)
        }
    }

    /// The same with this label under the underlined place.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The same with this advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with this advice, if there is any.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }
}
