//! Columns that stand in the names of folders: `year=2024/month=05/`.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::DataType;
use chatferry_files::Found;

/// What stands for null.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// One such column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    pub(crate) name: String,
    /// Whether all of its values are whole numbers.
    whole: bool,
}

/// The columns that the folders of these files make, in the order in which they stand.
pub(crate) fn partitions(files: &[Found]) -> Vec<Partition> {
    let mut names: Vec<&str> = Vec::new();
    for file in files {
        let new = said(&file.name).map(|(name, _)| name);
        for name in new {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let partition = |name: &str| {
        let values = files.iter().filter_map(|file| value(&file.name, name));
        Partition {
            name: name.to_owned(),
            whole: are_whole(values),
        }
    };
    names.into_iter().map(partition).collect()
}

impl Partition {
    /// The type of the column.
    pub(crate) fn kind(&self) -> DataType {
        match self.whole {
            true => DataType::Int64,
            false => DataType::Utf8,
        }
    }

    /// Its value for all rows of a file, as a column of one row.
    pub(crate) fn column(&self, file: &Found) -> ArrayRef {
        let value = value(&file.name, &self.name);
        match self.whole {
            true => {
                let number = value.map(|text| text.parse::<i64>().expect("all were found whole"));
                Arc::new(Int64Array::from(vec![number]))
            }
            false => Arc::new(StringArray::from(vec![value])),
        }
    }
}

/// Whether all are whole numbers, and no two of them one number: `5` and `05` are two texts.
fn are_whole(values: impl Iterator<Item = String>) -> bool {
    let mut known: Vec<(i64, String)> = Vec::new();
    for text in values {
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let number = match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse::<i64>(),
            false => return false,
        };
        let Ok(number) = number else { return false };
        match known.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(at) if known[at].1 == text => {}
            Ok(_) => return false,
            Err(at) => known.insert(at, (number, text)),
        }
    }
    !known.is_empty()
}

/// What the folders of a path say.
fn said(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    let said = folders.split('/').filter_map(|one| one.split_once('='));
    said.filter(|(name, _)| !name.is_empty())
}

/// The value of that name in a path, if there is one and it is not null.
fn value(path: &str, name: &str) -> Option<String> {
    let (_, written) = said(path).find(|(said, _)| *said == name)?;
    (written != NULL).then(|| decoded(written))
}

/// With `%3A` and the like as what it stands for.
fn decoded(written: &str) -> String {
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).and_then(|two| str::from_utf8(two).ok());
        let digits = digits.filter(|two| two.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| written.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_say_names_and_values() {
        let path = "events/year=2024/room=a%2Fb%3Dc/none=__HIVE_DEFAULT_PARTITION__/x=1.parquet";
        let names: Vec<&str> = said(path).map(|(name, _)| name).collect();
        assert_eq!(names, ["year", "room", "none"]);
        assert_eq!(value(path, "room").as_deref(), Some("a/b=c"));
        assert_eq!(value(path, "none"), None);
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%FF"), "%FF");
    }

    #[test]
    fn whole_numbers_are_numbers_unless_two_would_be_one() {
        let whole = |texts: &[&str]| are_whole(texts.iter().map(|text| (*text).to_owned()));
        assert!(whole(&["05", "12", "05", "-3"]));
        assert!(!whole(&["5", "05"]));
        assert!(!whole(&["1", "a"]));
        assert!(!whole(&["+1"]));
        assert!(!whole(&[""]));
        assert!(!whole(&["99999999999999999999"]));
        assert!(!whole(&[]));
    }
}
