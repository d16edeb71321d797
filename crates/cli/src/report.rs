//! Pages that are written beside what is shown.

use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use crate::trouble::{Exit, Trouble};

/// A page that is going to be written.
#[derive(Debug)]
pub struct Page {
    path: PathBuf,
    file: File,
}

impl Page {
    /// Makes the file, so that one that cannot be written is noticed before the work and not after
    /// it. What was in it is gone.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn begin(path: &Path) -> Result<Self, Trouble> {
        let file = File::create(path).map_err(|error| trouble(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Writes it in the place of what was written before, and says where it is.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&mut self, page: &str) -> Result<String, Trouble> {
        let emptied = self.file.rewind().and_then(|()| self.file.set_len(0));
        let written = emptied.and_then(|()| self.file.write_all(page.as_bytes()));
        written.map_err(|error| trouble(&self.path, &error))?;
        Ok(format!("the report is {}", self.path.display()))
    }
}

fn trouble(path: &Path, error: &std::io::Error) -> Trouble {
    let message = format!("cannot write the report {}: {error}", path.display());
    Trouble::new(Exit::Usage, message).help("name a file in a folder that you may write to")
}
