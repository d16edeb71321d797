//! How much may come out of what is compressed, so that a decompression bomb does no harm.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chatferry_core::source::{SourceError, SourceErrorKind};

/// Bytes that may always come out, whatever the ratio: they take a second.
const HARMLESS: u64 = 64 << 20;

/// How much may come out of one compressed file or member of an archive. A compressed tar counts
/// as one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Bytes.
    pub max_unpacked: u64,
    /// Bytes for each byte that goes in, once they are more than 64 MiB.
    pub max_ratio: u64,
}

impl Default for Limits {
    /// 256 GiB, and 1,000 for one.
    ///
    /// Deflate cannot do better than 1,032 for one, and that only for one byte repeated; chats
    /// shrink to a tenth, and exports of nothing but empty fields to a hundredth.
    fn default() -> Self {
        Self {
            max_unpacked: 256 << 30,
            max_ratio: 1_000,
        }
    }
}

/// Bytes that went in.
#[derive(Clone, Debug)]
pub(crate) enum Packed {
    /// As many as the archive says.
    Known(u64),
    /// As many as were read so far.
    Read(Arc<AtomicU64>),
}

/// Counts the bytes that are read.
pub(crate) struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(crate) fn new(inner: R) -> (Self, Packed) {
        let count = Arc::new(AtomicU64::new(0));
        let packed = Packed::Read(Arc::clone(&count));
        (Self { inner, count }, packed)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Fails when more comes out than may.
pub(crate) struct Limited<R> {
    inner: R,
    name: Arc<str>,
    packed: Packed,
    limits: Limits,
    unpacked: u64,
}

impl<R> Limited<R> {
    pub(crate) fn new(inner: R, name: &str, packed: Packed, limits: Limits) -> Self {
        let name = name.into();
        Self {
            inner,
            name,
            packed,
            limits,
            unpacked: 0,
        }
    }

    fn check(&self) -> io::Result<()> {
        let Limits {
            max_unpacked,
            max_ratio,
        } = self.limits;
        let packed = match &self.packed {
            Packed::Known(packed) => *packed,
            Packed::Read(packed) => packed.load(Ordering::Relaxed),
        };
        let (what, key) = if self.unpacked > max_unpacked {
            (format!("more than {max_unpacked} bytes"), "max_unpacked")
        } else if self.unpacked > HARMLESS && self.unpacked / max_ratio > packed {
            let what = format!("more than {max_ratio} bytes for each of its bytes");
            (what, "max_ratio")
        } else {
            return Ok(());
        };
        let reason = format!("it unpacks to {what}, as a decompression bomb does");
        let doing = format!("read {}", self.name);
        let error = SourceError::new(SourceErrorKind::Malformed, doing, reason).help(format!(
            "if it is what it should be, raise `{key}` in the source's settings"
        ));
        Err(io::Error::other(error))
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked += read as u64;
        self.check()?;
        Ok(read)
    }
}
