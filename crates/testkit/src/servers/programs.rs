//! Where the programs of a server are, and how they get there.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account::is_root;

/// Installs a package and leaves its services alone.
///
/// Whether a package may start a service is asked of `policy-rc.d`; 101 means no. Where there is
/// one already, it knows better.
const INSTALL: &str = r#"
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
fi
install() { apt-get install --yes --no-install-recommends "$1"; }
install "$1" || { apt-get update && install "$1"; }
"#;

/// A server that Debian has a package of.
pub(super) struct Package {
    /// Its name, for people.
    pub(super) server: &'static str,
    /// The package.
    pub(super) name: &'static str,
    /// The variable that names another server to use.
    pub(super) variable: &'static str,
}

impl Package {
    /// What `find` finds, after the package was installed if need be.
    ///
    /// # Panics
    ///
    /// When it is not there and may not be installed.
    pub(super) async fn found<T: Send + 'static>(&'static self, find: fn() -> Option<T>) -> T {
        let search = move || find().unwrap_or_else(|| self.installed(find));
        let search = tokio::task::spawn_blocking(search);
        search
            .await
            .unwrap_or_else(|error| match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => panic!("{error}"),
            })
    }

    fn installed<T>(&self, find: fn() -> Option<T>) -> T {
        let Self {
            server,
            name,
            variable,
        } = self;
        let advice = format!(
            "install {server} (on Debian: apt-get install {name}), or set {variable} to the URL of \
             an account that may do everything on a server where tests may make databases"
        );
        assert!(
            is_root() && on_path("apt-get").is_some(),
            "this test needs the programs of {server}: {advice}"
        );
        let lock = File::create(std::env::temp_dir().join("chatferry-install.lock"))
            .expect("a file to lock");
        lock.lock().expect("one process installs at a time");
        // Another one may have done it meanwhile.
        if let Some(found) = find() {
            return found;
        }
        let output = Command::new("sh")
            .args(["-c", INSTALL, "install", name])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .output()
            .expect("every machine has a shell");
        let said = || String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "{server} could not be installed: {advice}\n{}",
            said()
        );
        find().unwrap_or_else(|| panic!("{name} is installed and has no programs: {advice}"))
    }
}

/// The program of that name on the `PATH`, or where programs for administrators are.
pub(super) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// The folders below that are named by a version, the newest first.
pub(super) fn versions(folder: &Path) -> Vec<PathBuf> {
    let version = |path: &PathBuf| -> Option<Vec<u32>> {
        let name = path.file_name()?.to_str()?;
        name.split('.').map(|part| part.parse().ok()).collect()
    };
    let folders = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut versions: Vec<(Vec<u32>, PathBuf)> = folders
        .filter_map(|entry| Some((version(&entry.path())?, entry.path())))
        .collect();
    versions.sort();
    versions.into_iter().rev().map(|(_, path)| path).collect()
}
