//! What a pipeline asks of the engine: views, and flows of expressions.

use std::collections::BTreeMap;

use crate::entity::Entity;
use crate::mistake::Span;

/// A piece of SQL that a person wrote, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The text.
    pub text: String,
    /// Where it stands in the pipeline file; `None` when it came from the command line.
    pub at: Option<Span>,
    /// Whether byte `n` of `text` stands at byte `at.start + n` of the file. Not so when the
    /// string was written with escapes; then only the whole of it can be pointed at.
    pub verbatim: bool,
}

/// A named query over tables and other views.
#[derive(Clone, Debug)]
pub struct View {
    /// Its name, as other SQL refers to it.
    pub name: String,
    /// Where the name stands.
    pub at: Option<Span>,
    /// The query.
    pub query: Sql,
}

/// The value of a variable: `$name` in SQL.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// True or false.
    Flag(bool),
}

/// The variables of a pipeline by name.
pub type Variables = BTreeMap<String, Value>;

/// One entity fed from one table or view.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its name; the entity's name unless the file gives another.
    pub name: String,
    /// What it makes.
    pub entity: Entity,
    /// The table (`source.table`) or view it reads.
    pub from: Sql,
    /// Which rows belong to this flow. Rows for which it is not true are no concern of the flow:
    /// they are neither read nor counted.
    pub filter: Option<Sql>,
    /// Rows that belong to the flow and are left out on purpose, each counted under its reason.
    /// The first condition that is true gives the reason.
    pub skip: Vec<Skip>,
    /// The order of the rows. For messages the default is the time of sending, then the id; for
    /// other entities, as they come.
    pub order_by: Vec<Sql>,
    /// What never descends when a row is changed, such as the time of its last change. Once the flow
    /// was read to its end, only rows with the highest value that was seen, or a higher one, or
    /// none, are read.
    pub changed_since: Option<Sql>,
    /// The fields, as a tree of expressions.
    pub fields: Vec<FieldEntry>,
    /// Where the flow stands in the file.
    pub at: Option<Span>,
    /// What to do with references to users and groups that no flow has delivered.
    pub references: References,
}

/// A named reason to leave rows out.
#[derive(Clone, Debug)]
pub struct Skip {
    /// The reason, as the account names it.
    pub reason: String,
    /// The condition.
    pub when: Sql,
}

/// One field of a flow: its name and what gives its value.
#[derive(Clone, Debug)]
pub struct FieldEntry {
    /// The API's name of it.
    pub name: String,
    /// Where the name stands.
    pub at: Option<Span>,
    /// What gives its value.
    pub value: FieldValue,
}

/// What gives a field its value.
#[derive(Clone, Debug)]
pub enum FieldValue {
    /// One SQL expression over the row.
    Expression(Sql),
    /// A nested table: an object with these fields.
    Object(Vec<FieldEntry>),
}

/// What to do with a record that refers to a user or group which no flow has delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum References {
    /// Reject it: it could not succeed.
    #[default]
    Require,
    /// Send it: the user or group is known to exist in the app already.
    Trust,
    /// Have something that stands for the user or group delivered first.
    Placeholder(Placeholders),
}

/// What those are called who stand for users and groups that no flow has delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholders {
    /// The name of a user.
    pub user: String,
    /// The name of a group.
    pub group: String,
}
