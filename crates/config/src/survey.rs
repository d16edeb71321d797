//! What may stand in a table, found out by having its reader ask for it.
//!
//! Whoever reads a table asks for its keys one by one, and each value for what it should be. A
//! survey answers without a file: it notes each question, and says of every value that there is
//! nothing to be had. Which keys are there, and what shapes their values have, is drawn anew for
//! each reading, so that in the end each way through the reader was taken.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::document::{Table, Value, Written};
use crate::node::{Context, Lack, Node, Shape};
use crate::pipeline::Reading;
use crate::section::Section;

/// How often a table is read. The question that is hardest to come to, for the items of a list in
/// the `schema` of one of several tables, is asked in one reading of forty.
const READINGS: u32 = 1_000;
/// How many lists and tables of free names deep a value's shape is still asked for. A reader that
/// calls itself for what is inside would not end otherwise; whatever is deeper is let be.
const DEEPEST: usize = 2;
/// The name of the one entry that a table of free names has.
const NAME: &str = "NAME";

/// What a value was asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Takes {
    Text,
    Secret,
    Flag,
    Count,
    Bytes,
    Duration,
    Choice(Vec<&'static str>),
    Texts,
    Sql,
    /// A number, or true or false.
    Literal,
    Table,
    List,
}

/// What is known of one value.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    pub(crate) takes: BTreeSet<Takes>,
    /// What it is, where it must be there.
    pub(crate) required: Option<String>,
    /// Whether nobody can say what else it may be.
    pub(crate) open: bool,
}

/// What is known of the values below a place, by the way to them: names, `*` for any name, and
/// `[]` for any item of a list.
pub(crate) type Findings = BTreeMap<Vec<String>, Found>;

/// A survey of one table.
#[derive(Debug)]
pub(crate) struct Survey {
    found: RefCell<Findings>,
    reading: Cell<u32>,
    nothing: Written,
    empty: Table,
}

/// Has the reader of a table ask for all that may stand in it.
pub(crate) fn of(mut read: impl FnMut(&mut Section<'_>)) -> Findings {
    let survey = Survey {
        found: RefCell::default(),
        reading: Cell::new(0),
        nothing: Written {
            value: Value::Broken,
            at: None,
            option: None,
        },
        empty: Table::default(),
    };
    let reading = Reading {
        environment: &|_| None,
        folder: Path::new("."),
        overrides: &[],
        without_secrets: true,
    };
    for number in 0..READINGS {
        survey.reading.set(number);
        let context = Context {
            text: "",
            reading: &reading,
            mistakes: RefCell::default(),
            survey: Some(&survey),
        };
        let node = Node {
            context: &context,
            written: &survey.nothing,
            name_at: None,
            path: String::new(),
            lack: Lack::Error,
        };
        read(&mut Section::new(&node, &survey.empty));
    }
    survey.found.into_inner()
}

impl Survey {
    /// The table that every table is.
    pub(crate) fn table(&self) -> &Table {
        &self.empty
    }

    /// The value of a key: there or not, as it is drawn.
    pub(crate) fn get<'a>(&'a self, section: &Node<'a>, key: &str) -> Option<Node<'a>> {
        let node = self.below(section, key);
        self.note(&node, |_| ());
        (self.draw(&node.path, "is there", 3) > 0).then_some(node)
    }

    /// The one entry of a table of free names.
    pub(crate) fn entry<'a>(&'a self, section: &Node<'a>) -> (&'static str, Node<'a>) {
        let node = self.below(section, "*");
        self.note(&node, |_| ());
        (NAME, node)
    }

    /// The one item of a list.
    pub(crate) fn item<'a>(&'a self, list: &Node<'a>) -> Node<'a> {
        self.takes(list, Takes::List);
        self.below(list, "[]")
    }

    /// A shape that the value may have.
    pub(crate) fn shape(&self, node: &Node<'_>) -> Shape {
        let way = way(&node.path);
        if way
            .iter()
            .filter(|step| *step == "*" || *step == "[]")
            .count()
            > DEEPEST
        {
            self.note(node, |found| found.open = true);
            return Shape::Broken;
        }
        const SHAPES: [Shape; 6] = [
            Shape::Text,
            Shape::Integer,
            Shape::Flag,
            Shape::List,
            Shape::Table,
            Shape::Table,
        ];
        SHAPES[self.draw(&node.path, "shape", SHAPES.len())]
    }

    /// Notes that the value is asked for that.
    pub(crate) fn takes(&self, node: &Node<'_>, what: Takes) {
        self.note(node, |found| {
            found.takes.insert(what);
        });
    }

    /// Notes that a key must be there.
    pub(crate) fn require(&self, section: &Node<'_>, key: &str, about: &str) {
        self.note(&self.below(section, key), |found| {
            found.required = Some(about.to_owned());
        });
    }

    fn below<'a>(&'a self, node: &Node<'a>, step: &str) -> Node<'a> {
        let path = match node.path.as_str() {
            "" => step.to_owned(),
            path => format!("{path}.{step}"),
        };
        Node {
            written: &self.nothing,
            path,
            ..node.clone()
        }
    }

    fn note(&self, node: &Node<'_>, note: impl FnOnce(&mut Found)) {
        let mut found = self.found.borrow_mut();
        note(found.entry(way(&node.path)).or_default());
    }

    /// A number below `of`, the same for the same question in the same reading.
    fn draw(&self, path: &str, question: &str, of: usize) -> usize {
        // FNV-1a, and its upper bits, in which every byte has had its part.
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(self.reading.get());
        for byte in path.bytes().chain(question.bytes()).chain([0; 4]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let upper = usize::try_from(hash >> 40).expect("it has 24 bits");
        upper % of
    }
}

fn way(path: &str) -> Vec<String> {
    match path {
        "" => Vec::new(),
        path => path.split('.').map(str::to_owned).collect(),
    }
}
