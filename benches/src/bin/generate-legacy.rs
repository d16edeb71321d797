//! `generate-legacy`: fills a database or a folder with the chat of a home-grown system.

use chatferry_benches::legacy::{FillError, Population, Target, fill};
use clap::Parser;

/// Fills an empty database or a folder with the chat of a home-grown system, as dirty as real ones are.
#[derive(Parser)]
#[command(name = "generate-legacy")]
struct Arguments {
    /// Where to: sqlite:FILE, postgres://…, mysql://…, csv:FOLDER or parquet:FOLDER
    #[arg(long, value_name = "WHERE")]
    to: Target,
    /// How many messages
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    messages: u64,
    /// Which chat: the same number gives the same one
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    seed: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), FillError> {
    let arguments = Arguments::parse();
    let chat = Population::new(arguments.seed, arguments.messages);
    fill(&arguments.to, &chat).await
}
