//! Who asks what a table has, and what is kept of the answer for the next time.

use std::fmt::Debug;
use std::time::{Duration, SystemTime};

use arrow::datatypes::SchemaRef;
use chatferry_core::cache::Cache;
use chatferry_core::source::{Order, Rows, Table};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use crate::root::Listing;

/// Bytes of files of which it is worth while to keep what was found out. Less is looked at sooner than
/// it is looked up.
const WORTH_WHILE: u64 = 1 << 20;
/// A file that was written as lately as this may be written again without its time telling.
const LATELY: Duration = Duration::from_secs(2);

/// Who asks what a table has.
pub struct Inquiry<'a> {
    waits: &'a dyn Fn() -> bool,
    cache: Option<&'a dyn Cache>,
}

/// What is kept about some files, as long as nothing of them changes.
pub struct Cached<'a> {
    cache: &'a dyn Cache,
    key: String,
}

/// What a table was found to have, to be kept.
#[derive(Debug, Serialize, Deserialize)]
pub struct Finding<K> {
    /// Its columns, and what each holds.
    pub columns: Vec<(String, K)>,
    orders: Vec<Vec<String>>,
    rows: Option<u64>,
    is_exact: bool,
    notes: Vec<String>,
}

impl<'a> Inquiry<'a> {
    /// Somebody who wants to know it now, as long as they wait for it.
    pub fn of(waits: &'a dyn Fn() -> bool) -> Self {
        Self { waits, cache: None }
    }

    /// The same, and what is found out is kept there.
    #[must_use]
    pub fn kept_in(self, cache: Option<&'a dyn Cache>) -> Self {
        Self { cache, ..self }
    }

    /// Whether anybody still waits for the answer.
    #[must_use]
    pub fn waits(&self) -> bool {
        (self.waits)()
    }

    /// Where to keep what is found out about these files with these settings; `None` when nobody
    /// wants it, when it is not worth while, and when nothing would tell that a file has changed.
    pub fn cached(&self, listing: &Listing, settings: &dyn Debug) -> Option<Cached<'a>> {
        let before = SystemTime::now().checked_sub(LATELY)?;
        let bytes: u64 = listing.files.iter().map(|file| file.size).sum();
        let tells = listing
            .files
            .iter()
            .all(|file| file.tells_changes_since(before));
        if bytes < WORTH_WHILE || !tells {
            return None;
        }
        let version = env!("CARGO_PKG_VERSION");
        let about = format!("{version} {settings:?} {listing:?}");
        Some(Cached {
            cache: self.cache?,
            key: format!("{:016x}", XxHash3_64::oneshot(about.as_bytes())),
        })
    }
}

impl Cached<'_> {
    /// What was kept.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.cache.get(&self.key)?).ok()
    }

    /// Keeps it.
    pub fn put<T: Serialize>(&self, found: &T) {
        if let Ok(found) = serde_json::to_vec(found) {
            self.cache.put(&self.key, &found);
        }
    }
}

impl<K: Clone> Finding<K> {
    /// What a table of these columns was found to have.
    pub fn of(table: &Table, columns: &[(String, K)]) -> Self {
        Self {
            columns: columns.to_vec(),
            orders: table
                .orders
                .iter()
                .map(|order| order.columns.clone())
                .collect(),
            rows: table.rows.estimate(),
            is_exact: matches!(table.rows, Rows::Exactly(_)),
            notes: table.notes.clone(),
        }
    }

    /// The table, of that schema.
    pub fn table(&self, name: &str, schema: SchemaRef) -> Table {
        Table {
            name: name.to_owned(),
            schema,
            orders: self.orders.iter().map(Order::by).collect(),
            can_order: Vec::new(),
            rows: match (self.rows, self.is_exact) {
                (Some(rows), true) => Rows::Exactly(rows),
                (Some(rows), false) => Rows::About(rows),
                (None, _) => Rows::Unknown,
            },
            notes: self.notes.clone(),
        }
    }
}
