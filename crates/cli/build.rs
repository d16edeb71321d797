//! Tells the program which commit it was built of.
//!
//! Only optimised builds are told: others are made again and again, and would be made once more
//! after each commit. `CHATFERRY_COMMIT` says it where there is no checkout, as in a container.

#[path = "build/commit.rs"]
mod commit;

use std::env;
use std::path::Path;

use commit::Commit;

/// Digits of the hash that are shown.
const DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build/commit.rs");
    println!("cargo::rerun-if-env-changed=CHATFERRY_COMMIT");
    let given = env::var("CHATFERRY_COMMIT").ok();
    let given = given
        .map(|commit| commit.trim().to_owned())
        .filter(|commit| !commit.is_empty());
    let is_optimised = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = match given {
        Some(given) => Some(given),
        None if is_optimised => {
            let here = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
            let commit = Commit::of(&Path::new(&here).join("../.."));
            for file in &commit.told_by {
                println!("cargo::rerun-if-changed={}", file.display());
            }
            commit.hash
        }
        None => None,
    };
    let commit = commit.map(|commit| commit.chars().take(DIGITS).collect::<String>());
    let shown = commit.map_or_else(String::new, |commit| format!(" ({commit})"));
    println!("cargo::rustc-env=CHATFERRY_BUILT_OF={shown}");
}
