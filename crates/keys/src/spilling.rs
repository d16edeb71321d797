//! A set of ids of which nearly all are in files.

use std::io;
use std::path::PathBuf;

use crate::keys::{Keys, kept};
use crate::sorted_file::SortedFile;

/// Keys that are in memory before they are written to a file.
const RECENT: u64 = 1 << 18;
/// Files of about one size that become one.
const MERGED: usize = 4;

/// A set of ids, each a hash of 64 bits, for those that are hardly ever met twice.
///
/// A quarter of a million of them are in memory, and the others in temporary files, 8 bytes each. For each
/// of those there are about one and a half bytes in memory, which tell of most ids that are not in a
/// file that it need not be read. Where no file can be written, all stay in memory.
#[derive(Debug)]
pub struct SpillingKeys {
    recent: Keys,
    /// The oldest, which are the largest, first. No key is in two of them.
    files: Vec<SortedFile>,
    /// Those in files that were taken out.
    removed: Keys,
    len: u64,
    /// How many may be in memory.
    room: u64,
    folder: Option<PathBuf>,
}

impl SpillingKeys {
    /// None; files will be in that folder, or else in the system's folder for temporary ones.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            recent: Keys::default(),
            files: Vec::new(),
            removed: Keys::default(),
            len: 0,
            room: RECENT,
            folder,
        }
    }

    /// Whether a key is in it.
    ///
    /// # Errors
    ///
    /// When a temporary file cannot be read.
    pub fn contains(&mut self, key: u64) -> io::Result<bool> {
        Ok(self.recent.contains(key) || self.is_in_files(key)? && !self.removed.contains(key))
    }

    /// Adds a key; says whether it was not in it.
    ///
    /// # Errors
    ///
    /// When a temporary file cannot be read.
    pub fn insert(&mut self, key: u64) -> io::Result<bool> {
        if self.is_in_files(key)? {
            let is_new = self.removed.remove(key);
            self.len += u64::from(is_new);
            return Ok(is_new);
        }
        let before = self.len;
        self.insert_new(key);
        Ok(self.len > before)
    }

    /// Adds a key that is surely new, which need not be looked for.
    pub fn insert_new(&mut self, key: u64) {
        self.len += u64::from(self.recent.insert(key));
        if self.recent.len() >= self.room {
            self.spill();
        }
    }

    /// Takes a key out; says whether it was in it.
    ///
    /// # Errors
    ///
    /// When a temporary file cannot be read.
    pub fn remove(&mut self, key: u64) -> io::Result<bool> {
        let was_there =
            self.recent.remove(key) || self.is_in_files(key)? && self.removed.insert(key);
        self.len -= u64::from(was_there);
        Ok(was_there)
    }

    /// How many keys are in it.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether none is in it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn is_in_files(&mut self, key: u64) -> io::Result<bool> {
        for file in &mut self.files {
            if file.contains(kept(key))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes what is in memory to a file.
    fn spill(&mut self) {
        let (folder, keys) = (self.folder.as_deref(), self.recent.iter().map(Ok));
        match SortedFile::write(folder, keys, self.recent.len(), 0) {
            Ok(file) => {
                self.recent.clear();
                self.files.push(file);
                self.merge();
            }
            Err(error) => {
                tracing::warn!(%error, "ids stay in memory: cannot write a temporary file");
                self.room *= 2;
            }
        }
    }

    /// Makes one of the last files as long as there are enough of about one size.
    fn merge(&mut self) {
        while let Some(from) = self.files.len().checked_sub(MERGED) {
            let last = &mut self.files[from..];
            if last.iter().any(|file| file.merges != last[0].merges) {
                return;
            }
            match SortedFile::merge(self.folder.as_deref(), last) {
                Ok(merged) => self.files.splice(from.., [merged]),
                Err(error) => {
                    tracing::warn!(%error, "looking for ids takes longer: cannot write a temporary file");
                    return;
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn hash(number: u64) -> u64 {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// Writes a file as soon as there are so many.
    fn spilling(room: u64) -> SpillingKeys {
        SpillingKeys {
            room,
            ..SpillingKeys::new(None)
        }
    }

    proptest! {
        #[test]
        fn they_are_a_set(
            room in 1..40_u64,
            steps in prop::collection::vec((prop_oneof![(0..400_u64).prop_map(hash), 0..3_u64], 0..4_u8), 0..1_500),
        ) {
            let (mut keys, mut set) = (spilling(room), BTreeSet::new());
            for (key, step) in steps {
                let held = key.max(1);
                match step {
                    0 => prop_assert_eq!(keys.remove(key).unwrap(), set.remove(&held)),
                    _ => prop_assert_eq!(keys.insert(key).unwrap(), set.insert(held)),
                }
                prop_assert_eq!(keys.contains(key).unwrap(), set.contains(&held));
                prop_assert_eq!(keys.len(), set.len() as u64);
            }
            for number in 0..400 {
                prop_assert_eq!(keys.contains(hash(number)).unwrap(), set.contains(&hash(number).max(1)));
            }
        }
    }

    #[test]
    fn where_no_file_can_be_written_all_stay_in_memory() {
        let mut keys = SpillingKeys {
            folder: Some("/there/is/no/such/folder".into()),
            ..spilling(10)
        };
        for number in 0..1_000 {
            assert!(keys.insert(hash(number)).unwrap());
        }
        assert!((0..1_000).all(|number| !keys.insert(hash(number)).unwrap()));
        assert_eq!(keys.recent.len(), 1_000);
    }

    #[test]
    fn a_few_files_hold_many_and_few_are_read_for_others() {
        let mut keys = spilling(1_000);
        for number in 0..100_000 {
            assert!(keys.insert(hash(number)).unwrap());
        }
        let sizes: Vec<u32> = keys.files.iter().map(|file| file.merges).collect();
        // 100 files were written: 1 of 64, 2 of 16, 1 of 4.
        assert_eq!(sizes, [3, 2, 2, 1]);
        assert!(keys.recent.is_empty());
        for number in 0..200_000 {
            assert_eq!(keys.contains(hash(number)).unwrap(), number < 100_000);
        }
    }
}
