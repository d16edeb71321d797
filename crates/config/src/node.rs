//! What one value of the file says.

use std::cell::RefCell;
use std::num::NonZeroU64;
use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use chatferry_core::{Mistake, Secret, Severity, Span, Sql};

use crate::document::{Text, Value, Written};
use crate::interpolate::{self, Why, interpolate};
use crate::pipeline::Reading;
use crate::section::Section;
use crate::suggest::{self, quoted};
use crate::survey::{Survey, Takes};
use crate::units;

/// What all of one reading share.
pub(crate) struct Context<'a> {
    pub(crate) text: &'a str,
    pub(crate) reading: &'a Reading<'a>,
    pub(crate) mistakes: RefCell<Vec<Mistake>>,
    /// Who wants to know what is asked for, when there is no file.
    pub(crate) survey: Option<&'a Survey>,
}

impl Context<'_> {
    pub(crate) fn note(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// The line a byte stands in, counted from 1.
    pub(crate) fn line(&self, byte: usize) -> usize {
        1 + self.text.as_bytes()[..byte.min(self.text.len())]
            .iter()
            .filter(|b| **b == b'\n')
            .count()
    }
}

/// A setting's value, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value, with the environment put in. It may hold what a mistake must not show.
    pub value: T,
    /// Where it stands; `None` when it came from the command line.
    pub at: Option<Span>,
}

impl<T> Deref for Setting<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// What shape a value has in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// Any other number.
    Float,
    /// `true` or `false`.
    Flag,
    /// A date, a time, or both.
    Date,
    /// An array, or tables written as `[[name]]`.
    List,
    /// A table.
    Table,
    /// Something already noted as a mistake: asking for its value gives `None` and notes no more.
    Broken,
}

/// One value of the file: ask it for what it should be.
///
/// Each question gives `None`, and notes a mistake at the value, when the value is something else.
#[derive(Clone)]
pub struct Node<'a> {
    pub(crate) context: &'a Context<'a>,
    pub(crate) written: &'a Written,
    /// Where the key before the value stands, if there is one.
    pub(crate) name_at: Option<Span>,
    /// The keys that lead here, for messages: `cometchat.region`.
    pub(crate) path: String,
    /// What a variable is that is missing here.
    pub(crate) lack: Lack,
}

/// What it is when a variable is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// A mistake.
    Error,
    /// Worth a warning.
    Warning,
    /// Nothing: who needs it says so.
    Nothing,
}

impl<'a> Node<'a> {
    /// What shape it has.
    #[must_use]
    pub fn kind(&self) -> Shape {
        if let Some(survey) = self.context.survey {
            return survey.shape(self);
        }
        match &self.written.value {
            Value::Text(_) => Shape::Text,
            Value::Integer(_) => Shape::Integer,
            Value::Float(_) => Shape::Float,
            Value::Flag(_) => Shape::Flag,
            Value::Date => Shape::Date,
            Value::List(_) => Shape::List,
            Value::Table(_) => Shape::Table,
            Value::Broken => Shape::Broken,
        }
    }

    /// Where it stands: the whole of a value, the header of a table.
    #[must_use]
    pub fn at(&self) -> Option<Span> {
        self.written.at.clone()
    }

    /// Where the key stands that the value belongs to.
    #[must_use]
    pub fn name_at(&self) -> Option<Span> {
        self.name_at.clone()
    }

    /// Notes a mistake.
    pub fn mistake(&self, mistake: Mistake) {
        self.context.note(mistake);
    }

    /// Text.
    #[must_use]
    pub fn text(&self) -> Option<Setting<String>> {
        self.asked(|| Takes::Text)?;
        match &self.written.value {
            Value::Text(text) => Some(self.setting(self.filled(text)?.0)),
            Value::Integer(_) | Value::Float(_) | Value::Flag(_) => self.refused(
                "text",
                "without quotes this is no text",
                Some("put it in quotes".into()),
            ),
            _ => self.wrong("text in quotes"),
        }
    }

    /// A secret: text, or `{ file = "path" }` with a path relative to the pipeline file.
    #[must_use]
    pub fn secret(&self) -> Option<Setting<Secret>> {
        self.asked(|| Takes::Secret)?;
        match &self.written.value {
            Value::Text(text) => Some(self.setting(Secret::Value(self.filled(text)?.0))),
            Value::Table(_) => {
                let mut section = self.section()?;
                let path = section.required_text("file", "the file that holds the secret");
                Some(self.setting(Secret::File(section.resolve(&path?))))
            }
            _ => self.wrong("text in quotes, or `{ file = \"path\" }`"),
        }
    }

    /// `true` or `false`, also in quotes, so that the environment can say it.
    #[must_use]
    pub fn flag(&self) -> Option<Setting<bool>> {
        self.asked(|| Takes::Flag)?;
        const WANTED: &str = "`true` or `false`";
        match &self.written.value {
            Value::Flag(flag) => Some(self.setting(*flag)),
            Value::Text(text) => {
                self.parsed(text, true, WANTED, |text| text.parse().map_err(|_| ""))
            }
            _ => self.wrong(WANTED),
        }
    }

    /// A whole number from 1, also in quotes, so that the environment can say it.
    #[must_use]
    pub fn count(&self) -> Option<Setting<NonZeroU64>> {
        self.asked(|| Takes::Count)?;
        const WANTED: &str = "a whole number from 1";
        match &self.written.value {
            Value::Integer(number) => match u64::try_from(*number).ok().and_then(NonZeroU64::new) {
                Some(count) => Some(self.setting(count)),
                None => self.refused(WANTED, "this is less than 1", None),
            },
            Value::Text(text) => self.parsed(text, NonZeroU64::MIN, WANTED, |text| {
                text.trim().parse().map_err(|_| "")
            }),
            _ => self.wrong(WANTED),
        }
    }

    /// A size: `"64 MiB"`, `"512 KiB"`, or a whole number of bytes.
    #[must_use]
    pub fn bytes(&self) -> Option<Setting<u64>> {
        self.asked(|| Takes::Bytes)?;
        const WANTED: &str = "a size such as \"64 MiB\"";
        match &self.written.value {
            Value::Integer(number) => match u64::try_from(*number) {
                Ok(bytes) => Some(self.setting(bytes)),
                Err(_) => self.refused(WANTED, "this is less than nothing", None),
            },
            Value::Text(text) => self.parsed(text, 1, WANTED, units::bytes),
            _ => self.wrong(WANTED),
        }
    }

    /// A duration: `"250 ms"`, `"30 s"`, `"5 min"`, `"2 h"`, `"7 d"`.
    #[must_use]
    pub fn duration(&self) -> Option<Setting<Duration>> {
        self.asked(|| Takes::Duration)?;
        const WANTED: &str = "a duration such as \"30 s\" or \"5 min\"";
        match &self.written.value {
            Value::Text(text) => self.parsed(text, Duration::from_secs(1), WANTED, units::duration),
            Value::Integer(number) => {
                let help =
                    format!("write it with its unit, such as \"{number} s\" or \"{number} min\"");
                self.refused(WANTED, "a number without a unit", Some(help))
            }
            _ => self.wrong(WANTED),
        }
    }

    /// One of a few words.
    #[must_use]
    pub fn choice(&self, choices: &[&'static str]) -> Option<Setting<&'static str>> {
        self.asked(|| Takes::Choice(choices.to_vec()))?;
        let Value::Text(text) = &self.written.value else {
            return self.wrong(&format!("one of {}", suggest::list(choices)));
        };
        let (value, gaps) = self.filled(text)?;
        let chosen = choices.iter().find(|choice| **choice == value);
        // A placeholder is as good as any choice.
        let chosen = chosen.or_else(|| choices.first().filter(|_| gaps > 0));
        if chosen.is_none() {
            let help = suggest::did_you_mean(&value, choices.iter().copied())
                .unwrap_or_else(|| format!("choose one of {}", suggest::list(choices)));
            self.mistake(
                Mistake::error(
                    "pipeline::choice",
                    format!(
                        "{} cannot be {}{}",
                        quoted(&self.path),
                        quoted(&text.raw),
                        self.origin()
                    ),
                    self.at(),
                )
                .label(choices.join(", "))
                .help(help),
            );
        }
        chosen.map(|choice| self.setting(*choice))
    }

    /// A list of texts; one text alone is a list of one.
    #[must_use]
    pub fn texts(&self) -> Option<Vec<Setting<String>>> {
        self.asked(|| Takes::Texts)?;
        match &self.written.value {
            Value::Text(_) => Some(vec![self.text()?]),
            Value::List(_) => {
                let texts: Vec<_> = self.items()?.iter().map(Node::text).collect();
                texts.into_iter().collect()
            }
            _ => self.wrong("a list of texts, such as [\"a\", \"b\"]"),
        }
    }

    /// A table, to be read key by key.
    #[must_use]
    pub fn section(&self) -> Option<Section<'a>> {
        if let Some(survey) = self.context.survey {
            survey.takes(self, Takes::Table);
            return Some(Section::new(self, survey.table()));
        }
        match &self.written.value {
            Value::Table(table) => Some(Section::new(self, table)),
            _ => self.wrong("a table"),
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn items(&self) -> Option<Vec<Node<'a>>> {
        if let Some(survey) = self.context.survey {
            return Some(vec![survey.item(self)]);
        }
        match &self.written.value {
            Value::List(items) => Some(
                items
                    .iter()
                    .map(|written| Node {
                        written,
                        ..self.clone()
                    })
                    .collect(),
            ),
            _ => self.wrong("a list"),
        }
    }

    /// A piece of SQL.
    pub(crate) fn sql(&self) -> Option<Sql> {
        self.asked(|| Takes::Sql)?;
        let Value::Text(text) = &self.written.value else {
            return self.wrong("SQL in quotes");
        };
        let (filled, _) = self.filled(text)?;
        if filled.trim().is_empty() {
            self.mistake(
                Mistake::error(
                    "pipeline::empty",
                    format!("{} is empty{}", quoted(&self.path), self.origin()),
                    self.at(),
                )
                .label("SQL goes here")
                .help("write an expression, or leave the key out"),
            );
            return None;
        }
        let verbatim = text.verbatim && filled == text.raw;
        Some(Sql {
            text: filled,
            at: text.at.clone(),
            verbatim,
        })
    }

    /// A path, relative to the folder of the pipeline file.
    pub(crate) fn path(&self) -> Option<PathBuf> {
        Some(self.context.reading.folder.join(self.text()?.value))
    }

    /// Text, a number, or `true` or `false`: whichever it is.
    #[must_use]
    pub fn value(&self) -> Option<chatferry_core::plan::Value> {
        use chatferry_core::plan::Value as Any;
        match self.kind() {
            Shape::Text => self.text().map(|text| Any::Text(text.value)),
            Shape::Integer | Shape::Float | Shape::Flag => match self.literal() {
                Some(Value::Integer(number)) => Some(Any::Integer(*number)),
                Some(Value::Float(number)) => Some(Any::Float(*number)),
                Some(Value::Flag(flag)) => Some(Any::Flag(*flag)),
                _ => None,
            },
            _ => self.wrong("text, a number, or `true` or `false`"),
        }
    }

    /// A number, or true or false, as it stands in the file.
    pub(crate) fn literal(&self) -> Option<&'a Value> {
        self.asked(|| Takes::Literal)?;
        match &self.written.value {
            literal @ (Value::Integer(_) | Value::Float(_) | Value::Flag(_)) => Some(literal),
            _ => None,
        }
    }

    /// Notes what the value is asked for, when there is no file; `None` then, and there is nothing
    /// to be had.
    fn asked(&self, what: impl FnOnce() -> Takes) -> Option<()> {
        match self.context.survey {
            Some(survey) => {
                survey.takes(self, what());
                None
            }
            None => Some(()),
        }
    }

    /// The text as it was written, which is safe to show: `${NAME}` and not what it stands for.
    #[must_use]
    pub fn raw(&self) -> Option<&'a str> {
        // Who looks at it has a meaning of their own for it.
        self.asked(|| Takes::Text)?;
        match &self.written.value {
            Value::Text(text) => Some(&text.raw),
            _ => None,
        }
    }

    /// Says where a value came from that is not in the file.
    pub(crate) fn origin(&self) -> String {
        self.written
            .option
            .as_ref()
            .map_or_else(String::new, |path| format!(" (given by `--set {path}`)"))
    }

    fn setting<T>(&self, value: T) -> Setting<T> {
        Setting {
            value,
            at: self.at(),
        }
    }

    /// The text with the environment put in, and how many placeholders are in it.
    fn filled(&self, text: &Text) -> Option<(String, usize)> {
        let filled = interpolate(&text.raw, self.context.reading.environment);
        let mut usable = true;
        for gap in &filled.gaps {
            if self.lack == Lack::Nothing && matches!(gap.why, Why::Missing(_)) {
                continue;
            }
            let at = match &text.at {
                Some(at) if text.verbatim => Some(at.start + gap.at.start..at.start + gap.at.end),
                _ => self.at(),
            };
            let mistake = self.gap(&gap.why, at);
            usable &= mistake.severity == Severity::Warning;
            self.mistake(mistake);
        }
        usable.then_some((filled.text, filled.gaps.len()))
    }

    fn gap(&self, why: &Why, at: Option<Span>) -> Mistake {
        let origin = self.origin();
        match why {
            Why::Missing(name) => {
                let message = format!("the environment has no variable {}{origin}", quoted(name));
                if self.lack == Lack::Warning {
                    return Mistake::warning("pipeline::environment", message, at)
                        .label("not set")
                        .help("a check does without it; set it before `run`");
                }
                Mistake::error("pipeline::environment", message, at)
                    .label("not set")
                    .help(format!("set it, or give a default: `${{{name}:-default}}`"))
            }
            Why::Unclosed => Mistake::error(
                "pipeline::interpolation",
                format!("`${{` is never closed{origin}"),
                at,
            )
            .label("no `}` follows")
            .help("write `${NAME}` for a variable, or `$${` for the characters themselves"),
            Why::NotAName => Mistake::error(
                "pipeline::interpolation",
                format!("this is not the name of a variable{origin}"),
                at,
            )
            .label("letters, digits and `_`")
            .help("write `${NAME}` or `${NAME:-default}`, or `$${` for the characters themselves"),
        }
    }

    /// What `parse` makes of the text; its error is advice. A text with a placeholder in it counts
    /// as `placeholder`.
    fn parsed<T>(
        &self,
        text: &Text,
        placeholder: T,
        wanted: &str,
        parse: impl Fn(&str) -> Result<T, &'static str>,
    ) -> Option<Setting<T>> {
        let (filled, gaps) = self.filled(text)?;
        match parse(&filled) {
            Ok(value) => Some(self.setting(value)),
            Err(_) if gaps > 0 => Some(self.setting(placeholder)),
            Err(advice) => {
                let advice = Some(advice.to_owned()).filter(|advice| !advice.is_empty());
                self.refused(wanted, "cannot be read as that", advice)
            }
        }
    }

    /// Notes that the value is not of the kind that is wanted here.
    pub(crate) fn wrong<T>(&self, wanted: &str) -> Option<T> {
        let is = match &self.written.value {
            Value::Broken => return None,
            Value::Text(_) => "this is text",
            Value::Integer(_) => "this is a whole number",
            Value::Float(_) => "this is a number with a fraction",
            Value::Flag(_) => "this is true or false",
            Value::Date => "this is a date",
            Value::List(_) => "this is a list",
            Value::Table(_) => "this is a table",
        };
        self.refused(wanted, is, None)
    }

    /// Notes that the value is not what is wanted here, but `is` something else.
    pub(crate) fn refused<T>(&self, wanted: &str, is: &str, help: Option<String>) -> Option<T> {
        self.mistake(
            Mistake::error(
                "pipeline::wrong-kind",
                format!("{} takes {wanted}{}", quoted(&self.path), self.origin()),
                self.at(),
            )
            .label(is)
            .maybe_help(help),
        );
        None
    }
}

/// The placeholder that stands for a missing variable when a pipeline is read without its
/// secrets. As a setting it can be told from a real value by this.
pub const PLACEHOLDER: &str = interpolate::PLACEHOLDER;
