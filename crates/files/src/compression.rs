//! Files that are compressed, as their names say.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use bzip2::bufread::MultiBzDecoder;
use chatferry_core::source::SourceError;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use crate::failure::{failed, refused};
use crate::limits::{Counted, Limited, Limits};

/// Compressed bytes read at a time.
const PACKED: usize = 64 * 1024;
/// Plain bytes looked at to find out that they are not plain.
const HEAD: u64 = 512;
/// KiB that an xz decoder may need. `xz -9` needs 65 MiB; more takes options that nobody uses.
const XZ_MEMORY: u32 = 512 << 10;
/// The window of a zstd decoder as a power of two: 128 MiB, what `--long` needs.
const ZSTD_WINDOW: u32 = 27;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Compression {
    pub(crate) const ALL: [Self; 4] = [Self::Gzip, Self::Zstd, Self::Bzip2, Self::Xz];

    /// What the ending of a name says.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let is_ending = |compression: &Self| ends_with(name, compression.ending());
        Self::ALL.into_iter().find(is_ending)
    }

    /// The name without the ending that says so.
    pub(crate) fn plain(name: &str) -> &str {
        let ending = Self::of(name).map_or("", Self::ending);
        &name[..name.len() - ending.len()]
    }

    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
            Self::Bzip2 => ".bz2",
            Self::Xz => ".xz",
        }
    }

    fn called(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    fn begins(self, head: &[u8]) -> bool {
        match self {
            Self::Gzip => head.starts_with(b"\x1f\x8b"),
            // The second is a part that readers skip.
            Self::Zstd => {
                head.starts_with(b"\x28\xb5\x2f\xfd") || head.get(1..4) == Some(b"\x2a\x4d\x18")
            }
            // The second is one without contents.
            Self::Bzip2 => {
                head.starts_with(b"BZh")
                    && [
                        &b"\x31\x41\x59\x26\x53\x59"[..],
                        b"\x17\x72\x45\x38\x50\x90",
                    ]
                    .contains(&head.get(4..10).unwrap_or_default())
            }
            Self::Xz => head.starts_with(b"\xfd7zXZ\0"),
        }
    }

    /// The decompressed bytes of all streams that stand one behind the other.
    pub(crate) fn unpacked<'a>(
        self,
        name: &str,
        stored: Box<dyn Read + 'a>,
        limits: Limits,
    ) -> Result<Box<dyn Read + 'a>, SourceError> {
        let (stored, packed) = Counted::new(stored);
        let mut stored = BufReader::with_capacity(PACKED, stored);
        let head = stored.fill_buf().map_err(|error| failed(name, error))?;
        if !self.begins(head) {
            let called = self.called();
            let reason = match head {
                [] => "it is empty, and nothing compressed is",
                _ => &format!("its name says that it is compressed by {called}, and it is not"),
            };
            return Err(refused(name, reason)
                .help("give it a name without that ending, or export it again"));
        }
        let plain: Box<dyn Read + 'a> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(stored)),
            Self::Zstd => {
                let decoder = zstd::Decoder::with_buffer(stored).and_then(|mut decoder| {
                    decoder.window_log_max(ZSTD_WINDOW)?;
                    Ok(decoder)
                });
                Box::new(decoder.map_err(|error| failed(name, error))?)
            }
            Self::Bzip2 => Box::new(MultiBzDecoder::new(stored)),
            Self::Xz => Box::new(XzReader::new_mem_limit(stored, true, XZ_MEMORY)),
        };
        Ok(Box::new(Limited::new(plain, name, packed, limits)))
    }
}

/// The bytes of a file whose name does not say that it is compressed or an archive, if it is
/// neither.
pub(crate) fn plain<'a>(
    name: &str,
    mut stored: Box<dyn Read + 'a>,
) -> Result<Box<dyn Read + 'a>, SourceError> {
    let mut head = Vec::new();
    let failure = stored.by_ref().take(HEAD).read_to_end(&mut head).err();
    let compressed = Compression::ALL.into_iter().find(|kind| kind.begins(&head));
    let (reason, help) = if let Some(compression) = compressed {
        let (called, ending) = (compression.called(), compression.ending());
        (
            format!("it is compressed by {called}"),
            format!("give it a name that ends in `{ending}`"),
        )
    } else if let Some(archive) = archive(&head) {
        let help = "give it as `root`, and the file within it as `path`";
        (format!("it is a {archive} archive"), help.to_owned())
    } else {
        return Ok(match failure {
            None => Box::new(Cursor::new(head).chain(stored)),
            Some(failure) => Box::new(Cursor::new(head).chain(Failing(Some(failure)))),
        });
    };
    Err(refused(name, &reason).help(help))
}

fn archive(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        Some("zip")
    } else if head.get(257..262) == Some(b"ustar") {
        Some("tar")
    } else if head.starts_with(b"7z\xbc\xaf\x27\x1c") {
        Some("7z")
    } else if head.starts_with(b"Rar!\x1a\x07") {
        Some("rar")
    } else {
        None
    }
}

/// Fails, once.
pub(crate) struct Failing(pub(crate) Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Whether a name has that ending, in whatever case.
pub(crate) fn ends_with(name: &str, ending: &str) -> bool {
    let begin = name.len().checked_sub(ending.len());
    let tail = begin.and_then(|begin| name.as_bytes().get(begin..));
    tail.is_some_and(|tail| tail.eq_ignore_ascii_case(ending.as_bytes()))
}
