//! `rehearse`: the whole run against the simulator in the same process, as fast as the machine
//! allows.
//!
//! The rules, the requests and the answers are those of a run; only the wait between requests is
//! left out, and reckoned instead.

use std::sync::Arc;

use chatferry_cometchat::{CometChat, Retention};
use chatferry_ledger::Ledger;
use chatferry_runtime::Again;
use chatferry_runtime::plan::time_for;
use chatferry_simulator::{Keep, Settings, Simulator};

use crate::account::{counted, duration};
use crate::args::{RehearseArgs, Shared};
use crate::commands::run::{About, Shown, end, go, show, tell};
use crate::in_process::InProcess;
use crate::live;
use crate::pipeline::{self, Opened};
use crate::report::Page;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// What it is called on pages.
const TITLE: &str = "Rehearsal";

/// Runs the command.
///
/// # Errors
///
/// When the file has mistakes, a source cannot be read, or there is no room for a ledger.
pub async fn run(
    args: &RehearseArgs,
    shared: &Shared,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    let opened = pipeline::open(&args.pipeline.pipeline, shared, terminal, true)?;
    let name = &opened.pipeline.name;
    let live = live::Page::open(&args.listen, TITLE, name, terminal).await?;
    let ended = rehearse(args, shared, terminal, &opened, &live).await;
    live.close(&ended).await;
    ended
}

async fn rehearse(
    args: &RehearseArgs,
    shared: &Shared,
    terminal: &Terminal,
    opened: &Opened,
    live: &live::Page,
) -> Result<Exit, Trouble> {
    let page = args.report.as_deref().map(Page::begin).transpose()?;
    let copies = opened.copies(shared).await?;
    let planned = opened.plan(terminal).await?.with_files(copies.as_deref());
    let mut settings = opened.pipeline.destination.clone();
    let limit = settings.delivery.requests_per_minute.take();

    let mut stand_in = Settings {
        requests_per_minute: None,
        keep: Keep::Ids,
        ..Settings::default()
    };
    if settings.retention == Retention::Off {
        stand_in.retention = None;
    }
    switch(&mut stand_in, &args.switches)?;
    let cannot = |error: std::io::Error| {
        Trouble::new(Exit::Fault, format!("cannot start the simulator: {error}"))
    };
    let simulator = Simulator::new(stand_in).map_err(cannot)?;
    let destination = CometChat::over(&settings, Arc::new(InProcess(simulator)))
        .with_files(super::files(copies.as_ref()));

    // A ledger as a run would have, in a folder that goes away afterwards.
    let folder = tempfile::tempdir().map_err(|error| {
        Trouble::new(
            Exit::Ledger,
            format!("cannot make a folder for a ledger: {error}"),
        )
    })?;
    let ledger = Ledger::open(&folder.path().join("rehearsal.ledger")).await?;
    let (mut finished, pace) = go(
        &planned,
        Arc::new(destination),
        ledger,
        Again::Nothing,
        Shown { terminal, live },
    )
    .await?;
    show(&finished, terminal);
    let requests = finished.requests.sent;
    let for_real = limit.map(|limit| (limit, time_for(requests, limit)));
    if !terminal.json()
        && let Some((limit, time)) = for_real
    {
        let requests = counted(requests, "request");
        let time = duration(time);
        terminal.result(&format!(
            "for real, at {limit} requests a minute: {requests}, {time}\n"
        ));
    }
    if let Some(mut page) = page {
        let about = About {
            title: TITLE,
            pipeline: &opened.pipeline.name,
            for_real,
        };
        tell(&mut page, about, &mut finished, &pace, terminal).await?;
    }
    finished.ledger.close().await?;
    live.ended(&finished.ended, &finished.account, None);
    let ended = end(&finished.ended, &finished.account);
    if ended.is_ok() {
        terminal.next("run", &args.pipeline.pipeline);
    }
    ended
}

/// Sets switches of the simulator as typed: `name=value`.
pub(crate) fn switch(settings: &mut Settings, switches: &[String]) -> Result<(), Trouble> {
    for switch in switches {
        let (name, value) = switch.split_once('=').unwrap_or((switch, ""));
        settings
            .switch(name, value)
            .map_err(|reason| Trouble::new(Exit::Usage, reason))?;
    }
    Ok(())
}
