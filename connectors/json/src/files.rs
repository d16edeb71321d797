//! Which files a table is read from.

use std::fs::{self, File, Metadata};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use chatferry_core::place::Place;
use chatferry_core::source::{SourceError, SourceErrorKind};
use zip::ZipArchive;

use crate::template::Template;

/// Endings of the files that are tables by themselves.
const ENDINGS: [&str; 3] = [".jsonl", ".ndjson", ".json"];
/// Endings of compressed files.
pub(crate) const COMPRESSED: [&str; 2] = [".gz", ".zst"];

/// Where the files are.
#[derive(Clone, Debug)]
pub(crate) enum Root {
    /// In a folder.
    Folder(PathBuf),
    /// In a zip archive.
    Archive(PathBuf),
}

/// A zip archive that is open.
pub(crate) type Archive = ZipArchive<BufReader<File>>;

/// The files of one table, in the order in which they are read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) files: Vec<Found>,
    /// What the archive was when it was listed.
    archive: Option<Mark>,
}

/// One file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its path below the root.
    pub(crate) name: Arc<str>,
    /// What its path says, a text for each of the template's columns.
    pub(crate) parts: Vec<String>,
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

/// By what it is noticed that a file has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Its size in bytes.
    pub(crate) size: u64,
    modified: Option<SystemTime>,
}

impl Mark {
    /// The mark of a file as it is now.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
        }
    }
}

impl Root {
    /// The folder or archive at that path.
    pub(crate) fn open(path: PathBuf, written: &str) -> Result<Self, SourceError> {
        let metadata = fs::metadata(&path).map_err(|error| {
            let help = "`root` names a folder or a zip archive, relative to the pipeline file";
            failed(written, error).help(help)
        })?;
        if metadata.is_dir() {
            return Ok(Self::Folder(path));
        }
        let root = Self::Archive(path);
        root.archive().map_err(|error| match error.kind {
            SourceErrorKind::Malformed => SourceError {
                doing: format!("open {written}"),
                ..error.help(
                    "`root` must be a folder or a zip archive; a single file is given as `path`",
                )
            },
            _ => error,
        })?;
        Ok(root)
    }

    /// Opens the archive, if it is one.
    pub(crate) fn archive(&self) -> Result<Option<Archive>, SourceError> {
        let Self::Archive(path) = self else {
            return Ok(None);
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = File::open(path).map_err(|error| failed(&name, error))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            let reason = "it is not a zip archive, or it is cut off or damaged";
            SourceError::new(SourceErrorKind::Malformed, format!("open {name}"), reason)
                .help("export or download it again")
                .cause(error)
        })?;
        Ok(Some(archive))
    }

    /// The files that a path in the settings stands for.
    pub(crate) fn list(&self, template: &Template) -> Result<Listing, SourceError> {
        let mut listing = match self {
            Self::Folder(folder) => Listing {
                files: walked(folder, template)?,
                archive: None,
            },
            Self::Archive(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let metadata = fs::metadata(path).map_err(|error| failed(&name, error))?;
                let found = |(index, name): (usize, String)| {
                    let parts = template.parts(&name)?;
                    Some(Found {
                        name: name.into(),
                        parts,
                        whence: Whence::Member(index),
                    })
                };
                let files = self.members()?.into_iter().filter_map(found).collect();
                Listing {
                    files,
                    archive: Some(Mark::of(&metadata)),
                }
            }
        };
        if listing.files.is_empty() {
            let (what, doing) = match template.is_pattern() {
                true => ("no file matches the pattern", "find"),
                false => ("there is no such file", "read"),
            };
            let where_ = match self {
                Self::Folder(_) => "the folder given as `root`, or else the pipeline file's",
                Self::Archive(_) => "the archive given as `root`",
            };
            let doing = format!("{doing} {}", template.written());
            return Err(
                SourceError::new(SourceErrorKind::NotFound, doing, what).help(format!(
                    "paths are relative to {where_}; check the spelling and the case"
                )),
            );
        }
        listing.files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(listing)
    }

    /// The names of the files directly below the root that are tables by themselves.
    pub(crate) fn tables(&self) -> Result<Vec<String>, SourceError> {
        let mut names: Vec<String> = match self {
            Self::Folder(folder) => {
                let all = Template::parse("*").expect("a star is a template");
                walked(folder, &all)?
                    .into_iter()
                    .map(|found| found.name.to_string())
                    .collect()
            }
            Self::Archive(_) => self.members()?.into_iter().map(|(_, name)| name).collect(),
        };
        names.retain(|name| !name.contains('/') && !name.starts_with('.') && stem(name).is_some());
        names.sort();
        Ok(names)
    }

    /// The files in the archive, each with its index.
    fn members(&self) -> Result<Vec<(usize, String)>, SourceError> {
        let Some(archive) = self.archive()? else {
            return Ok(Vec::new());
        };
        let names = archive
            .file_names_raw()
            .zip(archive.file_names())
            .enumerate();
        Ok(names
            .map(|(index, (raw, name))| match str::from_utf8(raw) {
                // Many programs write UTF-8 without saying so.
                Ok(name) => (index, name.to_owned()),
                Err(_) => (
                    index,
                    name.map(|name| name.into_owned()).unwrap_or_default(),
                ),
            })
            .filter(|(_, name)| !name.ends_with('/') && !name.starts_with("__MACOSX/"))
            .collect())
    }
}

/// The name of the table that a file is by itself.
pub(crate) fn stem(name: &str) -> Option<&str> {
    let plain = COMPRESSED
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    ENDINGS
        .iter()
        .find_map(|ending| plain.strip_suffix(ending))
        .filter(|stem| !stem.is_empty())
}

fn walked(folder: &Path, template: &Template) -> Result<Vec<Found>, SourceError> {
    let mut files = Vec::new();
    if template.is_pattern() {
        let below = folder.join(template.folder());
        walk(
            &below,
            template.folder(),
            template.depth(),
            template,
            &mut files,
        )?;
    } else {
        let path = folder.join(template.written());
        let name = template.written();
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => {
                let help = format!("give a file, or a pattern such as `{name}/*.json`");
                return Err(refused(name, "it is a folder").help(help));
            }
            Ok(metadata) if !metadata.is_file() => {
                let help = "the input is read twice, so it must be a file; save it to one first";
                return Err(refused(name, "it is not a regular file").help(help));
            }
            Ok(metadata) => files.push(Found {
                name: name.into(),
                parts: Vec::new(),
                whence: Whence::File(path, Mark::of(&metadata)),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(name, error)),
        }
    }
    Ok(files)
}

/// Collects the files below a folder that match.
fn walk(
    folder: &Path,
    shown: &str,
    depth: Option<usize>,
    template: &Template,
    files: &mut Vec<Found>,
) -> Result<(), SourceError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(shown, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| failed(shown, error))?;
        let name = format!("{shown}{}", entry.file_name().to_string_lossy());
        let Ok(metadata) = fs::metadata(entry.path()) else {
            continue; // a link that leads nowhere
        };
        if metadata.is_dir() {
            // Links to folders may lead in circles, which only a fixed depth breaks.
            let linked = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            let deeper = match depth {
                Some(depth) => depth.checked_sub(1).map(Some),
                None => (!linked).then_some(None),
            };
            if let Some(deeper) = deeper {
                walk(&entry.path(), &format!("{name}/"), deeper, template, files)?;
            }
        } else if metadata.is_file()
            && let Some(parts) = template.parts(&name)
        {
            let whence = Whence::File(entry.path(), Mark::of(&metadata));
            files.push(Found {
                name: name.into(),
                parts,
                whence,
            });
        }
    }
    Ok(())
}

/// The error for what the operating system said of a file.
pub(crate) fn failed(name: &str, error: io::Error) -> SourceError {
    let (kind, reason, help) = match error.kind() {
        io::ErrorKind::NotFound => (
            SourceErrorKind::NotFound,
            "it is not there".to_owned(),
            Some("check the path"),
        ),
        io::ErrorKind::PermissionDenied => (
            SourceErrorKind::Denied,
            "permission denied".to_owned(),
            Some("give this user the right to read it"),
        ),
        kind => (SourceErrorKind::Failed, kind.to_string(), None),
    };
    let failed = SourceError::new(kind, format!("read {name}"), reason).cause(error);
    match help {
        Some(help) => failed.help(help),
        None => failed,
    }
}

/// The error for a file that is not what the settings say.
pub(crate) fn refused(name: &str, reason: &str) -> SourceError {
    SourceError::new(SourceErrorKind::Malformed, format!("read {name}"), reason).at(Place {
        file: name.into(),
        line: None,
        byte: None,
    })
}
