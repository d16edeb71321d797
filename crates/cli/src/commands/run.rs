//! `run`: the import. It resumes by itself.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Destination, SourceErrorKind};
use chatferry_ledger::Ledger;
use chatferry_report::pace::Pace;
use chatferry_report::run::{Example, Run as Told};
use chatferry_runtime::{Again, Ended, Finished, Run};
use chrono::{TimeDelta, Utc};

use crate::account;
use crate::args::{RunArgs, Shared};
use crate::lineage;
use crate::live;
use crate::pipeline::{self, Opened, Planned};
use crate::report::Page;
use crate::signals::{self, Signals, listen};
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};
use crate::watch::Watch;

/// What it is called on pages.
const TITLE: &str = "Run";

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, a source, the ledger or the key cannot be used, or the run ended
/// before its end.
pub async fn run(args: &RunArgs, shared: &Shared, terminal: &Terminal) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, false)?;
    let name = &opened.pipeline.name;
    let live = live::Page::open(&args.listen, TITLE, name, terminal).await?;
    let ended = runs(args, shared, terminal, &opened, &live).await;
    live.close(&ended).await;
    ended
}

/// Runs it, once or again and again.
async fn runs(
    args: &RunArgs,
    shared: &Shared,
    terminal: &Terminal,
    opened: &Opened,
    live: &live::Page,
) -> Result<Exit, Trouble> {
    let mut page = args.report.as_deref().map(Page::begin).transpose()?;
    let mut again = match (args.everything, args.retry_refused) {
        (_, true) => Again::Refused,
        (true, false) => Again::Everything,
        (false, false) => Again::Nothing,
    };
    let received = signals::received();
    loop {
        // Each time anew, since tables change.
        let copies = opened.copies(shared).await?;
        let destination = super::connect(&opened.pipeline.destination, copies.as_ref())?;
        let destination: Arc<dyn Destination> = Arc::new(destination);
        let planned = opened.plan(terminal).await?.with_files(copies.as_deref());
        let mut ledger = Ledger::open(&opened.ledger(shared)).await?;
        lineage::go_on(opened, &mut ledger, args.accept_changes, terminal).await?;
        let shown = Shown { terminal, live };
        let (mut finished, pace) = go(&planned, destination, ledger, again, shown).await?;
        show(&finished, terminal);
        if let Some(page) = &mut page {
            let about = About {
                title: TITLE,
                pipeline: &opened.pipeline.name,
                for_real: None,
            };
            tell(page, about, &mut finished, &pace, terminal).await?;
        }
        let path = finished.ledger.path().to_owned();
        finished.ledger.close().await?;
        terminal.say(&format!("the ledger is {}", path.display()));
        let ended = end(&finished.ended, &finished.account);
        let goes_on = ended.is_ok() || passes(&finished.ended);
        let pause = args.watch.filter(|_| goes_on);
        let next =
            pause.and_then(|pause| Utc::now().checked_add_signed(TimeDelta::from_std(pause).ok()?));
        live.ended(&finished.ended, &finished.account, next);
        let Some(pause) = pause else {
            match ended {
                Ok(Exit::Done) => terminal.next("verify", &args.pipeline.pipeline),
                Ok(Exit::Undelivered) => terminal.next("failures", &args.pipeline.pipeline),
                _ => {}
            }
            return ended;
        };
        if let Err(trouble) = ended {
            terminal.trouble(&trouble);
        }
        terminal.say(&format!(
            "the next run begins in {}",
            account::duration(pause)
        ));
        let mut signals = Signals::new();
        // One may have come when the run had just ended.
        if signals::received() > received {
            return Ok(Exit::Done);
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // What was read is settled, so there is nothing left to stop.
            () = signals.next() => return Ok(Exit::Done),
        }
        again = Again::Nothing;
        live.begin(TITLE, &opened.pipeline.name);
    }
}

/// Whether what ended a run may be over when the next one begins.
fn passes(ended: &Ended) -> bool {
    match ended {
        Ended::Silent { .. } => true,
        Ended::Source(error) => error.kind == SourceErrorKind::Failed,
        _ => false,
    }
}

/// Runs planned flows to a destination, shows how they come along and listens to Ctrl-C.
///
/// # Errors
///
/// When the ledger cannot be used.
pub(crate) async fn go(
    planned: &Planned,
    destination: Arc<dyn Destination>,
    ledger: Ledger,
    again: Again,
    shown: Shown<'_>,
) -> Result<(Finished, Pace), Trouble> {
    let run = Run {
        destination,
        flows: planned.inputs(),
        ledger,
        pipeline: planned.fingerprint,
        again,
        spill: planned.spill.clone(),
        now_ms: now_ms(),
    };
    deliver(run, planned.totals(), shown).await
}

/// Where it is seen how a run comes along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'a> {
    /// The terminal.
    pub(crate) terminal: &'a Terminal,
    /// The status page.
    pub(crate) live: &'a live::Page,
}

/// The time, as a run asks for it.
pub(crate) fn now_ms() -> Arc<dyn Fn() -> i64 + Send + Sync> {
    Arc::new(|| Utc::now().timestamp_millis())
}

/// Delivers flows with so many rows each, where that is known.
///
/// # Errors
///
/// When the ledger cannot be used.
pub(crate) async fn deliver(
    run: Run,
    totals: Vec<Option<u64>>,
    shown: Shown<'_>,
) -> Result<(Finished, Pace), Trouble> {
    let delivery = run.destination.delivery();
    let mut watch = Watch::new(shown.terminal, totals, Some(delivery));
    if let Some(board) = shown.live.board() {
        watch.tell(board.clone());
    }
    let (stop, stopped) = chatferry_runtime::stop();
    let listener = listen(stop, watch.voice());
    let finished = run.go(stopped, &mut watch).await;
    drop(listener);
    watch.finish();
    let finished = finished?;
    watch.finished(&finished);
    Ok((finished, watch.pace()))
}

/// What a page is about, beside what it tells.
pub(crate) struct About<'a> {
    /// What it is called.
    pub(crate) title: &'a str,
    /// The pipeline's name.
    pub(crate) pipeline: &'a str,
    /// How long it takes for real, at which limit, where this was not the real thing.
    pub(crate) for_real: Option<(NonZeroU32, Duration)>,
}

/// Rows of each reason that a page has.
const EXAMPLES: u32 = 3;

/// Writes the page of a run, and says where it is.
///
/// # Errors
///
/// When the ledger cannot be read, or the page not be written.
pub(crate) async fn tell(
    page: &mut Page,
    about: About<'_>,
    finished: &mut Finished,
    pace: &Pace,
    terminal: &Terminal,
) -> Result<(), Trouble> {
    let failures = finished.ledger.failures(EXAMPLES).await?;
    let examples = failures.into_iter().flat_map(|it| it.examples);
    let examples: Vec<Example> = examples
        .map(|it| Example {
            flow: it.flow,
            outcome: it.outcome,
            reason: it.reason,
            id: it.id,
            place: it.place,
            detail: it.detail,
        })
        .collect();
    let trouble = trouble_of(&finished.ended).map(|trouble| match trouble.help {
        Some(help) => format!("{}: {help}", trouble.message),
        None => trouble.message,
    });
    let told = Told {
        title: about.title,
        pipeline: about.pipeline,
        finished,
        now: Utc::now(),
        trouble: trouble.as_deref(),
        pace,
        for_real: about.for_real,
        examples: &examples,
        advice: account::advice,
    };
    terminal.say(&page.write(&told.as_html())?);
    Ok(())
}

/// Shows the account of a run.
pub(crate) fn show(finished: &Finished, terminal: &Terminal) {
    if terminal.json() {
        terminal.result(&format!("{}\n", account::as_json(finished)));
        return;
    }
    let table = account::table(&finished.account, |text| terminal.bold(text));
    terminal.told(&format!(
        "{table}\n{}\n",
        account::requests(&finished.requests, finished.took)
    ));
    if !finished.account.adds_up() {
        terminal.complain(
            "the sums do not agree: some rows that were read have no outcome. Please report this.",
        );
    }
}

/// How the program ends after a run.
///
/// # Errors
///
/// When the run ended before its end.
pub(crate) fn end(ended: &Ended, account: &chatferry_core::Account) -> Result<Exit, Trouble> {
    match trouble_of(ended) {
        Some(trouble) => Err(trouble),
        None if !account.adds_up() => Err(Trouble::shown(Exit::Fault)),
        None if account.undelivered() > 0 => Ok(Exit::Undelivered),
        None => Ok(Exit::Done),
    }
}

/// What ended a run before its end, if anything did.
pub(crate) fn trouble_of(ended: &Ended) -> Option<Trouble> {
    let exit = match ended {
        Ended::Complete => return None,
        Ended::Stopped => Exit::Stopped,
        Ended::Refused { .. } | Ended::Silent { .. } => Exit::Destination,
        Ended::TooManyRefused { .. } | Ended::AllowanceUsedUp => Exit::Limit,
        Ended::Source(error) if error.kind == SourceErrorKind::Pipeline => Exit::Pipeline,
        Ended::Source(_) => Exit::Source,
        Ended::Ledger(_) => Exit::Ledger,
    };
    let (message, help) = account::ending(ended).unwrap_or_default();
    let trouble = Trouble::new(exit, message);
    Some(if help.is_empty() {
        trouble
    } else {
        trouble.help(help)
    })
}
