//! `generate-chat`: writes a generated chat and its pipeline to a folder.

use std::io;
use std::path::PathBuf;

use chatferry_benches::generate::{Chat, NOW_MS, Order, Size};
use clap::Parser;

/// Writes a generated chat as JSON lines, and a pipeline that imports it.
#[derive(Parser)]
#[command(name = "generate-chat")]
struct Arguments {
    /// The folder to write to; it is made if there is none
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// How many messages
    #[arg(long, value_name = "NUMBER", default_value_t = 100_000)]
    messages: u64,
    /// How many users [default: one for 100 messages]
    #[arg(long, value_name = "NUMBER")]
    users: Option<u64>,
    /// How many conversations, half of them rooms [default: one for 500 messages]
    #[arg(long, value_name = "NUMBER")]
    conversations: Option<u64>,
    /// Which chat: the same number gives the same one
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    seed: u64,
    /// When the chat ends, in UNIX seconds; it begins 150 days earlier
    #[arg(long, value_name = "SECONDS", default_value_t = NOW_MS / 1_000)]
    now: u64,
    /// Write the messages in no order, so that they must be sorted
    #[arg(long)]
    shuffled: bool,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let usual = Size::of(arguments.messages);
    let size = Size {
        users: arguments.users.unwrap_or(usual.users),
        conversations: arguments.conversations.unwrap_or(usual.conversations),
        ..usual
    };
    let order = if arguments.shuffled {
        Order::Shuffled
    } else {
        Order::ByTime
    };
    Chat::new(arguments.seed, size)
        .at(arguments.now * 1_000)
        .write(&arguments.out, order)
}
