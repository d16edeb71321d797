//! The commands, one file each.

pub mod attachments;
mod changed;
pub mod check;
pub mod explain;
pub mod failures;
pub mod init;
pub mod lists;
pub mod plan;
pub mod preview;
pub mod rehearse;
pub mod retry;
pub mod run;
pub mod shell;
pub mod simulate;
pub mod singer_target;
pub mod snapshot;
pub mod status;
pub mod tables;
pub mod undo;
pub mod verify;

use std::sync::Arc;

use chatferry_attachments::Copies;
use chatferry_cometchat::{CometChat, Settings};
use chatferry_core::Files;
use chatferry_ledger::Ledger;

use crate::args::Shared;
use crate::pipeline::Opened;
use crate::trouble::{Exit, Trouble};

/// The app that the settings name, for records whose files were copied.
fn connect(settings: &Settings, copies: Option<&Arc<Copies>>) -> Result<CometChat, Trouble> {
    let connected = CometChat::connect(settings).map_err(|reason| {
        let message = format!("cannot use the destination: {reason}");
        Trouble::new(Exit::Destination, message)
    })?;
    Ok(connected.with_files(files(copies)))
}

/// The same, that is never asked anything.
fn offline(settings: &Settings, copies: Option<&Arc<Copies>>) -> CometChat {
    CometChat::offline(settings).with_files(files(copies))
}

/// Who tells records where their files are by now.
fn files(copies: Option<&Arc<Copies>>) -> Option<Arc<dyn Files>> {
    copies.map(|copies| Arc::clone(copies) as Arc<dyn Files>)
}

/// The ledger of a pipeline that was run before; none is made.
async fn existing_ledger(opened: &Opened, shared: &Shared) -> Result<Ledger, Trouble> {
    let path = opened.ledger(shared);
    if !path.exists() {
        // Says that there is none, and what makes one.
        Ledger::read(&path).await?;
    }
    Ok(Ledger::open(&path).await?)
}
