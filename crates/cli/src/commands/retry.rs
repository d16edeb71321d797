//! `retry`: what was not delivered, sent once more: as it is, or as it was corrected by hand.

use std::sync::Arc;

use chatferry_core::Destination;
use chatferry_ledger::Ledger;
use chatferry_runtime::Again;

use crate::args::{RetryArgs, RunArgs, Shared};
use crate::commands::run::{About, deliver, end, show, tell};
use crate::corrected::Corrected;
use crate::pipeline;
use crate::report::Page;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// Stands for "corrected by hand" beside a pipeline: such a run is not one of the pipeline, which
/// is read from the place where it was.
const BY_HAND: u64 = 0x6279_2068_616e_6421;

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
            watch: None,
            report: args.report.clone(),
        };
        return super::run::run(&again, shared, terminal).await;
    };
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, false)?;
    let corrected = Corrected::read(from, &opened.pipeline.flows)?;
    let mut page = args.report.as_deref().map(Page::begin).transpose()?;
    let destination: Arc<dyn Destination> = Arc::new(super::connect(&opened.pipeline.destination)?);
    let ledger = Ledger::open(&opened.ledger(shared)).await?;
    let (mut finished, pace) = deliver(
        corrected.flows,
        corrected.totals,
        BY_HAND,
        destination,
        ledger,
        Again::Refused,
        terminal,
    )
    .await?;
    show(&finished, terminal);
    if let Some(page) = &mut page {
        let about = About {
            title: "Retry",
            pipeline: &opened.pipeline.name,
            for_real: None,
        };
        tell(page, about, &mut finished, &pace, terminal).await?;
    }
    finished.ledger.close().await?;
    end(&finished.ended, &finished.account)
}
