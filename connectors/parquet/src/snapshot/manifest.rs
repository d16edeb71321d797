//! What a snapshot holds, as `manifest.json` says it.

use std::collections::BTreeMap;

use chatferry_core::Place;
use serde::{Deserialize, Serialize};

/// The name of the file, in the snapshot's folder.
pub(crate) const FILE: &str = "manifest.json";
/// The form that this program writes, and the only one that it reads.
pub(crate) const FORM: u32 = 1;

/// What a snapshot holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Which form of snapshot it is.
    pub form: u32,
    /// The version of the program that made it.
    pub chatferry: String,
    /// The name of the pipeline that it was made for.
    pub pipeline: String,
    /// When the first table was begun, by the clock of the machine that made it.
    pub began: String,
    /// When the last table was read.
    pub ended: String,
    /// The sources, in the order of the pipeline.
    pub sources: Vec<KeptSource>,
}

/// A source, as far as it was copied.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptSource {
    /// Its name in the pipeline.
    pub source: String,
    /// The connector that read it.
    pub connector: String,
    /// Whether all of its tables are as they were at one moment.
    #[serde(default)]
    pub one_moment: bool,
    /// Its tables, sorted by name.
    pub tables: Vec<KeptTable>,
}

/// A table.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptTable {
    /// Its name within the source.
    pub table: String,
    /// How many rows were read.
    pub rows: u64,
    /// Its rows.
    #[serde(flatten)]
    pub kept: Kept,
    /// Its columns.
    pub columns: Vec<KeptColumn>,
    /// The columns by which its rows never descend, for each order that its source knew of.
    pub orders: Vec<Vec<String>>,
    /// What its source says that a person should know of it.
    pub notes: Vec<String>,
    /// The rows that could not be read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub rejected: Option<KeptRejected>,
}

/// A file of the snapshot.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// Its path below the snapshot's folder.
    pub file: String,
    /// How long it is.
    pub bytes: u64,
    /// `xxh3:` and 16 hexadecimal digits.
    pub checksum: String,
}

/// A column, for people: the exact types are in the Parquet file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptColumn {
    /// Its name.
    pub name: String,
    /// Its type in Arrow's words.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// Whether it is text that holds JSON.
    pub json: bool,
}

/// The rows of a table that could not be read. All of them are in the file, as JSON lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptRejected {
    /// How many.
    pub rows: u64,
    /// How many by rule.
    pub rules: BTreeMap<String, u64>,
    /// The first ones.
    pub first: Vec<RejectedPlace>,
    /// All of them.
    #[serde(flatten)]
    pub kept: Kept,
}

/// A row that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedPlace {
    /// How many rows of the table stand before it.
    pub after: u64,
    /// The rule that it breaks.
    pub rule: String,
    /// What was found.
    pub detail: String,
    /// Its record id, as far as it is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The file, archive member or table where it stands.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u64>,
    /// The offset of its first byte, counted from 0.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub byte: Option<u64>,
}

impl RejectedPlace {
    /// Where it stands, if that is known.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.file.as_ref().map(|file| Place {
            file: file.as_str().into(),
            line: self.line,
            byte: self.byte,
        })
    }
}
