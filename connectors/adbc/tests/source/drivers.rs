//! Real drivers, out of the packages that Python has of them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use chatferry_core::source::{Source, SourceError};
use chatferry_testkit::settings::planned;

/// The packages, as they were when this was written.
const PACKAGES: [&str; 2] = [
    "adbc-driver-sqlite==1.13.0",
    "adbc-driver-postgresql==1.13.0",
];

/// The library of a driver; it is installed where it is missing.
///
/// # Panics
///
/// When it is not there and cannot be installed.
pub(crate) fn driver(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adbc-drivers");
    let library = folder.join(format!("adbc_driver_{name}/libadbc_driver_{name}.so"));
    fs::create_dir_all(&folder).expect("a folder");
    let lock = File::create(folder.join("lock")).expect("a file to lock");
    lock.lock().expect("one test installs at a time");
    if !library.is_file() {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]);
        let ended = pip
            .arg(&folder)
            .args(PACKAGES)
            .output()
            .expect("Python is there");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(
            library.is_file(),
            "this test needs the packages {} of PyPI: {said}",
            PACKAGES.join(" and ")
        );
    }
    library
}

/// The source with this driver and these settings.
pub(crate) fn source(name: &str, settings: &str) -> Result<Arc<dyn Source>, SourceError> {
    let library = driver(name);
    let settings = format!("driver = {:?}\n{settings}", library.display().to_string());
    opened(&settings)
}

/// The source with these settings.
pub(crate) fn opened(settings: &str) -> Result<Arc<dyn Source>, SourceError> {
    let (source, mistakes) = planned(chatferry_adbc::register, settings, Path::new("/"));
    assert_eq!(mistakes, "");
    source.expect("settings in order").open()
}
