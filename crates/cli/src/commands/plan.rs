//! `plan`: what a run would do, told beforehand.

use std::sync::Arc;

use chatferry_ledger::Ledger;
use chatferry_report::plan::{Plan as Told, Style};
use chatferry_runtime::{Again, Forecast, Plan};
use chrono::{DateTime, Utc};

use crate::account::{advice, more_on};
use crate::args::{PlanArgs, Shared};
use crate::commands::run::trouble_of;
use crate::lineage;
use crate::pipeline;
use crate::report::Page;
use crate::signals::listen;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};
use crate::watch::Watch;

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, a source or the ledger cannot be read, the page cannot be written,
/// or it was stopped.
pub async fn run(args: &PlanArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, true)?;
    let page = args.report.as_deref().map(Page::begin).transpose()?;
    let copies = opened.copies(shared).await?;
    let planned = opened.plan(terminal).await?.with_files(copies.as_deref());
    let settings = &opened.pipeline.destination;
    let path = opened.ledger(shared);
    let mut ledger = match path.exists() {
        true => Some(Ledger::read(&path).await?),
        false => None,
    };
    if let Some(ledger) = &mut ledger {
        lineage::warn(&opened, ledger, terminal).await?;
    }
    let now = Utc::now();
    let plan = Plan {
        destination: Arc::new(super::offline(settings, copies.as_ref())),
        flows: planned.inputs(),
        ledger,
        pipeline: planned.fingerprint,
        again: match (args.everything, args.retry_refused) {
            (_, true) => Again::Refused,
            (true, false) => Again::Everything,
            (false, false) => Again::Nothing,
        },
        spill: planned.spill.clone(),
        now_ms: Arc::new(move || now.timestamp_millis()),
    };
    let mut watch = Watch::new(terminal, planned.totals(), None);
    let (stop, stopped) = chatferry_runtime::stop();
    let listener = listen(stop, watch.voice());
    let forecast = plan.go(stopped, &mut watch).await;
    drop(listener);
    watch.finish();
    let forecast = match forecast {
        Ok(forecast) => forecast,
        Err(ended) => return trouble_of(&ended).map_or(Ok(Exit::Fault), Err),
    };
    let oldest = settings.retention.oldest(now.timestamp());
    let told = Told {
        pipeline: &opened.pipeline.name,
        forecast: &forecast,
        now,
        oldest: oldest.and_then(|oldest| DateTime::from_timestamp(oldest, 0)),
        advice,
    };
    if terminal.json() {
        terminal.result(&format!("{}\n", told.as_json()));
    } else {
        let style = Style {
            bold: &|text| terminal.bold(text),
            unicode: terminal.unicode(),
            width: terminal.width_of_results(),
        };
        terminal.told(&told.as_text(style));
        if let Some(more) = more_on(&forecast.account) {
            terminal.result(&format!("\n{more}"));
        }
    }
    if let Some(mut page) = page {
        terminal.say(&page.write(&told.as_html())?);
    }
    let next = match forecast.has_ledger {
        true => "run",
        false => "rehearse",
    };
    terminal.next(next, &args.pipeline.pipeline);
    Ok(exit(&forecast))
}

/// How the program ends: as the run would, as far as that can be told.
fn exit(forecast: &Forecast) -> Exit {
    if !forecast.account.adds_up() {
        Exit::Fault
    } else if forecast.beyond_allowance().is_some() {
        Exit::Limit
    } else if forecast.account.undelivered() > 0 {
        Exit::Undelivered
    } else {
        Exit::Done
    }
}
