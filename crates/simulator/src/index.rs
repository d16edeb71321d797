//! Where each message's text is, by the number that the message was given.
//!
//! One entry of a fixed size for each number, in a temporary file beside that of the texts.

use std::io;

use crate::spool::Spool;

/// The entries, the first of which is that of the number 1.
pub(crate) struct Index(Spool);

/// What is known of one number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Where its line begins.
    pub(crate) start: u64,
    /// How many bytes its line has; none when the message is gone for good.
    pub(crate) len: u32,
    /// What it is.
    pub(crate) made_by: MadeBy,
    /// When it was sent.
    pub(crate) sent_at: i64,
    /// The hash of its conversation.
    pub(crate) conversation: u64,
}

/// Who made a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MadeBy {
    /// Someone who imported it.
    #[default]
    Import,
    /// The service, which tells of an edit or a deletion.
    Service,
}

/// Bytes of an entry.
const SIZE: u64 = 32;

impl Index {
    pub(crate) fn new() -> io::Result<Self> {
        Spool::new().map(Self)
    }

    /// The greatest number that was given; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.0.len() / SIZE
    }

    /// Gives the next number.
    pub(crate) fn append(&mut self, entry: Entry) -> io::Result<()> {
        self.0.append(&entry.to_bytes())
    }

    /// Changes what is known of a number that was given.
    pub(crate) fn replace(&mut self, number: u64, entry: Entry) -> io::Result<()> {
        self.0.replace((number - 1) * SIZE, &entry.to_bytes())
    }

    /// What is known of at most `most` numbers from `from` on, each with its number.
    pub(crate) fn read(&mut self, from: u64, most: u64) -> io::Result<Vec<(u64, Entry)>> {
        let from = from.max(1);
        let bytes = self.0.read((from - 1) * SIZE, most.saturating_mul(SIZE))?;
        let entries = bytes.chunks_exact(32).map(Entry::from_bytes);
        Ok((from..).zip(entries).collect())
    }

    /// What is known of one number; `None` when it was not given.
    pub(crate) fn get(&mut self, number: u64) -> io::Result<Option<Entry>> {
        if number == 0 {
            return Ok(None);
        }
        let found = self.read(number, 1)?;
        Ok(found.first().map(|(_, entry)| *entry))
    }
}

impl Entry {
    /// Whether there is a message that was imported.
    pub(crate) fn is_imported(&self) -> bool {
        self.len > 0 && self.made_by == MadeBy::Import
    }

    fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.start.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.len.to_le_bytes());
        bytes[12] = u8::from(self.made_by == MadeBy::Service);
        bytes[16..24].copy_from_slice(&self.sent_at.to_le_bytes());
        bytes[24..].copy_from_slice(&self.conversation.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        let eight = |from: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[from..from + 8]);
            eight
        };
        let mut len = [0; 4];
        len.copy_from_slice(&bytes[8..12]);
        Self {
            start: u64::from_le_bytes(eight(0)),
            len: u32::from_le_bytes(len),
            made_by: match bytes[12] {
                0 => MadeBy::Import,
                _ => MadeBy::Service,
            },
            sent_at: i64::from_le_bytes(eight(16)),
            conversation: u64::from_le_bytes(eight(24)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Index, MadeBy};

    fn entry(number: u64) -> Entry {
        Entry {
            start: number * 100,
            len: 7,
            made_by: MadeBy::Import,
            sent_at: -5,
            conversation: u64::MAX - number,
        }
    }

    #[test]
    fn an_entry_is_found_by_its_number_and_can_change() {
        let mut index = Index::new().unwrap();
        assert_eq!(index.last(), 0);
        for number in 1..=10_000 {
            index.append(entry(number)).unwrap();
        }
        let changed = Entry {
            made_by: MadeBy::Service,
            len: 0,
            ..entry(3)
        };
        index.replace(3, changed).unwrap();
        assert_eq!(index.last(), 10_000);
        assert_eq!(index.get(0).unwrap(), None);
        assert_eq!(index.get(10_001).unwrap(), None);
        let found = index.read(2, 3).unwrap();
        assert_eq!(found, [(2, entry(2)), (3, changed), (4, entry(4))]);
        assert!(entry(2).is_imported() && !changed.is_imported());
    }
}
