//! The commit that a checkout is at, read out of its `.git` without running git.

use std::fs;
use std::path::{Path, PathBuf};

/// What a checkout says of its commit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Its full hash, if there is one.
    pub(crate) hash: Option<String>,
    /// The files that say another thing once another commit is checked out.
    pub(crate) told_by: Vec<PathBuf>,
}

impl Commit {
    /// The commit of the checkout that has this folder at its top; nothing where that is no
    /// checkout, as in an unpacked archive.
    pub(crate) fn of(top: &Path) -> Self {
        let mut commit = Self::default();
        let Some(git) = folder_of_git(&top.join(".git")) else {
            return commit;
        };
        let head = git.join("HEAD");
        let Ok(text) = fs::read_to_string(&head) else {
            return commit;
        };
        commit.told_by.push(head);
        let Some(name) = text.trim().strip_prefix("ref: ") else {
            commit.hash = hash(&text);
            return commit;
        };
        // A worktree has its own HEAD, and its branches with all others.
        let common = match fs::read_to_string(git.join("commondir")) {
            Ok(common) => git.join(common.trim()),
            Err(_) => git,
        };
        let (branch, packed) = (common.join(name), common.join("packed-refs"));
        commit.hash = match fs::read_to_string(&branch) {
            Ok(text) => hash(&text),
            Err(_) => fs::read_to_string(&packed).ok().and_then(|text| {
                let mut refs = text.lines().filter_map(|line| line.split_once(' '));
                refs.find_map(|(text, of)| (of == name).then(|| hash(text))?)
            }),
        };
        let told_by = [branch, packed].into_iter().filter(|file| file.is_file());
        commit.told_by.extend(told_by);
        commit
    }
}

/// The folder itself, or the one that a worktree's file names.
fn folder_of_git(git: &Path) -> Option<PathBuf> {
    if git.is_dir() {
        return Some(git.to_owned());
    }
    let text = fs::read_to_string(git).ok()?;
    let folder = text.trim().strip_prefix("gitdir: ")?;
    Some(git.parent()?.join(folder))
}

fn hash(text: &str) -> Option<String> {
    let text = text.trim();
    let is_hash = text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_owned())
}
