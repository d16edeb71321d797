//! Which files a table is read from.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use chatferry_core::place::Place;
use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::address::Address;
use crate::archive::Archive;
use crate::compression::Compression;
use crate::failure::failed;
use crate::folder::{Mark, walked};
use crate::opener::Opener;
use crate::ranges::{self, Ranges};
use crate::template::Template;

/// Where files are found and read.
#[derive(Clone, Debug)]
pub struct Root(Holder);

/// What holds the files.
#[derive(Clone, Debug)]
enum Holder {
    Folder(PathBuf),
    Archive(PathBuf),
}

/// The files of one table, in the order in which they are read.
///
/// Two listings are equal when nothing was changed between them, as far as that can be noticed.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    /// The files.
    pub files: Vec<Found>,
    /// What the archive was when it was listed.
    archive: Option<Mark>,
}

/// One file.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path below the root.
    pub name: Arc<str>,
    /// What its path says, a text for each of the template's columns.
    pub parts: Vec<String>,
    /// How many bytes it has, as it is stored.
    pub size: u64,
    /// Where to find it.
    pub(crate) whence: Whence,
}

/// Where to find a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Whence {
    /// At this path, and what it was when it was listed.
    File(PathBuf, Mark),
    /// In the archive, at this index.
    Member(usize),
}

impl Found {
    /// Whether it is compressed.
    #[must_use]
    pub fn is_compressed(&self) -> bool {
        Compression::of(&self.name).is_some()
    }

    /// Whether it is no longer what it was when it was listed.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        match &self.whence {
            Whence::File(path, mark) => mark.has_changed(path),
            Whence::Member(_) => false,
        }
    }

    /// The error for what went wrong while it was read, at that line and byte.
    #[must_use]
    pub fn broken(&self, error: std::io::Error, place: Place) -> crate::Broken {
        let packed = matches!(self.whence, Whence::Member(_)) || self.is_compressed();
        crate::failure::broken(&self.name, packed, error, place)
    }
}

impl Root {
    /// The folder or archive at that address.
    ///
    /// # Errors
    ///
    /// When it is not there, may not be read, or is neither.
    pub fn open(address: &Address) -> Result<Self, SourceError> {
        let (path, written) = (address.path(), address.written());
        let metadata = fs::metadata(path).map_err(|error| {
            let help = "`root` names a folder or a zip archive, relative to the pipeline file";
            failed(written, error).help(help)
        })?;
        if metadata.is_dir() {
            return Ok(Self(Holder::Folder(path.to_owned())));
        }
        Archive::open(path).map_err(|error| match error.kind {
            SourceErrorKind::Malformed => SourceError {
                doing: format!("open {written}"),
                ..error.help(
                    "`root` must be a folder or a zip archive; a single file is given as `path`",
                )
            },
            _ => error,
        })?;
        Ok(Self(Holder::Archive(path.to_owned())))
    }

    /// The files that a path stands for; at least one.
    ///
    /// # Errors
    ///
    /// When there is none, or the root cannot be looked through.
    pub fn list(&self, template: &Template) -> Result<Listing, SourceError> {
        let mut listing = self.matching(template)?;
        if listing.files.is_empty() {
            return Err(self.nothing(template));
        }
        listing.files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    /// The names of the files directly below the root, sorted, without hidden ones.
    ///
    /// # Errors
    ///
    /// When the root cannot be looked through.
    pub fn names(&self) -> Result<Vec<String>, SourceError> {
        let all = Template::parse("*").expect("a star is a template");
        let files = self.matching(&all)?.files.into_iter();
        let mut names: Vec<String> = files.map(|found| found.name.to_string()).collect();
        names.sort();
        Ok(names)
    }

    /// What opens its files one after the other.
    ///
    /// # Errors
    ///
    /// When it is an archive that can no longer be opened.
    pub fn opener(&self) -> Result<Opener, SourceError> {
        Ok(Opener::new(match &self.0 {
            Holder::Folder(_) => None,
            Holder::Archive(path) => Some(Archive::open(path)?),
        }))
    }

    /// Any part of a file, at any time.
    ///
    /// A file that is compressed or in an archive is copied to a temporary file first, which has
    /// no name and is gone with the last that holds this.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or not be copied.
    pub fn ranges(&self, file: &Found) -> Result<Arc<dyn Ranges>, SourceError> {
        match &file.whence {
            Whence::File(path, mark) if !file.is_compressed() => {
                Ok(Arc::new(ranges::Local::open(&file.name, path, mark.size)?))
            }
            _ => {
                let mut opener = self.opener()?;
                let mut input = opener.open(file)?;
                Ok(Arc::new(ranges::Local::copy(file, &mut input)?))
            }
        }
    }

    fn matching(&self, template: &Template) -> Result<Listing, SourceError> {
        match &self.0 {
            Holder::Folder(folder) => Ok(Listing {
                files: walked(folder, template)?,
                archive: None,
            }),
            Holder::Archive(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let metadata = fs::metadata(path).map_err(|error| failed(&name, error))?;
                let found = |(index, name, size): (usize, String, u64)| {
                    Some(Found {
                        parts: template.parts(&name)?,
                        name: name.into(),
                        size,
                        whence: Whence::Member(index),
                    })
                };
                let members = Archive::open(path)?.members();
                Ok(Listing {
                    files: members.into_iter().filter_map(found).collect(),
                    archive: Some(Mark::of(&metadata)),
                })
            }
        }
    }

    fn nothing(&self, template: &Template) -> SourceError {
        let (what, doing) = match template.is_pattern() {
            true => ("no file matches the pattern", "find"),
            false => ("there is no such file", "read"),
        };
        let root = match self.0 {
            Holder::Folder(_) => "the folder given as `root`, or else the pipeline file's",
            Holder::Archive(_) => "the archive given as `root`",
        };
        let doing = format!("{doing} {}", template.written());
        SourceError::new(SourceErrorKind::NotFound, doing, what).help(format!(
            "paths are relative to {root}; check the spelling and the case"
        ))
    }
}

/// The roots of one source, each opened once.
#[derive(Debug, Default)]
pub struct Roots(HashMap<Address, Arc<Root>>);

impl Roots {
    /// The root at that address.
    ///
    /// # Errors
    ///
    /// As [`Root::open`].
    pub fn open(&mut self, address: &Address) -> Result<Arc<Root>, SourceError> {
        if let Some(root) = self.0.get(address) {
            return Ok(Arc::clone(root));
        }
        let root = Arc::new(Root::open(address)?);
        self.0.insert(address.clone(), Arc::clone(&root));
        Ok(root)
    }
}

/// What is left of a file's name without one of these endings, before which another may say how
/// the file is compressed: `users` of `users.json.gz`. `None` when it has none of them.
#[must_use]
pub fn stem<'n>(name: &'n str, endings: &[&str]) -> Option<&'n str> {
    let plain = Compression::plain(name);
    endings
        .iter()
        .find_map(|ending| plain.strip_suffix(ending))
        .filter(|stem| !stem.is_empty())
}
