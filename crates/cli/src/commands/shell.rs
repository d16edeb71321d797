//! `completions` and `man`: what a shell and its manual know of this program, made from what it
//! takes.

use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs, ManArgs};
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Writes the completions for a shell to standard output.
///
/// # Errors
///
/// Never; it has the form of a command.
pub fn completions(args: &CompletionsArgs, terminal: &Terminal) -> Result<Exit, Trouble> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "chatferry", &mut script);
    terminal.result(&String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}

/// Writes a page for the program and one for each command into a folder.
///
/// # Errors
///
/// When they cannot be written.
pub fn man(args: &ManArgs, terminal: &Terminal) -> Result<Exit, Trouble> {
    let cannot = |error: std::io::Error| {
        let message = format!("cannot write to {}: {error}", args.to.display());
        Trouble::new(Exit::Usage, message).help("name a folder that you may write to")
    };
    std::fs::create_dir_all(&args.to).map_err(cannot)?;
    clap_mangen::generate_to(Args::command(), &args.to).map_err(cannot)?;
    terminal.say(&format!(
        "the pages are in {}; look at one with `man -l`",
        args.to.display()
    ));
    Ok(Exit::Done)
}
