//! Files in an archive.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use chatferry_core::source::{SourceError, SourceErrorKind};
use zip::ZipArchive;

use crate::failure::{failed, refused};

/// A zip archive that is open.
pub(crate) struct Archive(ZipArchive<BufReader<File>>);

impl Archive {
    /// Opens the archive at that path.
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let file = File::open(path).map_err(|error| failed(&name, error))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            let reason = "it is not a zip archive, or it is cut off or damaged";
            SourceError::new(SourceErrorKind::Malformed, format!("open {name}"), reason)
                .help("export or download it again")
                .cause(error)
        })?;
        Ok(Self(archive))
    }

    /// The files in it, each with its index and its size as it is stored.
    pub(crate) fn members(&self) -> Vec<(usize, String, u64)> {
        let member = |index| {
            let member = self.0.by_index_data(index).ok()?;
            // Many programs write UTF-8 without saying so.
            let name = match str::from_utf8(member.name_raw()) {
                Ok(name) => name.to_owned(),
                Err(_) => member.name().ok()?.into_owned(),
            };
            let is_file = !name.ends_with('/') && !name.starts_with("__MACOSX/");
            is_file.then(|| (index, name, member.compressed_size()))
        };
        (0..self.0.len()).filter_map(member).collect()
    }

    /// The bytes of one of them.
    pub(crate) fn read(
        &mut self,
        index: usize,
        name: &str,
    ) -> Result<Box<dyn Read + '_>, SourceError> {
        let member = self.0.by_index(index).map_err(|error| {
            refused(name, "it cannot be taken out of the archive")
                .help("unpack the archive, and give the folder as `root`")
                .cause(error)
        })?;
        Ok(Box::new(member))
    }
}
