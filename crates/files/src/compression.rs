//! Files that are compressed, as their names say.

use std::io::{BufRead, BufReader, Read};

use chatferry_core::source::SourceError;
use flate2::bufread::MultiGzDecoder;

use crate::failure::{failed, refused};

/// Compressed bytes read at a time.
const PACKED: usize = 64 * 1024;
/// With what compressed data begins.
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The same from the second byte, for a part that readers skip.
const ZSTD_SKIPPED: &[u8] = b"\x2a\x4d\x18";

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    const ALL: [Self; 2] = [Self::Gzip, Self::Zstd];

    /// What the ending of a name says.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|compression| name.ends_with(compression.ending()))
    }

    /// The name without the ending that says so.
    pub(crate) fn plain(name: &str) -> &str {
        let ending = Self::of(name).map_or("", Self::ending);
        name.strip_suffix(ending).unwrap_or(name)
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    fn called(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn begins(self, head: &[u8]) -> bool {
        match self {
            Self::Gzip => head.starts_with(GZIP),
            Self::Zstd => head.starts_with(ZSTD) || head.get(1..4) == Some(ZSTD_SKIPPED),
        }
    }

    /// The decompressed bytes.
    pub(crate) fn unpacked<'a>(
        self,
        name: &str,
        stored: Box<dyn Read + 'a>,
    ) -> Result<Box<dyn Read + 'a>, SourceError> {
        let mut stored = BufReader::with_capacity(PACKED, stored);
        let head = stored.fill_buf().map_err(|error| failed(name, error))?;
        if !self.begins(head) {
            let called = self.called();
            let reason = format!("its name says that it is compressed by {called}, and it is not");
            return Err(refused(name, &reason)
                .help("give it a name without that ending, or export it again"));
        }
        Ok(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(stored)),
            Self::Zstd => {
                let decoder = zstd::Decoder::with_buffer(stored);
                Box::new(decoder.map_err(|error| failed(name, error))?)
            }
        })
    }
}
