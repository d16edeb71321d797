//! `cargo xtask`: see [`xtask`].

#![expect(clippy::print_stderr, reason = "it talks to who started it")]

use std::path::Path;
use std::process::ExitCode;

use xtask::{api, connector};

const USAGE: &str = "usage: cargo xtask new-connector NAME, or cargo xtask api";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["new-connector", name] => connector::new(repository(), name),
        ["api"] => api::write(repository()),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(said) => {
            eprintln!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn repository() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("the package is in the repository")
}
