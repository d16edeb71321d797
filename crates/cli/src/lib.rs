//! The program `chatferry`: the only crate that prints or exits, and the one that knows every
//! other.
//!
//! [`args`] is what a person may type; each command is a file under [`commands`]; [`pipeline`]
//! opens a pipeline file with the connectors of [`connectors`]; [`trouble`] is how things go wrong,
//! each kind with its exit code; [`terminal`], [`progress`], [`account`] and
//! [`report`] are what a person sees.

pub mod account;
pub mod args;
mod cache;
pub mod catalogue;
pub mod commands;
pub mod connectors;
mod copies;
pub mod corrected;
pub mod examples;
pub mod findings;
pub mod in_process;
pub mod layout;
mod lineage;
mod live;
mod logging;
pub mod pipeline;
pub mod progress;
pub mod reasons;
pub mod report;
mod screen;
mod signals;
pub mod terminal;
pub mod trouble;
pub mod watch;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Args, Command, Format};
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Runs the program with these arguments, the first of which is its name.
///
/// Not generic on purpose: what is generic is compiled where it is called, and every future of the
/// program with it, once for each program that calls it.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are no mistakes, and go to standard output.
            let _ = error.print();
            return Exit::from_clap(&error).into();
        }
    };
    let terminal = Terminal::new(&args.shared);
    if args.shared.format == Format::Csv && !matches!(args.command, Command::Failures(_)) {
        let trouble = Trouble::new(Exit::Usage, "only `failures` writes CSV");
        terminal.trouble(&trouble.help("write --format json instead"));
        return Exit::Usage.into();
    }
    logging::start(args.shared.verbose, &terminal);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let ended = match runtime {
        Ok(runtime) => runtime.block_on(dispatch(args, &terminal)),
        Err(error) => Err(Trouble::new(Exit::Fault, format!("cannot start: {error}"))),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(trouble) => {
            terminal.trouble(&trouble);
            trouble.exit.into()
        }
    }
}

async fn dispatch(args: Args, terminal: &Terminal) -> Result<Exit, Trouble> {
    let shared = &args.shared;
    match args.command {
        Command::Check(args) => commands::check::run(&args, shared, terminal).await,
        Command::Preview(args) => commands::preview::run(&args, shared, terminal).await,
        Command::Plan(args) => commands::plan::run(&args, shared, terminal).await,
        Command::Rehearse(args) => commands::rehearse::run(&args, shared, terminal).await,
        Command::Run(args) => commands::run::run(&args, shared, terminal).await,
        Command::SingerTarget(args) => {
            commands::singer_target::run(&args, shared, &terminal.talking()).await
        }
        Command::Failures(args) => commands::failures::run(&args, shared, terminal).await,
        Command::Retry(args) => commands::retry::run(&args, shared, terminal).await,
        Command::Init(args) => commands::init::run(&args, shared, terminal).await,
        Command::Tables(args) => commands::tables::run(&args, shared, terminal).await,
        Command::Status(args) => commands::status::run(&args, shared, terminal).await,
        Command::Verify(args) => commands::verify::run(&args, shared, terminal).await,
        Command::Undo(args) => commands::undo::run(&args, shared, terminal).await,
        Command::Attachments(args) => commands::attachments::run(&args, shared, terminal).await,
        Command::Snapshot(args) => commands::snapshot::run(&args, shared, terminal).await,
        Command::Simulate(args) => commands::simulate::run(&args, terminal).await,
        Command::Connectors => commands::lists::connectors(terminal),
        Command::Functions => commands::lists::functions(terminal),
        Command::Rules => commands::lists::rules(terminal),
        Command::Explain(args) => commands::explain::run(&args, terminal),
        Command::Schema => commands::lists::schema(terminal),
        Command::Completions(args) => commands::shell::completions(&args, terminal),
        Command::Man(args) => commands::shell::man(&args, terminal),
    }
}
