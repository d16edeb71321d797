//! Whether a file is text at all.

use std::io::{self, Cursor, Read};

use chatferry_core::source::SourceError;
use chatferry_files::{Found, refused};

/// Bytes looked at to tell text from other things.
const HEAD: u64 = 4096;
/// The bytes of a file, which begin as text does.
pub(crate) fn text<R: Read>(file: &Found, bytes: R) -> Result<impl Read + use<R>, SourceError> {
    let headed = Headed::open(bytes);
    headed.check(file)?;
    Ok(headed)
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
