//! The rows that a source could not read, kept beside those that it could.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use chatferry_core::RejectedRow;

use crate::snapshot::checksum::Summed;
use crate::snapshot::manifest::{KeptRejected, RejectedPlace};

/// How many of a table are listed in the manifest.
const LISTED: usize = 20;

/// Writes the rejected rows of a table. There is no file when there are none.
#[derive(Default)]
pub(crate) struct Rejections {
    rows: u64,
    rules: BTreeMap<String, u64>,
    first: Vec<RejectedPlace>,
    file: Option<Summed<BufWriter<File>>>,
}

impl Rejections {
    /// Writes a row that so many rows stand before, into a file of that path.
    pub(crate) fn add(&mut self, path: &Path, after: u64, row: RejectedRow) -> io::Result<()> {
        let row = kept(after, row);
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(Summed::new(BufWriter::new(File::create_new(path)?))),
        };
        serde_json::to_writer(&mut *file, &row)?;
        file.write_all(b"\n")?;
        self.rows += 1;
        *self.rules.entry(row.rule.clone()).or_default() += 1;
        if self.first.len() < LISTED {
            self.first.push(row);
        }
        Ok(())
    }

    /// How many there are so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// What was written, to a file that is called so in the manifest.
    pub(crate) fn finish(self, name: &str) -> io::Result<Option<KeptRejected>> {
        let Some(file) = self.file else {
            return Ok(None);
        };
        let (file, kept) = file.finish(name);
        file.into_inner()?.sync_all()?;
        Ok(Some(KeptRejected {
            rows: self.rows,
            rules: self.rules,
            first: self.first,
            kept,
        }))
    }
}

/// Reads them again, in turn.
pub(crate) struct Reread {
    lines: io::Lines<BufReader<File>>,
    next: Option<RejectedPlace>,
}

impl Reread {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut reread = Self {
            lines: BufReader::new(File::open(path)?).lines(),
            next: None,
        };
        reread.advance()?;
        Ok(reread)
    }

    /// How many rows stand before the next one, if there is one.
    pub(crate) fn next_after(&self) -> Option<u64> {
        self.next.as_ref().map(|next| next.after)
    }

    /// At most so many of those that no more than so many rows stand before.
    pub(crate) fn due(&mut self, rows: u64, most: usize) -> io::Result<Vec<RejectedRow>> {
        let mut due = Vec::new();
        while due.len() < most
            && let Some(next) = self.next.take_if(|next| next.after <= rows)
        {
            due.push(row(next));
            self.advance()?;
        }
        Ok(due)
    }

    fn advance(&mut self) -> io::Result<()> {
        self.next = match self.lines.next() {
            Some(line) => Some(serde_json::from_str(&line?)?),
            None => None,
        };
        Ok(())
    }
}

fn kept(after: u64, row: RejectedRow) -> RejectedPlace {
    let place = row.place.as_ref();
    RejectedPlace {
        after,
        file: place.map(|place| place.file.to_string()),
        line: place.and_then(|place| place.line),
        byte: place.and_then(|place| place.byte),
        rule: row.rule.into_owned(),
        detail: row.detail,
        id: row.id,
    }
}

fn row(kept: RejectedPlace) -> RejectedRow {
    RejectedRow {
        place: kept.place(),
        rule: Cow::Owned(kept.rule),
        detail: kept.detail,
        id: kept.id,
    }
}
