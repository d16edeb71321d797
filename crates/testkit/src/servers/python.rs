//! Packages of PyPI, each in an environment of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account::is_root;
use super::programs::on_path;

/// The folder of a virtual environment that has a package, such as `moto==5.2.5`, installed if need
/// be. Where that cannot be, one may do `otherwise`. This blocks.
///
/// # Panics
///
/// When it is not there and cannot be installed.
#[must_use]
pub fn environment(package: &str, otherwise: &str) -> PathBuf {
    let install = |python: &Path| runs(python, &["-m", "pip", "install", "--quiet", package]);
    environment_by(package, install, otherwise)
}

/// The same for a package that `install` installs, given the Python of the environment.
pub(super) fn environment_by(
    package: &str,
    install: impl Fn(&Path) -> bool,
    otherwise: &str,
) -> PathBuf {
    let name = package.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let folder = std::env::temp_dir().join(format!("chatferry-{name}"));
    if is_ready(&folder) {
        return folder;
    }
    let lock = File::create(std::env::temp_dir().join("chatferry-install.lock"));
    let lock = lock.expect("a file to lock");
    lock.lock().expect("one process installs at a time");
    // Another one may have done it meanwhile.
    if is_ready(&folder) {
        return folder;
    }
    // What is half there is in the way.
    let _ = fs::remove_dir_all(&folder);
    let advice = format!(
        "this test needs Python 3 with its `venv`, from which it installs {package} into {}; make \
         that possible, or {otherwise}",
        folder.display()
    );
    make(&folder, &advice);
    assert!(install(&folder.join("bin/python")), "{advice}");
    fs::write(folder.join("ready"), package).expect("a file is written");
    folder
}

fn is_ready(folder: &Path) -> bool {
    folder.join("ready").is_file() && folder.join("bin/python").exists()
}

/// Makes an environment that is empty.
fn make(folder: &Path, advice: &str) {
    let made = || {
        let program = on_path("python3")?;
        let mut command = Command::new(program);
        succeeds(command.args(["-m", "venv"]).arg(folder)).then_some(())
    };
    if made().is_none() {
        assert!(is_root() && on_path("apt-get").is_some(), "{advice}");
        let packages = "apt-get install --yes --no-install-recommends python3 python3-venv";
        let script = format!("{packages} || {{ apt-get update && {packages}; }}");
        let mut command = Command::new("sh");
        command
            .args(["-c", &script])
            .env("DEBIAN_FRONTEND", "noninteractive");
        assert!(succeeds(&mut command), "{advice}");
        assert!(made().is_some(), "{advice}");
    }
}

/// Whether that Python does this.
pub(super) fn runs(python: &Path, arguments: &[&str]) -> bool {
    succeeds(Command::new(python).args(arguments))
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
