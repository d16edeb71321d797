//! Which files a table is read from.

use std::collections::HashMap;
use std::fmt::Debug;
use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use chatferry_core::place::Place as At;
use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::address::{self, Address};
use crate::archive::{Archive, Kind, Member, Place};
use crate::blob::{Blob, Mark};
use crate::compression::Compression;
use crate::failure::{Broken, broken, failed};
use crate::folder::walked;
use crate::limits::Limits;
use crate::opener::{Opener, Within};
use crate::ranges::{Local, Ranges};
use crate::remote::Bucket;
use crate::template::Template;

/// Where files are found and read.
#[derive(Clone, Debug)]
pub struct Root {
    holder: Holder,
    limits: Limits,
}

/// What holds the files.
#[derive(Clone, Debug)]
enum Holder {
    Folder(PathBuf),
    Archive(Arc<Archive>),
    Bucket(Bucket),
    Input(Arc<str>, Arc<dyn Input>),
}

/// Something that gives bytes and is no file, such as what a program prints. Each time that it is
/// opened it gives them from their beginning on.
pub trait Input: Debug + Send + Sync {
    /// Opens it. A read that fails with a [`SourceError`] within fails as that says.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    fn open(&self) -> Result<Box<dyn Read>, SourceError>;
}

/// The files of one table, in the order in which they are read.
///
/// Two listings are equal when nothing was changed between them, as far as that can be noticed.
#[derive(Debug, PartialEq)]
pub struct Listing {
    /// The files.
    pub files: Vec<Found>,
}

/// One file.
#[derive(Debug, PartialEq)]
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
#[derive(Debug, PartialEq)]
pub(crate) enum Whence {
    /// There, and what it was when it was listed.
    Stored(Blob, Mark),
    /// In that archive, and what the archive was when it was listed.
    Member(Blob, Mark, Place),
    /// In an archive, behind where it is cut off or damaged: there may be nothing, or more than
    /// one file. What was said of the damage.
    Lost(String),
    /// It is what the root's input gives. Nothing tells whether that has changed.
    Given,
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
            Whence::Stored(blob, mark) | Whence::Member(blob, mark, _) => blob.has_changed(mark),
            Whence::Lost(_) | Whence::Given => false,
        }
    }

    /// Whether what has changed of it since then would be noticed.
    pub(crate) fn tells_changes_since(&self, time: SystemTime) -> bool {
        match &self.whence {
            Whence::Stored(_, mark) | Whence::Member(_, mark, _) => mark.tells_changes_since(time),
            Whence::Lost(_) | Whence::Given => false,
        }
    }

    /// The error for what went wrong while it was read, there.
    #[must_use]
    pub fn broken(&self, error: io::Error, place: At) -> Broken {
        let what = match &self.whence {
            Whence::Given => return broken(&self.name, None, error, place),
            _ if self.is_compressed() => "its compressed data",
            Whence::Stored(..) => return broken(&self.name, None, error, place),
            Whence::Member(..) => "its data in the archive",
            Whence::Lost(_) => "the archive, behind what could be found in it,",
        };
        broken(&self.name, Some(what), error, place)
    }

    /// Whether it is where an archive is cut off or damaged, rather than a file.
    fn is_lost(&self) -> bool {
        matches!(self.whence, Whence::Lost(_))
    }
}

impl Root {
    /// A root that holds nothing but this, under that name.
    pub fn of(name: &str, input: Arc<dyn Input>) -> Self {
        Self {
            holder: Holder::Input(name.into(), input),
            limits: Limits::default(),
        }
    }

    /// What is at that address. What is not on this machine is not looked at before something is
    /// asked of it.
    ///
    /// # Errors
    ///
    /// When it is not there, may not be read, or is neither a folder nor an archive.
    pub fn open(address: &Address) -> Result<Self, SourceError> {
        let (written, limits) = (address.written(), address.limits());
        let path = match address.place() {
            address::Place::Local(path) => path.clone(),
            address::Place::Remote(url) => {
                let bucket = Bucket::open(address, url)?;
                let holder = match Kind::of(written) {
                    Some(kind) => {
                        let blob = Blob::Object(bucket.object());
                        Holder::Archive(Arc::new(Archive::new(blob, kind, limits)))
                    }
                    None => Holder::Bucket(bucket),
                };
                return Ok(Self { holder, limits });
            }
        };
        let metadata = fs::metadata(&path).map_err(|error| {
            let help = "`root` names a folder or an archive, relative to the pipeline file";
            failed(written, error).help(help)
        })?;
        let holder = if metadata.is_dir() {
            Holder::Folder(path)
        } else {
            // What is called otherwise may still be one of the many formats that are zip archives.
            let kind = Kind::of(written).unwrap_or(Kind::Zip);
            let archive = Archive::new(Blob::File(path), kind, limits);
            archive.index().map_err(|error| match error.kind {
                SourceErrorKind::Malformed if Kind::of(written).is_none() => SourceError {
                    doing: format!("open {written}"),
                    reason: "it is neither a folder nor an archive".to_owned(),
                    ..error.help(
                        "`root` must be a folder or an archive; a single file is given as `path`",
                    )
                },
                _ => error,
            })?;
            Holder::Archive(Arc::new(archive))
        };
        Ok(Self { holder, limits })
    }

    /// The files that a path stands for; at least one.
    ///
    /// # Errors
    ///
    /// When there is none, or the root cannot be looked through.
    pub fn list(&self, template: &Template) -> Result<Listing, SourceError> {
        let files = self.matching(template)?;
        if files.iter().all(Found::is_lost) {
            return Err(self.nothing(template));
        }
        Ok(self.in_order(files))
    }

    /// The files that a path stands for, if there are any.
    ///
    /// # Errors
    ///
    /// When the root cannot be looked through.
    pub fn list_if_any(&self, template: &Template) -> Result<Listing, SourceError> {
        match (self.matching(template), &self.holder) {
            (Ok(files), _) => Ok(self.in_order(files)),
            // The folder that the path begins with.
            (Err(error), Holder::Folder(_)) if error.kind == SourceErrorKind::NotFound => {
                Ok(Listing { files: Vec::new() })
            }
            (Err(error), _) => Err(error),
        }
    }

    fn in_order(&self, mut files: Vec<Found>) -> Listing {
        if !matches!(&self.holder, Holder::Archive(archive) if archive.is_in_order()) {
            files.sort_by(|a, b| (a.is_lost(), &a.name).cmp(&(b.is_lost(), &b.name)));
        }
        Listing { files }
    }

    /// The names of the files directly below the root, sorted, without hidden ones.
    ///
    /// # Errors
    ///
    /// When the root cannot be looked through.
    pub fn names(&self) -> Result<Vec<String>, SourceError> {
        let all = Template::parse("*").expect("a star is a template");
        let files = self.matching(&all)?.into_iter();
        let files = files.filter(|found| !found.is_lost());
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
        let within = match &self.holder {
            Holder::Folder(_) | Holder::Bucket(_) => None,
            Holder::Archive(archive) => Some(Within::Archive(archive.open()?)),
            Holder::Input(_, input) => Some(Within::Input(Arc::clone(input))),
        };
        Ok(Opener::new(within, self.limits))
    }

    /// Any part of a file, at any time.
    ///
    /// A file that is compressed, in an archive, or on a server that gives no parts is copied to a temporary file first, which has
    /// no name and is gone with the last that holds this.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or not be copied.
    pub fn ranges(&self, file: &Found) -> Result<Arc<dyn Ranges>, SourceError> {
        if let Whence::Stored(blob, mark) = &file.whence
            && !file.is_compressed()
            && let Some(ranges) = blob.ranges(&file.name, mark)?
        {
            return Ok(ranges);
        }
        let mut opener = self.opener()?;
        let mut input = opener.open(file)?;
        Ok(Arc::new(Local::copy(file, &mut input)?))
    }

    fn matching(&self, template: &Template) -> Result<Vec<Found>, SourceError> {
        let archive = match &self.holder {
            Holder::Folder(folder) => return walked(folder, template),
            Holder::Bucket(bucket) => return bucket.matching(template),
            Holder::Archive(archive) => archive,
            Holder::Input(name, _) => {
                return Ok(vec![Found {
                    name: Arc::clone(name),
                    parts: vec![String::new(); template.columns().len()],
                    size: 0,
                    whence: Whence::Given,
                }]);
            }
        };
        let (mark, index) = archive.index()?;
        let found = |member: &Member| {
            Some(Found {
                parts: template.parts(&member.name)?,
                name: member.name.as_str().into(),
                size: member.size,
                whence: Whence::Member(archive.blob.clone(), mark.clone(), member.place),
            })
        };
        let mut files: Vec<Found> = index.members.iter().filter_map(found).collect();
        let is_found = !template.is_pattern() && !files.is_empty();
        if let Some(damage) = index.damage.as_ref().filter(|_| !is_found) {
            files.push(Found {
                parts: vec![String::new(); template.columns().len()],
                name: archive.blob.name().into(),
                size: 0,
                whence: Whence::Lost(damage.clone()),
            });
        }
        Ok(files)
    }

    fn nothing(&self, template: &Template) -> SourceError {
        let (what, doing) = match template.is_pattern() {
            true => ("no file matches the pattern", "find"),
            false => ("there is no such file", "read"),
        };
        let relative = match self.holder {
            Holder::Folder(_) => {
                "paths are relative to the folder given as `root`, or else the pipeline file's; "
            }
            Holder::Archive(_) => "paths are relative to the archive given as `root`; ",
            Holder::Bucket(_) | Holder::Input(..) => "",
        };
        let doing = format!("{doing} {}", template.written());
        SourceError::new(SourceErrorKind::NotFound, doing, what)
            .help(format!("{relative}check the spelling and the case"))
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
