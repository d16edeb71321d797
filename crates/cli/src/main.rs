//! The program `chatferry`.

use std::process::ExitCode;

fn main() -> ExitCode {
    chatferry::run(std::env::args_os().collect())
}
