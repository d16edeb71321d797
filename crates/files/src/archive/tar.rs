//! Tar archives, compressed or not.
//!
//! A tar archive has no directory. It is read through once to find where its members stand; then
//! each is a run of bytes. Out of a compressed one they are taken in their order, so that it is
//! decompressed once more and no more.

use std::collections::HashMap;
use std::io::{self, Read};

use chatferry_core::source::SourceError;
use tar::{Archive, Entries, EntryType};

use super::name::{text, within};
use super::{Index, Member, Place, cannot_be_opened};
use crate::blob::{Blob, Mark};
use crate::compression::Compression;
use crate::failure::failed;
use crate::limits::{Counted, Limits, Packed};

/// Members begin and end at multiples of so many bytes.
const BLOCK: u64 = 512;
/// Bytes passed at a time on the way to a member.
const PASSED: usize = 64 * 1024;

/// What is in the archive.
pub(super) fn index(
    blob: &Blob,
    mark: &Mark,
    compression: Option<Compression>,
    limits: Limits,
) -> Result<Index, SourceError> {
    let name = blob.name();
    let found = match compression {
        None => {
            let mut archive = Archive::new(blob.seekable(mark)?);
            let entries = archive.entries_with_seek();
            let mut found = gathered(entries.map_err(|error| failed(&name, error))?)?;
            if found.failure.is_none() && found.end.saturating_add(BLOCK) > mark.size {
                found.failure = Some(cut_off());
            }
            found
        }
        Some(_) => {
            let stored = bytes(blob, mark, compression, limits)?;
            let (stored, read) = Counted::new(stored);
            let mut archive = Archive::new(stored);
            let entries = archive.entries();
            let mut found = gathered(entries.map_err(|error| failed(&name, error))?)?;
            let Packed::Read(read) = read else {
                unreachable!("what is counted was read")
            };
            let read = read.load(std::sync::atomic::Ordering::Relaxed);
            if found.failure.is_none() && found.end.saturating_add(BLOCK) > read {
                found.failure = Some(cut_off());
            }
            found
        }
    };
    let damage = match found.failure {
        None => None,
        Some(failure) if found.members.is_empty() => {
            let reason = "it is not a tar archive, or it is cut off or damaged";
            return Err(cannot_be_opened(blob, reason).cause(failure));
        }
        Some(failure) => Some(failure.to_string()),
    };
    Ok(Index {
        members: found.members,
        damage,
        zip: None,
    })
}

fn cut_off() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "it has no end mark")
}

/// What was met on the way through.
struct Gathered {
    members: Vec<Member>,
    /// Where the last of them ends.
    end: u64,
    failure: Option<io::Error>,
}

fn gathered<R: Read>(entries: Entries<'_, R>) -> Result<Gathered, SourceError> {
    let mut members: Vec<Member> = Vec::new();
    // By name as it is stored: one that comes again replaces the first, as in unpacking.
    let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
    let (mut end, mut failure) = (0_u64, None);
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => match error.downcast::<SourceError>() {
                Ok(error) => return Err(error),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            },
        };
        let stored = entry.path_bytes().into_owned();
        let (from, size) = (entry.raw_file_position(), entry.size());
        let (place, size) = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => (Place::Tar(from), size),
            EntryType::GNUSparse => (Place::Sparse, size),
            // A second name for a file that came before.
            EntryType::Link => {
                let target = entry.link_name_bytes().unwrap_or_default();
                match known.get(&*target).map(|at| &members[*at]) {
                    Some(target) => (target.place, target.size),
                    None => continue,
                }
            }
            _ => continue,
        };
        if let Place::Tar(from) = place {
            end = end.max(from.saturating_add(size).next_multiple_of(BLOCK));
        }
        let Some(name) = within(&text(&stored)) else {
            continue;
        };
        let member = Member { name, size, place };
        match known.get(&stored) {
            Some(at) => members[*at] = member,
            None => {
                known.insert(stored, members.len());
                members.push(member);
            }
        }
    }
    Ok(Gathered {
        members,
        end,
        failure,
    })
}

/// The decompressed bytes of the archive from its beginning.
fn bytes(
    blob: &Blob,
    mark: &Mark,
    compression: Option<Compression>,
    limits: Limits,
) -> Result<Box<dyn Read>, SourceError> {
    let name = blob.name();
    let stored = blob.stream(&name, mark, 0)?;
    match compression {
        Some(compression) => compression.unpacked(&name, stored, limits),
        None => Ok(stored),
    }
}

/// Takes files out of a tar archive.
pub(crate) struct Unpacker {
    blob: Blob,
    mark: Mark,
    compression: Option<Compression>,
    limits: Limits,
    /// The decompressed archive, and up to which byte it was read.
    stream: Option<(Box<dyn Read>, u64)>,
}

impl Unpacker {
    pub(super) fn new(
        blob: Blob,
        mark: Mark,
        compression: Option<Compression>,
        limits: Limits,
    ) -> Self {
        Self {
            blob,
            mark,
            compression,
            limits,
            stream: None,
        }
    }

    /// The bytes of the member that begins there.
    pub(super) fn read(
        &mut self,
        from: u64,
        name: &str,
        size: u64,
    ) -> Result<Box<dyn Read + '_>, SourceError> {
        let stream = match (self.compression, self.stream.take()) {
            (None, _) => (self.blob.stream(name, &self.mark, from)?, from),
            (Some(_), Some((stream, at))) if at <= from => (stream, at),
            (compression, _) => (bytes(&self.blob, &self.mark, compression, self.limits)?, 0),
        };
        Ok(Box::new(Whole {
            stream: self.stream.insert(stream),
            from,
            end: from.saturating_add(size),
        }))
    }
}

/// So many bytes from a place on, and no fewer.
struct Whole<'s> {
    stream: &'s mut (Box<dyn Read>, u64),
    from: u64,
    end: u64,
}

impl Read for Whole<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let (stream, at) = &mut *self.stream;
        let mut passed = Vec::new();
        while *at < self.from {
            passed.resize(PASSED, 0);
            let most = usize::try_from(self.from - *at).unwrap_or(PASSED);
            let read = stream.read(&mut passed[..most.min(PASSED)])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            *at += read as u64;
        }
        let left = usize::try_from(self.end - *at).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = stream.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        *at += read as u64;
        Ok(read)
    }
}
