//! Files in a folder.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use chatferry_core::source::SourceError;

use crate::blob::{Blob, Mark};
use crate::failure::{failed, refused};
use crate::root::{Found, Whence};
use crate::template::Template;

/// The files below a folder that a template stands for.
pub(crate) fn walked(folder: &Path, template: &Template) -> Result<Vec<Found>, SourceError> {
    let mut files = Vec::new();
    if template.is_pattern() {
        let below = folder.join(template.folder());
        let mut walk = Walk { template, files };
        walk.enter(&below, template.folder(), template.depth())?;
        return Ok(walk.files);
    }
    let (path, name) = (folder.join(template.written()), template.written());
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => {
            let help = format!("give a file, or a pattern such as `{name}/*`");
            return Err(refused(name, "it is a folder").help(help));
        }
        Ok(metadata) if !metadata.is_file() => {
            let help = "the input is read twice, so it must be a file; save it to one first";
            return Err(refused(name, "it is not a regular file").help(help));
        }
        Ok(metadata) => files.push(found(name.to_owned(), Vec::new(), path, &metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(name, error)),
    }
    Ok(files)
}

/// The files met so far.
struct Walk<'t> {
    template: &'t Template,
    files: Vec<Found>,
}

impl Walk<'_> {
    /// Collects the files below a folder that match.
    fn enter(
        &mut self,
        folder: &Path,
        shown: &str,
        depth: Option<usize>,
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
                    self.enter(&entry.path(), &format!("{name}/"), deeper)?;
                }
            } else if metadata.is_file()
                && let Some(parts) = self.template.parts(&name)
            {
                self.files.push(found(name, parts, entry.path(), &metadata));
            }
        }
        Ok(())
    }
}

fn found(name: String, parts: Vec<String>, path: PathBuf, metadata: &Metadata) -> Found {
    Found {
        name: name.into(),
        parts,
        size: metadata.len(),
        whence: Whence::Stored(Blob::File(path), Mark::of(metadata)),
    }
}
