//! Where the messages' texts are, and how one is found by its number.
//!
//! The texts stand one behind the other in a temporary file, each as its line of a dump. A message
//! that changes is written again at the end, and its entry in the index leads there from then on.

use std::io;

use crate::index::{Entry, Index, MadeBy};
use crate::spool::Spool;

/// The messages' texts.
pub(crate) struct Archive {
    lines: Spool,
    pub(crate) index: Index,
}

/// What stands around a record in its line.
const BEFORE: &[u8] = br#"{"entity":"messages","record":"#;
const AFTER: &[u8] = b"}\n";

impl Archive {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            lines: Spool::new()?,
            index: Index::new()?,
        })
    }

    /// Adds a message with the next number.
    pub(crate) fn add(
        &mut self,
        record: &[u8],
        made_by: MadeBy,
        sent_at: i64,
        conversation: u64,
    ) -> io::Result<()> {
        let (start, len) = self.write(record)?;
        self.index.append(Entry {
            start,
            len,
            made_by,
            sent_at,
            conversation,
        })
    }

    /// Changes the text of a message.
    pub(crate) fn change(&mut self, number: u64, entry: Entry, record: &[u8]) -> io::Result<()> {
        let (start, len) = self.write(record)?;
        self.index.replace(
            number,
            Entry {
                start,
                len,
                ..entry
            },
        )
    }

    /// Takes a message away for good.
    pub(crate) fn remove(&mut self, number: u64, entry: Entry) -> io::Result<()> {
        self.index.replace(number, Entry { len: 0, ..entry })
    }

    /// The record of a message that is there.
    pub(crate) fn record(&mut self, entry: &Entry) -> io::Result<Vec<u8>> {
        let mut line = self.lines.read(entry.start, u64::from(entry.len))?;
        line.truncate(line.len().saturating_sub(AFTER.len()));
        Ok(line.split_off(BEFORE.len().min(line.len())))
    }

    /// The lines of imported messages among at most `most` numbers from `from` on, and the number
    /// that comes next; `None` when there are no more.
    pub(crate) fn lines(&mut self, from: u64, most: u64) -> io::Result<(Vec<u8>, Option<u64>)> {
        let entries = self.index.read(from, most)?;
        let next = entries.last().map(|(number, _)| number + 1);
        let mut lines = Vec::new();
        // Most stand one behind the other, and are read at once.
        let mut run: Option<(u64, u64)> = None;
        for (_, entry) in entries.iter().filter(|(_, entry)| entry.is_imported()) {
            let end = entry.start + u64::from(entry.len);
            run = match run {
                Some((start, so_far)) if so_far == entry.start => Some((start, end)),
                Some((start, so_far)) => {
                    lines.extend(self.lines.read(start, so_far - start)?);
                    Some((entry.start, end))
                }
                None => Some((entry.start, end)),
            };
        }
        if let Some((start, end)) = run {
            lines.extend(self.lines.read(start, end - start)?);
        }
        Ok((lines, next))
    }

    fn write(&mut self, record: &[u8]) -> io::Result<(u64, u32)> {
        let start = self.lines.len();
        let mut line = Vec::with_capacity(BEFORE.len() + record.len() + AFTER.len());
        line.extend_from_slice(BEFORE);
        line.extend_from_slice(record);
        line.extend_from_slice(AFTER);
        self.lines.append(&line)?;
        let len = u32::try_from(line.len()).map_err(|_| io::ErrorKind::FileTooLarge)?;
        Ok((start, len))
    }
}

#[cfg(test)]
mod tests {
    use super::{Archive, MadeBy};

    #[test]
    fn lines_follow_what_was_changed_taken_away_and_made_by_the_service() {
        let mut archive = Archive::new().unwrap();
        for record in ["1", "2", "3", "4"] {
            archive
                .add(record.as_bytes(), MadeBy::Import, 0, 0)
                .unwrap();
        }
        archive.add(b"5", MadeBy::Service, 0, 0).unwrap();
        let entry = |archive: &mut Archive, number| archive.index.get(number).unwrap().unwrap();
        let second = entry(&mut archive, 2);
        archive.change(2, second, b"two").unwrap();
        let third = entry(&mut archive, 3);
        archive.remove(3, third).unwrap();

        let second = entry(&mut archive, 2);
        assert_eq!(archive.record(&second).unwrap(), b"two");
        let (lines, next) = archive.lines(1, 100).unwrap();
        let line = |record: &str| format!("{{\"entity\":\"messages\",\"record\":{record}}}\n");
        let expected = [line("1"), line("two"), line("4")].concat();
        assert_eq!(String::from_utf8(lines).unwrap(), expected);
        assert_eq!(next, Some(6));
        assert_eq!(archive.lines(6, 100).unwrap(), (Vec::new(), None));
    }
}
