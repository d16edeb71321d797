//! A folder with files and archives, and what can be read of them.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;

use chatferry_core::place::Place;
use chatferry_core::source::SourceError;
use chatferry_files::{Address, Found, Limits, Root, Template};
use chatferry_testkit::reading::error_shown;
use tempfile::TempDir;

/// A folder that goes away with the test.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A workshop with one file.
    pub(crate) fn with(name: &str, contents: impl AsRef<[u8]>) -> Self {
        let workshop = Self::new();
        workshop.write(name, contents);
        workshop
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    }

    pub(crate) fn address(&self, root: &str) -> Address {
        Address::parse(root, self.path()).unwrap()
    }

    pub(crate) fn root(&self, root: &str) -> Root {
        Root::open(&self.address(root)).unwrap()
    }

    /// What a person sees of all files below that root that a path stands for.
    pub(crate) fn shown(&self, root: &str, path: &str) -> String {
        self.shown_within(root, path, Limits::default())
    }

    pub(crate) fn shown_within(&self, root: &str, path: &str, limits: Limits) -> String {
        match Root::open(&self.address(root).within(limits)) {
            Ok(root) => shown(&root, path),
            Err(error) => error_shown(&error),
        }
    }
}

pub(crate) fn template(path: &str) -> Template {
    Template::parse(path).unwrap()
}

/// What a person sees of all files that a path stands for.
pub(crate) fn shown(root: &Root, path: &str) -> String {
    shown_by(root, &template(path))
}

pub(crate) fn shown_by(root: &Root, template: &Template) -> String {
    let listing = match root.list(template) {
        Ok(listing) => listing,
        Err(error) => return error_shown(&error),
    };
    let mut opener = match root.opener() {
        Ok(opener) => opener,
        Err(error) => return error_shown(&error),
    };
    let mut text = String::new();
    for file in &listing.files {
        write!(text, "{}", file.name).unwrap();
        if !file.parts.is_empty() {
            write!(text, " {:?}", file.parts).unwrap();
        }
        let (bytes, failure) = match opener.open(file) {
            Ok(input) => bytes_read(input, file),
            Err(error) => (Vec::new(), Some((error, false))),
        };
        match bytes.len() {
            0..60 => writeln!(text, ": {:?}", String::from_utf8_lossy(&bytes)).unwrap(),
            length => writeln!(text, ": {length} bytes").unwrap(),
        }
        if let Some((error, damaged)) = failure {
            let damaged = if damaged { "damaged, " } else { "" };
            write!(text, "{damaged}{}", error_shown(&error)).unwrap();
        }
    }
    text
}

/// All bytes, and what went wrong behind them.
pub(crate) fn bytes_read(
    mut input: impl Read,
    file: &Found,
) -> (Vec<u8>, Option<(SourceError, bool)>) {
    let mut bytes = Vec::new();
    let failure = input.read_to_end(&mut bytes).err().map(|error| {
        let (line, byte) = (None, Some(bytes.len() as u64));
        let place = Place {
            file: file.name.clone(),
            line,
            byte,
        };
        let broken = file.broken(error, place);
        (broken.error, broken.damaged)
    });
    (bytes, failure)
}

/// The bytes of the one file that a path stands for.
pub(crate) fn bytes(root: &Root, path: &str) -> Vec<u8> {
    let listing = root.list(&template(path)).unwrap();
    let [file] = listing.files.as_slice() else {
        panic!("one file")
    };
    let (bytes, failure) = bytes_read(root.opener().unwrap().open(file).unwrap(), file);
    assert!(failure.is_none(), "{failure:?}");
    bytes
}

pub(crate) fn gz(contents: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zst(contents: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bz2(contents: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn xz(contents: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(0);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(contents).unwrap();
    encoder.finish().unwrap()
}

/// Compresses.
pub(crate) type Pack = fn(&[u8]) -> Vec<u8>;

/// How each ending is made.
pub(crate) const PACKERS: [(&str, Pack); 4] = [("gz", gz), ("zst", zst), ("bz2", bz2), ("xz", xz)];

/// A zip archive with these members.
pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(members, zip::write::SimpleFileOptions::default())
}

pub(crate) fn zip_with(
    members: &[(&str, &[u8])],
    options: zip::write::SimpleFileOptions,
) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, contents) in members {
        archive.start_file(*name, options).unwrap();
        archive.write_all(contents).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A tar archive with these members, whose names may be such as no tool would write.
pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, contents) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        let room = &mut header.as_old_mut().name;
        if name.len() <= room.len() {
            room[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            archive.append(&header, *contents).unwrap();
        } else {
            archive.append_data(&mut header, name, *contents).unwrap();
        }
    }
    archive.into_inner().unwrap()
}
