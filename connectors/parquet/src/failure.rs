//! What stands in the way of reading a Parquet file, and what to do about it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chatferry_core::source::SourceError;
use chatferry_files::refused;

/// The part of a file that a failure is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// What stands at its end and says what is in it.
    Footer,
    /// A row group, counted from 0, of how many there are; and a row in it, counted from 0.
    Group(usize, usize, Option<u64>),
}

/// The error for a part of a file that is not as it should be.
pub(crate) fn damaged(name: &str, part: Part, what: &str) -> SourceError {
    let where_ = match part {
        Part::Footer => "its footer is damaged".to_owned(),
        Part::Group(group, groups, row) => {
            let row = row.map_or_else(String::new, |row| format!(" from row {row} on"));
            format!(
                "its row group {} of {groups} cannot be read{row}",
                group + 1
            )
        }
    };
    let error = refused(name, &format!("{where_}: {}", plain(what)));
    error.help(match part {
        Part::Footer => "export or download it again",
        Part::Group(..) => "export or download it again; the rows before this could be read",
    })
}

/// The words of the Parquet reader without its own name before them.
fn plain(what: &str) -> &str {
    let names = [
        "Parquet argument error: ",
        "Parquet error: ",
        "Arrow: ",
        "External: ",
        "EOF: ",
        "NYI: ",
    ];
    let stripped = names.iter().find_map(|name| what.strip_prefix(name));
    stripped.map_or(what, plain)
}

/// What `read` gives, or why it does not. Damaged files can make the Parquet reader panic, which
/// here is one more way to say that they are damaged.
pub(crate) fn guarded<T, E: ToString>(read: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(read) => read.map_err(|error| error.to_string()),
        Err(panic) => Err(words(panic.as_ref()).to_owned()),
    }
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("the reader gave up")
}
