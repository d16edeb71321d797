//! What a person may type.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use chatferry_config::units;
use chatferry_draft::Role;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Moves a legacy chat into CometChat.
///
/// Streams users, groups, members and messages out of any database or export, shapes them with
/// SQL, and delivers them through CometChat's Data Import API at the rate that it allows: once, in
/// order, with an account for every row.
#[derive(Debug, Parser)]
#[command(name = "chatferry", version = VERSION, propagate_version = true, max_term_width = 100, after_help = AFTER_HELP)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// What every command takes.
    #[command(flatten)]
    pub shared: Shared,
}

/// The version, and, where it is known, the commit that it was built of.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), env!("CHATFERRY_BUILT_OF"));

const AFTER_HELP: &str = "\
Begin with `chatferry check PIPELINE`, go on with `preview`, `plan` and `rehearse`, then `run`.

Exit codes:
  0    done; every row is imported, present or skipped on purpose
  1    a fault of chatferry itself
  2    wrong usage
  3    the pipeline file has mistakes
  4    a source cannot be read
  5    the destination, or the store for attachments, refuses to work or does not answer
  6    the ledger, or the map of attachments, cannot be read or written
  7    done, but some rows were rejected, refused or blocked, or could not be deleted by undo,
       or some files could not be copied; planned, and some rows would be
  8    verified: the app does not hold what was imported, or holds more
  9    stopped by `failure_budget` or `message_allowance`; planned, and the run would be
  130  stopped before the end; the same command goes on";

/// What every command that reads a pipeline takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct Shared {
    /// Replaces one value of the pipeline file for this run
    #[arg(long = "set", value_name = "PATH=VALUE", global = true)]
    pub set: Vec<String>,
    /// The ledger [default: beside the pipeline file]
    #[arg(long, value_name = "FILE", global = true)]
    pub ledger: Option<PathBuf>,
    /// Reads the pipeline's sources from this folder, which `chatferry snapshot` made
    #[arg(long, value_name = "DIR", global = true)]
    pub snapshot: Option<PathBuf>,
    /// How results are written to standard output
    #[arg(long, value_enum, default_value_t = Format::Text, global = true)]
    pub format: Format,
    /// How messages and progress are written to standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub log_format: LogFormat,
    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, global = true)]
    pub color: Color,
    /// Say more; twice for still more
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// For spreadsheets; `failures` alone.
    Csv,
}

/// How messages and progress are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: one JSON object a line.
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Checks the pipeline file, then its sources: every mistake in its place. Sends nothing
    #[command(
        after_help = "Examples: chatferry check pipelines/quickstart\n          \
        chatferry check pipeline.toml --watch"
    )]
    Check(CheckArgs),
    /// Shows the exact JSON that would be sent. Sends nothing
    #[command(
        after_help = "Examples: chatferry preview pipelines/quickstart --flow messages -n 3\n          \
        chatferry preview pipelines/quickstart --id irc-17\n          \
        chatferry preview pipelines/quickstart --flow messages --where \"kind = 'action'\""
    )]
    Preview(PreviewArgs),
    /// Tells what a run would do: outcomes, references, requests, time. Sends nothing
    #[command(after_help = "Example: chatferry plan pipelines/quickstart --report plan.html")]
    Plan(PlanArgs),
    /// Runs everything against the built-in simulator, as fast as the machine allows
    #[command(after_help = "Example: chatferry rehearse pipelines/quickstart")]
    Rehearse(RehearseArgs),
    /// Imports. Run the same command again to go on
    #[command(
        after_help = "Example: chatferry run pipelines/quickstart --set cometchat.base_url=http://127.0.0.1:8080/v3"
    )]
    Run(RunArgs),
    /// Delivers what a Singer tap writes into standard input, and prints its STATE once that is settled
    #[command(
        after_help = "Example: tap-mysql --config tap.json --catalog catalog.json | chatferry singer-target pipeline.toml >> state.jsonl"
    )]
    SingerTarget(SingerTargetArgs),
    /// Looks at a database, a file or a folder, and drafts a pipeline for the chat in it
    #[command(after_help = "Examples: chatferry init chat.db\n          \
        chatferry init postgres://reader:secret@db.example.org/chat -o chat.toml\n          \
        chatferry init export --messages posts --members none --yes")]
    Init(InitArgs),
    /// Shows the tables and columns of a pipeline's sources, a database, a file, a folder or an archive
    #[command(
        after_help = "Examples: chatferry tables pipelines/quickstart\n          \
        chatferry tables postgres://reader@db.example.org/chat users messages\n          \
        chatferry tables export.zip"
    )]
    Tables(TablesArgs),
    /// Copies the files that records refer to into a store; records then have the new URLs
    #[command(
        after_help = "Example: chatferry attachments pipeline.toml --to s3://acme-files/chat \
        --public https://cdn.example.com/chat"
    )]
    Attachments(AttachmentsArgs),
    /// Copies the tables that a pipeline reads into a folder, to read from with `--snapshot`
    #[command(
        after_help = "Example: chatferry snapshot pipelines/quickstart --to copy\n         \
        chatferry run pipelines/quickstart --snapshot copy"
    )]
    Snapshot(SnapshotArgs),
    /// Shows the ledger in a page
    #[command(after_help = "Example: chatferry status pipelines/quickstart")]
    Status(PipelineArgs),
    /// Lists what was rejected, refused or blocked, by reason, with what to do; exports it
    #[command(
        after_help = "Examples: chatferry failures pipelines/quickstart --format csv > failures.csv\n          \
        chatferry failures pipelines/quickstart --export failures.jsonl"
    )]
    Failures(FailuresArgs),
    /// Sends refused records again, or those of an exported file that was corrected by hand
    #[command(after_help = "Example: chatferry retry pipelines/quickstart --from failures.jsonl")]
    Retry(RetryArgs),
    /// Reads back what the app holds and compares it with what was imported
    #[command(after_help = "Example: chatferry verify pipelines/quickstart --findings 100")]
    Verify(VerifyArgs),
    /// Deletes from a test app what was imported into it; without --yes, says what it would delete
    #[command(after_help = "Example: chatferry undo pipelines/quickstart")]
    Undo(UndoArgs),
    /// Serves a stand-in for CometChat's import API
    #[command(
        after_help = "Example: chatferry simulate --listen 127.0.0.1:8080 --requests-per-minute 600 --latency 200"
    )]
    Simulate(Box<SimulateArgs>),
    /// Lists the connectors
    #[command(after_help = "Example: chatferry connectors")]
    Connectors,
    /// Lists the functions that chatferry adds to SQL
    #[command(after_help = "Example: chatferry functions")]
    Functions,
    /// Lists the destination's rules, by which records are rejected or skipped
    #[command(after_help = "Example: chatferry rules --format json")]
    Rules,
    /// Says of a mistake, a rule or a code what happened, why, and what to do
    #[command(
        after_help = "Examples: chatferry explain pipeline::unknown-key\n          \
        chatferry explain text-empty\n          chatferry explain ERR_EXCEPTION"
    )]
    Explain(ExplainArgs),
    /// Writes the JSON Schema of pipeline files, by which editors complete and check them
    #[command(after_help = "Example: chatferry schema > chatferry.schema.json")]
    Schema,
    /// Writes what a shell needs to complete commands and options
    #[command(
        after_help = "Example: chatferry completions bash > ~/.local/share/bash-completion/completions/chatferry"
    )]
    Completions(CompletionsArgs),
    /// Writes manual pages, one for each command
    #[command(after_help = "Example: chatferry man ~/.local/share/man/man1")]
    Man(ManArgs),
}

/// What `init` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct InitArgs {
    /// The URL of a database, a file, a folder or an archive
    ///
    /// Others on this machine can see a password in a URL; `${NAME}` in it is the environment. No
    /// password gets into the file.
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// The pipeline file to write; one that is there is never written over
    #[arg(short, long, value_name = "FILE", default_value = "pipeline.toml")]
    pub output: PathBuf,
    /// The table of users; `none`: they are whoever wrote
    #[arg(long, value_name = "TABLE")]
    pub users: Option<String>,
    /// The table of conversations; `none`: they are what messages name
    #[arg(long, value_name = "TABLE")]
    pub conversations: Option<String>,
    /// The table of who is where; `none`: it is who wrote there
    #[arg(long, value_name = "TABLE")]
    pub members: Option<String>,
    /// The table of messages
    #[arg(long, value_name = "TABLE")]
    pub messages: Option<String>,
    /// The ready-made pipeline to use; `none` drafts one
    #[arg(long, value_name = "NAME")]
    pub system: Option<String>,
    /// Asks nothing
    #[arg(short, long)]
    pub yes: bool,
}

impl InitArgs {
    /// What was said of a table.
    #[must_use]
    pub fn table(&self, role: Role) -> Option<&str> {
        let table = match role {
            Role::Users => &self.users,
            Role::Conversations => &self.conversations,
            Role::Members => &self.members,
            Role::Messages => &self.messages,
            Role::Attachments | Role::Reactions => &None,
        };
        table.as_deref()
    }
}

/// Which tables.
#[derive(Clone, Debug, ClapArgs)]
pub struct TablesArgs {
    /// A pipeline, the URL of a database, a file, a folder or an archive
    ///
    /// Others on this machine can see a password in a URL; `${NAME}` in it is the environment.
    #[arg(value_name = "SOURCE")]
    pub source: String,
    /// Only these tables
    #[arg(value_name = "TABLE")]
    pub tables: Vec<String>,
}

/// Which pipeline.
#[derive(Clone, Debug, ClapArgs)]
pub struct PipelineArgs {
    /// The pipeline file, or a folder with a `pipeline.toml`
    #[arg(value_name = "PIPELINE")]
    pub pipeline: PathBuf,
}

/// What `check` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct CheckArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Check again each time the file is saved, until it is stopped
    #[arg(long)]
    pub watch: bool,
    /// How long to wait for example rows; a view that groups reads all of its own first
    #[arg(long, value_name = "DURATION", default_value = "300 ms", value_parser = units::duration)]
    pub patience: Duration,
}

/// What `snapshot` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct SnapshotArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// The folder to make; it must not be there
    #[arg(long, value_name = "DIR")]
    pub to: PathBuf,
    /// Copy all tables that the sources offer, not only those that flows and views read
    #[arg(long)]
    pub all_tables: bool,
}

/// What `attachments` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct AttachmentsArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// The store: s3://bucket/path, gs://…, az://… or a folder [default: the pipeline's `attachments.to`]
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// Under which URL everybody sees what is in the store [default: its `attachments.public`]
    #[arg(long, value_name = "URL")]
    pub public: Option<String>,
    /// The folder or archive that paths begin in, for exports that have their files beside them
    /// [default: the pipeline file's folder]
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Files that are asked for in a second at most
    #[arg(long, value_name = "N")]
    pub per_second: Option<NonZeroU64>,
    /// Files that are copied at once at most
    #[arg(long, value_name = "N")]
    pub at_once: Option<NonZeroUsize>,
    /// Only counts the files, by host; asks nobody
    #[arg(long)]
    pub dry_run: bool,
}

/// What `preview` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct PreviewArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Only this flow
    #[arg(long, value_name = "NAME")]
    pub flow: Option<String>,
    /// Only the record of this id, as the app gets it: a uid, guid, memberId or muid
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// Only rows for which this holds: SQL over the columns of what the flow reads
    #[arg(long = "where", value_name = "SQL")]
    pub filter: Option<String>,
    /// How many records of each flow; with --id or --where, how many rows, whatever becomes of them
    #[arg(short = 'n', long, value_name = "N", default_value_t = 3)]
    pub records: usize,
}

/// What `plan` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct PlanArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Plan a run that sends records that were refused again, although nothing has changed
    #[arg(long)]
    pub retry_refused: bool,
    /// Plan a run that reads all rows, also those that an earlier one has settled
    #[arg(long)]
    pub everything: bool,
    /// Also write the plan as a page of HTML
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

/// Where a run is shown while it is under way.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct ListenArgs {
    /// Serves a status page there, with metrics for Prometheus; a port is one of this machine alone
    #[arg(long, value_name = "[ADDRESS:]PORT", value_parser = crate::live::address)]
    pub listen: Option<SocketAddr>,
    /// Serves it also to those who ask for this host name, beside addresses and localhost
    #[arg(long, value_name = "NAME", requires = "listen")]
    pub listen_as: Vec<String>,
}

/// What `rehearse` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct RehearseArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Answers a case that the API's documentation leaves open; see docs/simulator.md
    #[arg(long = "switch", value_name = "NAME=VALUE")]
    pub switches: Vec<String>,
    /// Also write what it came to as a page of HTML
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Where it is shown meanwhile.
    #[command(flatten)]
    pub listen: ListenArgs,
}

/// What `run` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct RunArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Send records that were refused again, although nothing has changed
    #[arg(long)]
    pub retry_refused: bool,
    /// Read all rows again, also where `changed_since` tells which may have changed
    #[arg(long)]
    pub everything: bool,
    /// Run although flows are gone, read other tables or make other ids than in the run before
    #[arg(long)]
    pub accept_changes: bool,
    /// Run again and again, so long after each run's end, until it is stopped
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub watch: Option<Duration>,
    /// Also write what it came to as a page of HTML
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Where it is shown meanwhile.
    #[command(flatten)]
    pub listen: ListenArgs,
}

/// What `singer-target` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct SingerTargetArgs {
    /// The pipeline file, or a folder with a `pipeline.toml`; it has a `singer` source with `path = "-"`
    #[arg(value_name = "PIPELINE", required_unless_present = "config")]
    pub pipeline: Option<PathBuf>,
    /// A JSON object, as whoever runs taps and targets gives it: `pipeline`, and in `set` what --set takes
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Reads nothing, and goes on with what was read before and is not settled
    #[arg(long)]
    pub resume: bool,
    /// Run although flows are gone, read other tables or make other ids than in the run before
    #[arg(long)]
    pub accept_changes: bool,
    /// Also write what it came to as a page of HTML
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Where it is shown meanwhile.
    #[command(flatten)]
    pub listen: ListenArgs,
}

/// What `failures` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct FailuresArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// How many examples of each reason are shown; all are counted
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub examples: u32,
    /// Writes each record, shaped once more from the sources, with its place and what was wrong
    /// with it, as JSON lines, for `retry --from`
    #[arg(long, value_name = "FILE")]
    pub export: Option<PathBuf>,
    /// Lists instead what was delivered and of which rows make something else now
    #[arg(long, conflicts_with = "export")]
    pub changed: bool,
}

/// What `retry` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct RetryArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Sends the records of this file, which `failures --export` wrote and which was corrected
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Also write what it came to as a page of HTML
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Where it is shown meanwhile.
    #[command(flatten)]
    pub listen: ListenArgs,
}

/// What `verify` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct VerifyArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// How many findings of each kind are listed; all of them are counted
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub findings: usize,
    /// Seconds to ask again for what is missing, since lists may show late what was stored
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    pub patience: u64,
    /// Begin anew although an earlier verification was not finished
    #[arg(long)]
    pub anew: bool,
}

/// What `undo` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct UndoArgs {
    /// Which pipeline.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
    /// Delete it
    #[arg(long)]
    pub yes: bool,
}

/// What `explain` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct ExplainArgs {
    /// A code as it is shown beside a mistake, a row or an error, or an exit code [default: lists all]
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// What `completions` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// What `man` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct ManArgs {
    /// The folder to write into; it is made if it is not there
    #[arg(value_name = "DIR")]
    pub to: PathBuf,
}

/// What `simulate` takes.
#[derive(Clone, Debug, ClapArgs)]
pub struct SimulateArgs {
    /// Where to listen; anything but a loopback address lets others in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Import requests allowed in any minute, or `off`
    #[arg(long, value_name = "N", default_value = "60")]
    pub requests_per_minute: String,
    /// Requests allowed in any minute that make or end users, groups and memberships, or `off`
    #[arg(long, value_name = "N", default_value = "10000")]
    pub core_requests_per_minute: String,
    /// All other requests allowed in any minute, such as lists, or `off`
    #[arg(long, value_name = "N", default_value = "20000")]
    pub other_requests_per_minute: String,
    /// Milliseconds until lists show what was stored
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub read_delay: u64,
    /// Milliseconds until each answer
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// More milliseconds, drawn for each answer: up to MS, or with a long tail
    #[arg(long, value_name = "MS|MEDIAN/P99", default_value = "0")]
    pub latency_spread: String,
    /// Seconds that the clock of the service is fast, or slow if negative
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    pub clock_skew: i64,
    /// Days that messages may be old, or `off`
    #[arg(long, value_name = "DAYS", default_value = "183")]
    pub retention: String,
    /// The only key that is taken [default: any]
    #[arg(
        long,
        value_name = "KEY",
        env = "CHATFERRY_SIMULATOR_KEY",
        hide_env_values = true
    )]
    pub api_key: Option<String>,
    /// Answers a case that the API's documentation leaves open; see docs/simulator.md
    #[arg(long = "switch", value_name = "NAME=VALUE")]
    pub switches: Vec<String>,
    /// A fault for the next request, one after the other, or N*FAULT; see docs/simulator.md
    #[arg(long = "fault", value_name = "FAULT")]
    pub faults: Vec<String>,
    /// Records that hold this text fail their whole request, as those that are too old do
    #[arg(long, value_name = "TEXT")]
    pub poison: Option<String>,
    /// How many of a hundred import requests a fault strikes that is drawn by chance
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=100))]
    pub fault_percent: u8,
    /// Chance draws the same again with the same number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Keep ids only: less memory, nothing to dump
    #[arg(long)]
    pub ids_only: bool,
    /// Where to write what was stored, as JSON lines, when it is stopped
    #[arg(long, value_name = "FILE")]
    pub dump: Option<PathBuf>,
}
