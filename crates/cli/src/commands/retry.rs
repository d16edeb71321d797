//! `retry`: what was not delivered, sent once more: as it is, or as it was corrected by hand.

use std::sync::Arc;

use chatferry_core::Destination;
use chatferry_ledger::Ledger;
use chatferry_runtime::{Again, Run};

use crate::args::{RetryArgs, RunArgs, Shared};
use crate::commands::run::{About, Shown, deliver, end, now_ms, show, tell};
use crate::corrected::Corrected;
use crate::live;
use crate::pipeline::{self, Opened};
use crate::report::Page;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Stands for "corrected by hand" beside a pipeline: such a run is not one of the pipeline, which
/// is read from the place where it was.
const BY_HAND: u64 = 0x6279_2068_616e_6421;

/// What it is called on pages.
const TITLE: &str = "Retry";

/// Runs the command.
///
/// # Errors
///
/// Those of `run`; and when the corrected file cannot be used.
pub async fn run(args: &RetryArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    let Some(from) = &args.from else {
        let again = RunArgs {
            pipeline: args.pipeline.clone(),
            retry_refused: true,
            everything: false,
            accept_changes: false,
            watch: None,
            report: args.report.clone(),
            listen: args.listen.clone(),
        };
        return super::run::run(&again, shared, terminal).await;
    };
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, false)?;
    let corrected = Corrected::read(from, &opened.pipeline.flows)?;
    let name = &opened.pipeline.name;
    let live = live::Page::open(&args.listen, TITLE, name, terminal).await?;
    let ended = retry(args, shared, terminal, &opened, corrected, &live).await;
    live.close(&ended).await;
    ended
}

/// Sends what was corrected.
async fn retry(
    args: &RetryArgs,
    shared: &Shared,
    terminal: &Terminal,
    opened: &Opened,
    corrected: Corrected,
    live: &live::Page,
) -> Result<Exit, Trouble> {
    let mut page = args.report.as_deref().map(Page::begin).transpose()?;
    let copies = opened.copies(shared).await?;
    let destination = super::connect(&opened.pipeline.destination, copies.as_ref())?;
    let destination: Arc<dyn Destination> = Arc::new(destination);
    let ledger = Ledger::open(&opened.ledger(shared)).await?;
    let run = Run {
        destination,
        flows: corrected.flows,
        ledger,
        pipeline: BY_HAND,
        again: Again::Refused,
        spill: opened.pipeline.engine.spill.clone(),
        now_ms: now_ms(),
    };
    let (mut finished, pace) = deliver(run, corrected.totals, Shown { terminal, live }).await?;
    show(&finished, terminal);
    if let Some(page) = &mut page {
        let about = About {
            title: TITLE,
            pipeline: &opened.pipeline.name,
            for_real: None,
        };
        tell(page, about, &mut finished, &pace, terminal).await?;
    }
    finished.ledger.close().await?;
    live.ended(&finished.ended, &finished.account, None);
    end(&finished.ended, &finished.account)
}
