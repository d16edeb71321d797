//! Whether a file is still what was written.

use std::fs::File;
use std::hash::Hasher;
use std::io::{self, Read, Write};
use std::path::Path;

use twox_hash::XxHash3_64;

use crate::snapshot::manifest::Kept;

/// Bytes read at a time.
const PIECE: usize = 256 << 10;

/// Something written that is counted and summed up on its way.
pub(crate) struct Summed<W> {
    into: W,
    bytes: u64,
    sum: XxHash3_64,
}

impl<W> Summed<W> {
    pub(crate) fn new(into: W) -> Self {
        Self {
            into,
            bytes: 0,
            sum: XxHash3_64::new(),
        }
    }

    /// What it was written into, and what was written.
    pub(crate) fn finish(self, file: &str) -> (W, Kept) {
        let kept = Kept {
            file: file.to_owned(),
            bytes: self.bytes,
            checksum: shown(&self.sum),
        };
        (self.into, kept)
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.into.write(bytes)?;
        self.sum.write(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.into.flush()
    }
}

/// What a file is not any more that it was, in words; `None` when nothing has changed.
pub(crate) fn difference(folder: &Path, kept: &Kept) -> io::Result<Option<String>> {
    let mut file = File::open(folder.join(&kept.file))?;
    let bytes = file.metadata()?.len();
    if bytes != kept.bytes {
        return Ok(Some(format!(
            "it has {bytes} bytes, and {} were written",
            kept.bytes
        )));
    }
    let mut sum = XxHash3_64::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => sum.write(&piece[..read]),
        }
    }
    let found = shown(&sum);
    Ok((found != kept.checksum).then(|| {
        format!(
            "its checksum is {found}, and was {} when it was written",
            kept.checksum
        )
    }))
}

fn shown(sum: &XxHash3_64) -> String {
    format!("xxh3:{:016x}", sum.finish())
}
