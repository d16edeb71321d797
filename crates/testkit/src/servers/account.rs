//! Under which user of the machine a server runs.
//!
//! Database servers refuse to be root. When the tests run as root, a server runs as the user that
//! its package made.

use std::process::Command;

/// A user of the machine.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Account {
    /// The user that a server has to run as: that of this name where we are root, ourselves
    /// otherwise.
    pub(super) fn to_run(name: &str) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let found = [name, "nobody"].into_iter().find_map(|name| {
            let (uid, gid) = (id(&["-u", name])?, id(&["-g", name])?);
            Some(Self { uid, gid })
        });
        Some(found.unwrap_or_else(|| panic!("this machine has neither a user {name} nor nobody")))
    }
}

/// Whether the tests run as root.
pub(super) fn is_root() -> bool {
    id(&["-u"]) == Some(0)
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
