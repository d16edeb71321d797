//! `snapshot`: copies what a pipeline reads, so that it can run without its sources.

use std::fmt::Write;

use chatferry_core::OutcomeKind;
use chatferry_parquet::snapshot::{Manifest, RejectedPlace, SnapshotWriter};
use chrono::{SecondsFormat, Utc};
use indicatif::HumanBytes;

use crate::account::{advice, count, counted};
use crate::args::{Shared, SnapshotArgs};
use crate::copies::{Which, copies};
use crate::pipeline;
use crate::progress::Steps;
use crate::signals::listen;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// How many rejected rows of a table are told of one by one.
const SHOWN: usize = 3;

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, a source cannot be read, the snapshot cannot be written, or it was
/// stopped before its end.
pub async fn run(
    args: &SnapshotArgs,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let opened = pipeline::open_for_sources(&args.pipeline.pipeline, shared, terminal)?;
    let version = env!("CARGO_PKG_VERSION");
    let mut snapshot = SnapshotWriter::begin(&args.to, version, &opened.pipeline.name, &now())?;
    let which = match args.all_tables {
        true => Which::All,
        false => Which::Read,
    };
    let mut steps = Steps::new(terminal);
    let (stop, mut stopped) = chatferry_runtime::stop();
    let listener = listen(stop, steps.voice());
    let copied = tokio::select! {
        copied = copies(&opened, which, &mut snapshot, terminal, &mut steps) => copied,
        // What was written goes away with the snapshot.
        _ = stopped.wait_for(|stopped| *stopped) => {
            let help = "nothing of it is left; the same command begins anew";
            Err(Trouble::new(Exit::Stopped, "stopped before the snapshot was whole").help(help))
        }
    };
    drop(listener);
    steps.finish();
    copied?;
    let manifest = snapshot.finish(&now())?;
    if terminal.json() {
        let json = serde_json::to_string(&manifest).expect("a manifest can be written");
        terminal.result(&format!("{json}\n"));
    } else {
        terminal.result(&as_text(&manifest, terminal));
    }
    let rejected = tell_of_rejected(&manifest, terminal);
    terminal.say(&format!(
        "the snapshot is {}; `--snapshot {}` reads it in the place of the sources",
        args.to.display(),
        args.to.display()
    ));
    Ok(match rejected {
        0 => Exit::Done,
        _ => Exit::Undelivered,
    })
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn as_text(manifest: &Manifest, terminal: &Terminal) -> String {
    let mut lines = Vec::new();
    for source in &manifest.sources {
        for table in &source.tables {
            let rejected = table.rejected.as_ref().map_or(0, |rejected| rejected.rows);
            lines.push([
                format!("{}.{}", source.source, table.table),
                count(table.rows),
                count(rejected),
                HumanBytes(table.kept.bytes).to_string(),
            ]);
        }
    }
    let titles = ["table", "rows", "rejected", "size"].map(str::to_owned);
    let width = |column: usize| {
        let cells = lines.iter().chain([&titles]).map(|line| &line[column]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2), width(3)];
    let line = |[table, rows, rejected, size]: &[String; 4]| {
        let [a, b, c, d] = widths;
        format!("{table:<a$}  {rows:>b$}  {rejected:>c$}  {size:>d$}")
    };
    let mut text = String::new();
    let _ = writeln!(text, "{}", terminal.bold(&line(&titles)));
    for cells in &lines {
        let _ = writeln!(text, "{}", line(cells));
    }
    text
}

/// Tells of the rows that could not be read; gives how many there are.
fn tell_of_rejected(manifest: &Manifest, terminal: &Terminal) -> u64 {
    let mut all = 0;
    for source in &manifest.sources {
        for table in &source.tables {
            let Some(rejected) = &table.rejected else {
                continue;
            };
            all += rejected.rows;
            terminal.say(&format!(
                "{}.{}: {} could not be read; a run from the snapshot tells of them, too",
                source.source,
                table.table,
                counted(rejected.rows, "row")
            ));
            for row in rejected.first.iter().take(SHOWN) {
                terminal.say(&format!("  {}", in_words(row)));
            }
            for rule in rejected.rules.keys() {
                if let Some(advice) = advice(OutcomeKind::Rejected, rule) {
                    terminal.say(&format!("  help: {advice}"));
                }
            }
        }
    }
    all
}

fn in_words(row: &RejectedPlace) -> String {
    let mut words = format!("{}: {}", row.rule, row.detail);
    if let Some(place) = row.place() {
        let _ = write!(words, " ({place})");
    }
    words
}
