//! Files that are no URLs but paths: those of an export that has its files beside it.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc;

use chatferry_core::source::SourceError;
use chatferry_files::{Address, Found as Member, Root, Template};
use tokio::io::AsyncReadExt;
use tokio::sync::oneshot;

use crate::fetch::{Trouble, unspooled};
use crate::reason::{Failure, Reason};
use crate::spool::{Spool, Spooled};

/// What is read at once.
const PART: usize = 64 << 10;
/// Parts of a file that wait for whoever takes them.
const PARTS_AHEAD: usize = 4;

/// Where paths begin.
#[derive(Debug)]
pub(crate) enum Beside {
    Folder(PathBuf),
    /// An archive, or a part of a bucket: a thread reads it, one file after the other.
    Packed(mpsc::Sender<Errand>),
}

/// A file that somebody waits for.
pub(crate) struct Errand {
    path: String,
    begun: oneshot::Sender<Result<Parts, Failure>>,
}

/// A file as it comes; an error ends it.
type Parts = tokio::sync::mpsc::Receiver<Result<Vec<u8>, Failure>>;

impl std::fmt::Debug for Errand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Errand({})", self.path)
    }
}

impl Beside {
    /// The place at that address. An archive is looked through.
    pub(crate) async fn open(
        address: Address,
        folder: Option<PathBuf>,
    ) -> Result<Self, SourceError> {
        if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
            return Ok(Self::Folder(folder));
        }
        let (sender, errands) = mpsc::channel();
        let (opened, wait) = oneshot::channel();
        std::thread::spawn(move || serve(&address, opened, &errands));
        match wait.await {
            Ok(opened) => opened.map(|()| Self::Packed(sender)),
            Err(_) => unreachable!("the thread says first whether it could open it"),
        }
    }

    /// The file at that path, whole.
    pub(crate) async fn fetch(
        &self,
        path: &str,
        largest: u64,
        spool: Option<PathBuf>,
    ) -> Result<Spooled, Trouble> {
        let mut spool = Spool::new(spool, false);
        let too_large = || Failure::new(Reason::TooLarge, "it is larger than `largest`");
        match self {
            Self::Folder(folder) => {
                let found = within(folder, path)?;
                let file = tokio::fs::File::open(&found).await;
                let mut file = file.map_err(|error| unread(&error))?;
                let size = file.metadata().await.map_err(|error| unread(&error))?.len();
                if size > largest {
                    return Err(too_large().into());
                }
                let mut part = vec![0; PART];
                loop {
                    let read = file.read(&mut part).await.map_err(|error| unread(&error))?;
                    if read == 0 {
                        break;
                    }
                    spool.add(&part[..read]).await.map_err(unspooled)?;
                }
            }
            Self::Packed(thread) => {
                let (begun, begins) = oneshot::channel();
                let errand = Errand {
                    path: path.to_owned(),
                    begun,
                };
                let gone = |_| Failure::new(Reason::Unreadable, "whoever reads it has ended");
                thread.send(errand).map_err(|_| gone(()))?;
                let mut parts = begins.await.map_err(|_| gone(()))??;
                while let Some(part) = parts.recv().await {
                    spool.add(&part?).await.map_err(unspooled)?;
                    if spool.bytes() > largest {
                        return Err(too_large().into());
                    }
                }
            }
        }
        spool.finish().await.map_err(unspooled)
    }
}

/// The spellings that a path may have: as it is, and as it was before it was escaped for a URL.
fn spellings(path: &str) -> Vec<String> {
    let plain = path.trim_start_matches("./").trim_start_matches('/');
    let unescaped = url::Url::parse("file:///")
        .ok()
        .and_then(|base| base.join(&format!("/{plain}")).ok())
        .and_then(|url| url.to_file_path().ok())
        .and_then(|path| Some(path.to_str()?.trim_start_matches('/').to_owned()));
    let mut spellings = vec![plain.to_owned()];
    spellings.extend(unescaped.filter(|other| other != plain));
    spellings
}

/// The file of a folder at that path, which does not lead out of it.
fn within(folder: &Path, path: &str) -> Result<PathBuf, Failure> {
    let leads_out = |path: &str| {
        let mut parts = Path::new(path).components();
        parts.any(|part| !matches!(part, Component::Normal(_) | Component::CurDir))
    };
    let mut is_outside = false;
    for spelling in spellings(path) {
        if leads_out(&spelling) {
            is_outside = true;
            continue;
        }
        let found = folder.join(&spelling);
        if found.is_file() {
            return Ok(found);
        }
    }
    Err(match is_outside {
        true => Failure::new(Reason::Outside, "it has `..` in it"),
        false => Failure::new(Reason::NotFound, "no such file"),
    })
}

fn unread(error: &std::io::Error) -> Failure {
    let reason = match error.kind() {
        std::io::ErrorKind::NotFound => Reason::NotFound,
        _ => Reason::Unreadable,
    };
    Failure::new(reason, error.kind().to_string())
}

/// Reads what is asked for, until nobody can ask any more.
fn serve(
    address: &Address,
    opened: oneshot::Sender<Result<(), SourceError>>,
    errands: &mpsc::Receiver<Errand>,
) {
    let look = || {
        let root = Root::open(address)?;
        let all = Template::parse("**").expect("two stars are a template");
        let listed = root.list(&all)?.files.into_iter();
        let members: HashMap<String, Member> = listed
            .map(|found| (found.name.to_string(), found))
            .collect();
        Ok((root.opener()?, members))
    };
    let (mut opener, members) = match look() {
        Ok(looked) => {
            // Whoever asked may have been stopped meanwhile.
            let _ = opened.send(Ok(()));
            looked
        }
        Err(error) => {
            let _ = opened.send(Err(error));
            return;
        }
    };
    while let Ok(errand) = errands.recv() {
        let spellings = spellings(&errand.path);
        let Some(member) = spellings.iter().find_map(|path| members.get(path)) else {
            let nothing = Failure::new(Reason::NotFound, "no such file");
            let _ = errand.begun.send(Err(nothing));
            continue;
        };
        let mut file = match opener.stored(member) {
            Ok(file) => file,
            Err(error) => {
                let failure = Failure::new(Reason::Unreadable, error.reason);
                let _ = errand.begun.send(Err(failure));
                continue;
            }
        };
        let (sender, parts) = tokio::sync::mpsc::channel(PARTS_AHEAD);
        if errand.begun.send(Ok(parts)).is_err() {
            continue;
        }
        loop {
            let mut part = vec![0; PART];
            let read = match file.read(&mut part) {
                Ok(0) => break,
                Ok(read) => {
                    part.truncate(read);
                    Ok(part)
                }
                Err(error) => Err(unread(&error)),
            };
            let is_end = read.is_err();
            if sender.blocking_send(read).is_err() || is_end {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_does_not_lead_out_of_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("in")).expect("a folder");
        std::fs::write(folder.path().join("secret"), "").expect("a file");
        std::fs::write(folder.path().join("in/a b.png"), "").expect("a file");
        let root = folder.path().join("in");
        for path in [
            "../secret",
            "./../secret",
            "a/../../secret",
            "%2e%2e/secret",
        ] {
            let failure = within(&root, path).expect_err("outside");
            assert!(
                matches!(failure.reason, Reason::Outside | Reason::NotFound),
                "{path}: {failure:?}"
            );
        }
        assert_eq!(
            within(&root, "../secret").expect_err("outside").reason,
            Reason::Outside
        );
        let absolute = folder.path().join("secret");
        let failure = within(&root, absolute.to_str().expect("text"));
        assert_eq!(failure.expect_err("outside").reason, Reason::NotFound);
        assert!(within(&root, "a%20b.png").is_ok());
        assert!(within(&root, "./a b.png").is_ok());
    }
}
