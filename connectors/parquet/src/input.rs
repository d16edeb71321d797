//! The bytes that the Parquet reader asks for, read ahead a window at a time.
//!
//! The reader goes through the column chunks of a row group side by side, page by page, and asks
//! for each page's header and then its bytes. Those are many small questions. So each column
//! chunk has a window that runs ahead of them, and what is held never grows with the row group.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use chatferry_core::source::SourceError;
use chatferry_files::Ranges;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// Bytes that all windows of a row group hold together, roughly.
const HELD: u64 = 16 << 20;
/// Bytes of one window, at least: a page has some 100 KiB or 1 MiB.
const LEAST: u64 = 128 << 10;
/// Bytes of one window, at most: more is not faster, from disks or from object stores.
const MOST: u64 = 2 << 20;
/// Bytes that a page's header is looked for in, at first.
const HEADER: u64 = 4 << 10;

/// A file, with windows over some parts of it.
#[derive(Clone, Debug)]
pub(crate) struct Input(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ranges: Arc<dyn Ranges>,
    /// Sorted, and apart from each other.
    windows: Vec<Window>,
    size: u64,
    /// Why the file could not be read, since the Parquet reader keeps only the words.
    failure: Mutex<Option<SourceError>>,
}

#[derive(Debug)]
struct Window {
    over: Range<u64>,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    start: u64,
    bytes: Bytes,
}

impl Held {
    fn get(&self, range: &Range<u64>) -> Option<Bytes> {
        let end = self.start + self.bytes.len() as u64;
        let within = self.start <= range.start && range.end <= end;
        within.then(|| {
            let from = |byte: u64| usize::try_from(byte - self.start).expect("held in memory");
            self.bytes.slice(from(range.start)..from(range.end))
        })
    }
}

impl Input {
    /// A file without windows.
    pub(crate) fn of(ranges: Arc<dyn Ranges>) -> Self {
        Self::with_windows(ranges, Vec::new())
    }

    /// A file with a window over each of these parts of it.
    pub(crate) fn with_windows(ranges: Arc<dyn Ranges>, mut parts: Vec<Range<u64>>) -> Self {
        parts.sort_by_key(|part| (part.start, part.end));
        parts.dedup_by(|later, earlier| later.start < earlier.end);
        parts.retain(|part| part.start < part.end && part.end <= ranges.len());
        let size = (HELD / (parts.len() as u64).max(1)).clamp(LEAST, MOST);
        let window = |over| Window {
            over,
            held: Mutex::default(),
        };
        Self(Arc::new(Shared {
            ranges,
            windows: parts.into_iter().map(window).collect(),
            size,
            failure: Mutex::default(),
        }))
    }

    /// Fills all windows from where they begin, at once.
    pub(crate) fn look_ahead(&self) -> Result<(), SourceError> {
        let first = |window: &Window| {
            let end = window.over.end.min(window.over.start + self.0.size);
            window.over.start..end
        };
        let parts: Vec<Range<u64>> = self.0.windows.iter().map(first).collect();
        let read = self.0.ranges.read_all(&parts)?;
        for ((window, part), bytes) in self.0.windows.iter().zip(parts).zip(read) {
            let start = part.start;
            *lock(&window.held) = Held { start, bytes };
        }
        Ok(())
    }

    /// Why reading failed, if it is the file that could not be read.
    pub(crate) fn failure(&self) -> Option<SourceError> {
        lock(&self.0.failure).take()
    }

    /// The bytes of a range.
    pub(crate) fn get(&self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        if range.end > self.0.ranges.len() || range.start > range.end {
            return Err(ParquetError::EOF(format!(
                "bytes {} to {} are wanted, and there are {}",
                range.start,
                range.end,
                self.0.ranges.len()
            )));
        }
        let read = |range: Range<u64>| {
            self.0.ranges.read(range).map_err(|error| {
                let told = ParquetError::General(error.to_string());
                lock(&self.0.failure).get_or_insert(error);
                told
            })
        };
        let Some(window) = self.window(range.start).filter(|w| range.end <= w.over.end) else {
            return read(range);
        };
        let mut held = lock(&window.held);
        if let Some(bytes) = held.get(&range) {
            return Ok(bytes);
        }
        let start = range.start;
        let end = range.end.max(window.over.end.min(start + self.0.size));
        let bytes = read(start..end)?;
        *held = Held { start, bytes };
        Ok(held.get(&range).expect("it was just read"))
    }

    fn window(&self, byte: u64) -> Option<&Window> {
        let after = self.0.windows.partition_point(|w| w.over.start <= byte);
        let window = self.0.windows.get(after.checked_sub(1)?)?;
        (byte < window.over.end).then_some(window)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no holder of this lock panics")
}

impl Length for Input {
    fn len(&self) -> u64 {
        self.0.ranges.len()
    }
}

impl ChunkReader for Input {
    type T = Stream;

    fn get_read(&self, start: u64) -> Result<Stream, ParquetError> {
        Ok(Stream {
            input: self.clone(),
            at: start,
            bytes: Bytes::new(),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        self.get(start..start.saturating_add(length as u64))
    }
}

/// The bytes from one place on.
#[derive(Debug)]
pub(crate) struct Stream {
    input: Input,
    at: u64,
    bytes: Bytes,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            let end = match self.input.window(self.at) {
                Some(window) => window.over.end,
                None => self.input.len(),
            };
            let end = end.min(self.at + HEADER);
            self.bytes = self.input.get(self.at..end).map_err(io::Error::other)?;
            self.at = end;
        }
        let length = buffer.len().min(self.bytes.len());
        buffer[..length].copy_from_slice(&self.bytes.split_to(length));
        Ok(length)
    }
}
