//! Keys in a file.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use fastbloom::BloomFilter;

use crate::same::AsTheyAre;

/// Bits of the filter for each key: of 100 keys that are not in the file, one is looked for.
const FILTER_BITS: u64 = 10;
/// Keys that are read at once when one is looked for.
const BLOCK: u64 = 512;
/// Bytes of a key.
const SIZE: u64 = 8;
/// Bytes written and read at once when all are.
const BUFFER: usize = 64 * 1024;

/// Keys in ascending order in a temporary file without a name: the operating system removes it with
/// the process, however that ends.
#[derive(Debug)]
pub(crate) struct SortedFile {
    file: File,
    len: u64,
    /// Knows most keys that are not in the file.
    filter: BloomFilter<AsTheyAre>,
    /// The first key of each block.
    firsts: Vec<u64>,
    /// How many times its keys were merged.
    pub(crate) merges: u32,
}

impl SortedFile {
    /// Writes keys that ascend, at most so many, to a file of that folder, or else of the system's.
    pub(crate) fn write(
        folder: Option<&Path>,
        keys: impl Iterator<Item = io::Result<u64>>,
        most: u64,
        merges: u32,
    ) -> io::Result<Self> {
        let bits = usize::try_from(most * FILTER_BITS).unwrap_or(usize::MAX);
        let expected = usize::try_from(most).unwrap_or(usize::MAX);
        let mut filter = BloomFilter::with_num_bits(bits)
            .hasher(AsTheyAre::default())
            .expected_items(expected);
        let file = match folder {
            Some(folder) => tempfile::tempfile_in(folder)?,
            None => tempfile::tempfile()?,
        };
        let mut file = BufWriter::with_capacity(BUFFER, file);
        let (mut firsts, mut len) = (Vec::new(), 0);
        for key in keys {
            let key = key?;
            if len % BLOCK == 0 {
                firsts.push(key);
            }
            filter.insert_hash(key);
            file.write_all(&key.to_le_bytes())?;
            len += 1;
        }
        Ok(Self {
            file: file.into_inner()?,
            len,
            filter,
            firsts,
            merges,
        })
    }

    /// Writes the keys of these files, none of which is in two of them, into one.
    pub(crate) fn merge(folder: Option<&Path>, files: &mut [Self]) -> io::Result<Self> {
        let most = files.iter().map(|file| file.len).sum();
        let merges = files.iter().map(|file| file.merges).max().unwrap_or(0) + 1;
        let mut heads = Vec::with_capacity(files.len());
        for file in files {
            let mut keys = file.keys()?;
            heads.push((keys.next().transpose()?, keys));
        }
        let ascending = std::iter::from_fn(|| {
            let heads = heads.iter_mut().filter(|(head, _)| head.is_some());
            let (head, keys) = heads.min_by_key(|(head, _)| *head)?;
            let key = (*head)?;
            match keys.next().transpose() {
                Ok(next) => *head = next,
                Err(error) => return Some(Err(error)),
            }
            Some(Ok(key))
        });
        Self::write(folder, ascending, most, merges)
    }

    /// Whether a key is in it.
    pub(crate) fn contains(&mut self, key: u64) -> io::Result<bool> {
        if !self.filter.contains_hash(key) {
            return Ok(false);
        }
        let blocks = self.firsts.partition_point(|first| *first <= key);
        let Some(block) = blocks.checked_sub(1) else {
            return Ok(false);
        };
        let start = u64::try_from(block).expect("memory is counted in 64 bits") * BLOCK;
        let mut keys = [0; 4_096];
        let len = usize::try_from((self.len - start).min(BLOCK) * SIZE).expect("a block is small");
        self.file.seek(SeekFrom::Start(start * SIZE))?;
        self.file.read_exact(&mut keys[..len])?;
        Ok(keys[..len]
            .chunks_exact(8)
            .any(|it| it == key.to_le_bytes()))
    }

    /// All keys, in ascending order.
    fn keys(&mut self) -> io::Result<impl Iterator<Item = io::Result<u64>>> {
        self.file.rewind()?;
        let mut file = BufReader::with_capacity(BUFFER, &self.file);
        Ok((0..self.len).map(move |_| {
            let mut key = [0; 8];
            file.read_exact(&mut key)?;
            Ok(u64::from_le_bytes(key))
        }))
    }
}
