//! What sources have found out about files, kept among the user's caches.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use chatferry_core::cache::Cache;
use etcetera::{BaseStrategy, choose_base_strategy};
use twox_hash::XxHash3_64;

/// The environment variable that names another folder; where it is empty, nothing is kept.
const FOLDER: &str = "CHATFERRY_CACHE";
/// How long something is kept.
const KEPT: Duration = Duration::from_secs(60 * 60 * 24 * 30);
/// What the names of what is kept end with.
const ENDING: &str = "json";

/// A folder, in which each key is a file.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// The program that found it out: another one may find out something else.
    program: u64,
}

/// Where this user's sources keep what they find out; `None` where that is not wanted or not possible.
pub(crate) fn of_user() -> Option<Arc<dyn Cache>> {
    let path = match std::env::var_os(FOLDER) {
        Some(named) if named.is_empty() => return None,
        Some(named) => PathBuf::from(named),
        None => choose_base_strategy().ok()?.cache_dir().join("chatferry"),
    };
    let program = std::env::current_exe().and_then(fs::metadata).ok()?;
    let program = format!("{} {:?}", program.len(), program.modified().ok()?);
    Some(Arc::new(Folder {
        path,
        program: XxHash3_64::oneshot(program.as_bytes()),
    }))
}

impl Folder {
    fn file(&self, key: &str) -> PathBuf {
        self.path
            .join(format!("{key}-{:016x}.{ENDING}", self.program))
    }

    fn write(&self, key: &str, value: &[u8]) -> io::Result<()> {
        fs::create_dir_all(&self.path)?;
        forget(&self.path);
        // Nobody else may read it, and nobody finds half of it.
        let mut file = tempfile::NamedTempFile::new_in(&self.path)?;
        file.write_all(value)?;
        file.persist(self.file(key))?;
        Ok(())
    }
}

impl Cache for Folder {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        fs::read(self.file(key)).ok()
    }

    fn put(&self, key: &str, value: &[u8]) {
        if let Err(error) = self.write(key, value) {
            tracing::debug!("nothing is kept in {}: {error}", self.path.display());
        }
    }
}

/// Removes what has been kept for long.
fn forget(folder: &Path) {
    let Some(before) = SystemTime::now().checked_sub(KEPT) else {
        return;
    };
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let is_ours = path.extension() == Some(OsStr::new(ENDING));
        if is_ours && modified.is_ok_and(|modified| modified < before) {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(path: &Path, program: u64) -> Folder {
        Folder {
            path: path.join("deeper"),
            program,
        }
    }

    #[test]
    fn what_is_kept_is_there_for_the_same_program_and_its_key() {
        let path = tempfile::tempdir().unwrap();
        let kept = folder(path.path(), 1);
        assert_eq!(kept.get("a"), None);
        kept.put("a", b"first");
        kept.put("a", b"second");
        assert_eq!(folder(path.path(), 1).get("a").unwrap(), b"second");
        assert_eq!(kept.get("b"), None);
        assert_eq!(folder(path.path(), 2).get("a"), None);
    }

    #[test]
    fn what_was_kept_for_long_is_forgotten_and_nothing_else_is_touched() {
        let path = tempfile::tempdir().unwrap();
        let kept = folder(path.path(), 1);
        kept.put("old", b"1");
        let long_ago = SystemTime::now() - KEPT - Duration::from_secs(60);
        let other = kept.path.join("notes.txt");
        fs::write(&other, "mine").unwrap();
        for file in [kept.file("old"), other.clone()] {
            let file = fs::File::options().write(true).open(file).unwrap();
            file.set_modified(long_ago).unwrap();
        }
        kept.put("new", b"2");
        assert_eq!(kept.get("old"), None);
        assert_eq!(kept.get("new").unwrap(), b"2");
        assert!(other.exists());
    }

    #[test]
    fn a_folder_that_cannot_be_had_keeps_nothing() {
        let path = tempfile::tempdir().unwrap();
        fs::write(path.path().join("deeper"), "a file").unwrap();
        let kept = folder(path.path(), 1);
        kept.put("a", b"1");
        assert_eq!(kept.get("a"), None);
    }
}
