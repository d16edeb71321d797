//! Zip archives.

use std::io::Read;
use std::sync::Arc;

use chatferry_core::source::SourceError;
use zip::read::ZipReadOptions;
use zip::result::ZipError;
use zip::{CompressionMethod, System, ZipArchive};

use super::name::within;
use super::{Index, Member, Place, cannot_be_opened, cannot_be_taken_out};
use crate::blob::{Blob, Mark, Seekable};
use crate::failure::failed;
use crate::limits::{Limited, Limits, Packed};

/// The directory at the end of a zip archive.
pub(super) type Directory = Arc<zip::read::ZipArchiveMetadata>;

/// The least bytes that stand before a member's own.
const HEADER: u64 = 30;

/// What is in the archive.
pub(super) fn index(blob: &Blob, mark: &Mark) -> Result<Index, SourceError> {
    let archive = ZipArchive::new(blob.seekable(mark)?).map_err(|error| match error {
        ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
            failed(&blob.name(), error)
        }
        error => {
            let reason = "it is not a zip archive, or it is cut off or damaged";
            cannot_be_opened(blob, reason).cause(error)
        }
    })?;
    if archive.has_duplicate_names() {
        let reason = "it holds two files of the same name, of which only one can be read";
        return Err(cannot_be_opened(blob, reason)
            .help("unpack the archive, and give the folder as `root`"));
    }
    let (mut members, mut spans) = (Vec::new(), Vec::new());
    for index in 0..archive.len() {
        let member = archive
            .by_index_data(index)
            .expect("the index is below the length");
        let (start, size) = (member.header_start(), member.compressed_size());
        spans.push((start, start.saturating_add(HEADER).saturating_add(size)));
        // Many programs write UTF-8 without saying so.
        let mut name = match str::from_utf8(member.name_raw()) {
            Ok(name) => name.to_owned(),
            Err(_) => match member.name() {
                Ok(name) => name.into_owned(),
                Err(_) => super::name::text(member.name_raw()),
            },
        };
        if member.system() == System::Dos && !name.contains('/') {
            name = name.replace('\\', "/");
        }
        if member.is_file()
            && let Some(name) = within(&name)
        {
            let place = Place::Zip(index);
            members.push(Member { name, size, place });
        }
    }
    spans.sort_unstable();
    if spans.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        let reason = "its members overlap, as those of a decompression bomb do";
        return Err(
            cannot_be_opened(blob, reason).help("do not trust it; ask whoever made it for another")
        );
    }
    Ok(Index {
        members,
        damage: None,
        zip: Some(archive.metadata()),
    })
}

/// Takes files out of a zip archive.
pub(crate) struct Unpacker {
    stored: Box<dyn Seekable>,
    directory: Directory,
    limits: Limits,
}

impl Unpacker {
    pub(super) fn new(stored: Box<dyn Seekable>, directory: Directory, limits: Limits) -> Self {
        Self {
            stored,
            directory,
            limits,
        }
    }

    /// The bytes of one of them.
    pub(super) fn read(
        &mut self,
        index: usize,
        name: &str,
    ) -> Result<Box<dyn Read + '_>, SourceError> {
        let entry = self.directory.entry(index);
        let entry = entry.expect("the index comes from this directory");
        if entry.encrypted() {
            let help = "unpack the archive with its password, and give the folder as `root`";
            return Err(cannot_be_taken_out(name, "it is encrypted").help(help));
        }
        let (method, packed) = (entry.compression(), entry.compressed_size());
        if ![
            CompressionMethod::STORE,
            CompressionMethod::DEFLATE,
            CompressionMethod::ZSTD,
        ]
        .contains(&method)
        {
            let reason = match called(method) {
                Some(called) => format!("it is compressed by {called}, which is not known here"),
                None => "it is stored in a way that is not known here".to_owned(),
            };
            return Err(cannot_be_taken_out(name, &reason));
        }
        let read = entry.with_reader(&mut self.stored, ZipReadOptions::new());
        let plain = read.map_err(|error| match error {
            ZipError::Io(error) if error.kind() != std::io::ErrorKind::UnexpectedEof => {
                failed(name, error)
            }
            error => cannot_be_taken_out(name, "the archive is damaged there").cause(error),
        })?;
        let packed = Packed::Known(packed);
        Ok(Box::new(Limited::new(plain, name, packed, self.limits)))
    }
}

fn called(method: CompressionMethod) -> Option<&'static str> {
    Some(match method {
        CompressionMethod::DEFLATE64 => "deflate64",
        CompressionMethod::BZIP2 => "bzip2",
        CompressionMethod::LZMA => "lzma",
        CompressionMethod::XZ => "xz",
        CompressionMethod::PPMD => "ppmd",
        CompressionMethod::IMPLODE => "implode",
        _ => return None,
    })
}
