//! One file as a stream of bytes, decompressed.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor, Read};

use chatferry_core::place::Place;
use chatferry_core::source::{SourceError, SourceErrorKind};
use flate2::bufread::MultiGzDecoder;

use crate::files::{Archive, COMPRESSED, Found, Mark, Root, Whence, failed, refused};
use crate::pieces::Failed;
use crate::window::At;

/// Bytes looked at to tell text from other things.
const HEAD: u64 = 4096;
/// Compressed bytes read at a time.
const PACKED: usize = 64 * 1024;
/// With what compressed data begins.
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
/// The same from the second byte, for a part that readers skip.
const ZSTD_SKIPPED: &[u8] = b"\x2a\x4d\x18";

/// Opens files one after the other; an archive is opened once.
pub(crate) struct Opener {
    archive: Option<Archive>,
}

impl Opener {
    /// An opener for the files of that root.
    pub(crate) fn new(root: &Root) -> Result<Self, SourceError> {
        Ok(Self {
            archive: root.archive()?,
        })
    }

    /// The bytes of a file.
    pub(crate) fn open<'a>(&'a mut self, file: &Found) -> Result<Box<dyn Read + 'a>, SourceError> {
        let name = &*file.name;
        let stored: Box<dyn Read + 'a> = match &file.whence {
            Whence::File(path, mark) => {
                let opened = File::open(path).map_err(|error| failed(name, error))?;
                // What was added since it was described was not looked at, so it is not read.
                Box::new(opened.take(mark.size))
            }
            Whence::Member(index) => {
                let archive = self
                    .archive
                    .as_mut()
                    .expect("members are only found in archives");
                Box::new(archive.by_index(*index).map_err(|error| {
                    refused(name, "it cannot be taken out of the archive")
                        .help("unpack the archive, and give the folder as `root`")
                        .cause(error)
                })?)
            }
        };
        let plain: Box<dyn Read + 'a> = if name.ends_with(COMPRESSED[0]) {
            let stored = packed(name, stored, "gzip", |head| head.starts_with(GZIP))?;
            Box::new(MultiGzDecoder::new(stored))
        } else if name.ends_with(COMPRESSED[1]) {
            let stored = packed(name, stored, "zstd", |head| {
                head.starts_with(ZSTD) || head.get(1..4) == Some(ZSTD_SKIPPED)
            })?;
            Box::new(zstd::Decoder::with_buffer(stored).map_err(|error| failed(name, error))?)
        } else {
            stored
        };
        let headed = Headed::open(plain);
        headed.check(file)?;
        Ok(Box::new(headed))
    }
}

/// The compressed bytes of a file, if they begin as such bytes do.
fn packed<'a>(
    name: &str,
    stored: Box<dyn Read + 'a>,
    by: &str,
    begins: fn(&[u8]) -> bool,
) -> Result<BufReader<Box<dyn Read + 'a>>, SourceError> {
    let mut stored = BufReader::with_capacity(PACKED, stored);
    let head = stored.fill_buf().map_err(|error| failed(name, error))?;
    if begins(head) {
        return Ok(stored);
    }
    let reason = format!("its name says that it is compressed by {by}, and it is not");
    Err(refused(name, &reason).help("give it a name without that ending, or export it again"))
}

/// Whether a file is no longer what it was when it was listed.
pub(crate) fn has_changed(file: &Found) -> bool {
    match &file.whence {
        Whence::File(path, mark) => {
            fs::metadata(path).map_or(true, |metadata| Mark::of(&metadata) != *mark)
        }
        Whence::Member(_) => false,
    }
}

/// The error for files that are no longer what they were when they were described.
pub(crate) fn changed(name: &str) -> SourceError {
    let reason = "it has changed since its columns were looked up";
    SourceError::new(SourceErrorKind::Changed, format!("read {name}"), reason)
        .help("wait until nothing writes to it any more, or read a copy, and start again")
}

/// The error for what went wrong in the middle of a file.
pub(crate) fn broken(file: &Found, error: io::Error, at: At) -> Failed {
    let name = &*file.name;
    let packed = matches!(file.whence, Whence::Member(_))
        || COMPRESSED.iter().any(|ending| name.ends_with(ending));
    let damage = matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput
            | io::ErrorKind::Other
    );
    let place = Place {
        file: name.into(),
        line: Some(at.line),
        byte: Some(at.byte),
    };
    if packed && damage {
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => "its compressed data breaks off",
            _ => "its compressed data is damaged",
        };
        let error = refused(name, reason)
            .at(place)
            .help("export or download it again; the rows before this place could be read")
            .cause(error);
        return Failed {
            error,
            damaged: true,
        };
    }
    failed(name, error).at(place).into()
}

/// A stream whose beginning was looked at.
struct Headed<R> {
    head: Cursor<Vec<u8>>,
    /// What went wrong behind the head, to be told when the head was read.
    failure: Option<io::Error>,
    rest: R,
}

impl<R: Read> Headed<R> {
    fn open(mut rest: R) -> Self {
        let mut head = Vec::new();
        let failure = rest.by_ref().take(HEAD).read_to_end(&mut head).err();
        Self {
            head: Cursor::new(head),
            failure,
            rest,
        }
    }

    /// Finds out early what is no text at all.
    fn check(&self, file: &Found) -> Result<(), SourceError> {
        let head = self.head.get_ref();
        let begins = |with: &[u8]| head.starts_with(with);
        let (reason, help) = if begins(b"\xff\xfe") || begins(b"\xfe\xff") {
            (
                "it is UTF-16, and JSON is UTF-8",
                "convert it, such as by `iconv -f UTF-16 -t UTF-8`",
            )
        } else if begins(GZIP) {
            (
                "it is compressed by gzip",
                "give it a name that ends in `.gz`",
            )
        } else if begins(ZSTD) {
            (
                "it is compressed by zstd",
                "give it a name that ends in `.zst`",
            )
        } else if begins(b"PK\x03\x04") {
            (
                "it is a zip archive",
                "give it as `root`, and the file within it as `path`",
            )
        } else if looks_binary(head) {
            ("it is a binary file", "check that `path` names JSON text")
        } else {
            return Ok(());
        };
        Err(refused(&file.name, reason).help(help))
    }
}

/// Whether more than one byte in twenty is a control character. Fewer are for their own records to
/// be rejected for.
fn looks_binary(head: &[u8]) -> bool {
    let control = |byte: &&u8| **byte < 0x20 && !byte.is_ascii_whitespace();
    head.iter().filter(control).count() * 20 > head.len()
}

impl<R: Read> Read for Headed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.head.read(buffer)?;
        if read > 0 || buffer.is_empty() {
            return Ok(read);
        }
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => self.rest.read(buffer),
        }
    }
}
