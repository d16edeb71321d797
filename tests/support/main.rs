//! The program `chatferry`, under a name of its own among programs, and its right one inside.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    chatferry::run(
        std::iter::once("chatferry".into())
            .chain(arguments)
            .collect(),
    )
}
