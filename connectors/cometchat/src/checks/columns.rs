//! Columns that rules look at, each by what a row says there.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;

use crate::policy::Policy;
use crate::rules::{self, Broken};

/// A field that holds text.
pub(crate) struct Text {
    name: &'static str,
    column: Option<StringArray>,
}

impl Text {
    pub(crate) fn new(rows: &RecordBatch, name: &'static str) -> Self {
        Self::of(name, rows.column_by_name(name))
    }

    /// The field of that name, whose column this is.
    pub(super) fn of(name: &'static str, column: Option<&ArrayRef>) -> Self {
        Self {
            name,
            column: column.and_then(|column| column.as_string_opt().cloned()),
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let column = self.column.as_ref()?;
        column.is_valid(row).then(|| column.value(row))
    }

    /// What a row says, which must be something.
    pub(crate) fn required(&self, row: usize) -> Result<&str, Broken> {
        let missing = |how| Broken::new("missing-field", format!("`{}` is {how}", self.name));
        match self.get(row) {
            Some(value) if !rules::is_blank(value) => Ok(value),
            Some(_) => Err(missing("empty")),
            None => Err(missing("missing")),
        }
    }

    /// What a row says, which must be the id of a user, group or role.
    pub(super) fn id(&self, row: usize) -> Result<&str, Broken> {
        let id = self.required(row)?;
        rules::id(self.name, id).map(|()| id)
    }

    /// The same, where a row may say nothing.
    pub(super) fn optional_id(&self, row: usize) -> Result<Option<&str>, Broken> {
        let id = self.get(row);
        id.map_or(Ok(()), |id| rules::id(self.name, id))
            .map(|()| id)
    }

    /// What a row says, which must be one of these.
    pub(super) fn one_of(&self, row: usize, known: &[&str]) -> Result<&str, Broken> {
        let value = self.required(row)?;
        rules::one_of(self.name, value, known).map(|()| value)
    }

    /// The same, where a row may say nothing.
    pub(super) fn optional_one_of(
        &self,
        row: usize,
        known: &[&str],
    ) -> Result<Option<&str>, Broken> {
        let value = self.get(row);
        let checked = value.map_or(Ok(()), |value| rules::one_of(self.name, value, known));
        checked.map(|()| value)
    }

    /// A URL, if a row says anything.
    pub(super) fn url(&self, row: usize) -> Result<(), Broken> {
        self.get(row)
            .map_or(Ok(()), |url| rules::url(self.name, url))
    }

    /// The URL of a picture, unless it may be replaced yet.
    pub(super) fn picture(&self, row: usize, policy: &Policy<'_>) -> Result<(), Broken> {
        match policy.files {
            None => self.url(row),
            Some(_) => Ok(()),
        }
    }
}

/// A field that holds a time.
pub(crate) struct Seconds {
    name: &'static str,
    column: Option<Int64Array>,
}

impl Seconds {
    pub(super) fn new(rows: &RecordBatch, name: &'static str) -> Self {
        let column = rows.column_by_name(name);
        let column = column.and_then(|column| column.as_primitive_opt::<Int64Type>().cloned());
        Self { name, column }
    }

    /// What a row says, which must be UNIX seconds.
    pub(super) fn get(&self, row: usize) -> Result<Option<i64>, Broken> {
        let Some(column) = self.column.as_ref().filter(|column| column.is_valid(row)) else {
            return Ok(None);
        };
        let time = column.value(row);
        rules::seconds(self.name, time).map(|()| Some(time))
    }

    /// What a row says, which must be a time of which this is not before `now`.
    pub(super) fn past(&self, time: i64, now: i64) -> Result<(), Broken> {
        rules::past(self.name, time, now)
    }
}

/// Any field, of which it matters only whether a row has it.
pub(crate) struct Anything(Option<ArrayRef>);

impl Anything {
    pub(super) fn new(rows: &RecordBatch, name: &str) -> Self {
        Self::of(rows.column_by_name(name))
    }

    pub(super) fn of(column: Option<&ArrayRef>) -> Self {
        Self(column.cloned())
    }

    pub(super) fn stands(&self, row: usize) -> bool {
        self.0.as_ref().is_some_and(|column| column.is_valid(row))
    }

    /// Whether a row has nothing there, or a list of nothing.
    pub(super) fn is_empty(&self, row: usize) -> bool {
        let list = |column: &ArrayRef| {
            let list = column.as_list_opt::<i32>();
            list.is_some_and(|list| list.value_length(row) == 0)
        };
        !self.stands(row) || self.0.as_ref().is_some_and(list)
    }
}

/// The field `tags`.
pub(crate) struct Tags(Option<ListArray>);

impl Tags {
    pub(super) fn new(rows: &RecordBatch) -> Self {
        let column = rows.column_by_name("tags");
        Self(column.and_then(|column| column.as_list_opt().cloned()))
    }

    pub(super) fn check(&self, row: usize) -> Result<(), Broken> {
        let Some(tags) = self.0.as_ref().filter(|tags| tags.is_valid(row)) else {
            return Ok(());
        };
        match tags.value(row).as_string_opt::<i32>() {
            Some(tags) => rules::tags(tags.iter()),
            None => Ok(()),
        }
    }
}
