//! The program `chatferry`, under a name of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    chatferry::run(std::env::args_os())
}
