//! `failures --changed`: what was delivered, and of which rows make something else now.

use std::fmt::Write as _;

use chatferry_ledger::{Differences, Ledger};
use chatferry_report::words::{WIDEST, indented, plain, shortened};
use serde_json::json;

use super::failures::cell;
use crate::account::{count, counted};
use crate::args::Format;
use crate::terminal::Terminal;
use crate::trouble::{Exit, Trouble};

/// What to know of such records.
const ABOUT: &str = "they are in the app as they were sent, and are not sent again: the API takes \
                     an id once. Correct them in the app, or leave them";

/// Lists them, as the ledger has them.
///
/// # Errors
///
/// When the ledger cannot be read.
pub(super) async fn list(
    ledger: &mut Ledger,
    examples: u32,
    format: Format,
    terminal: &Terminal,
) -> Result<Exit, Trouble> {
    if format == Format::Csv {
        terminal.result("flow,entity,id\r\n");
        let line = |flow: &str, entity: &str, id: &str| {
            format!("{},{entity},{}\r\n", cell(flow), cell(id))
        };
        ledger
            .each_differing(|it| terminal.result(&line(&it.flow, it.entity.name(), &it.id)))
            .await?;
        return Ok(Exit::Done);
    }
    let examples = usize::try_from(examples).unwrap_or(usize::MAX);
    let differences = ledger.differences(examples).await?;
    if format == Format::Json {
        let flows = differences.iter().map(|it| {
            let examples = it.examples.iter().take(examples).collect::<Vec<_>>();
            json!({ "flow": it.flow, "entity": it.entity.name(), "records": it.records, "examples": examples })
        });
        let flows: serde_json::Value = flows.collect();
        terminal.result(&format!("{flows}\n"));
    } else {
        terminal.result(&as_text(&differences, examples, terminal));
    }
    Ok(Exit::Done)
}

fn as_text(differences: &[Differences], examples: usize, terminal: &Terminal) -> String {
    if differences.is_empty() {
        return "nothing has changed since it was delivered, as far as it was read again\n".into();
    }
    let records: u64 = differences.iter().map(|it| it.records).sum();
    let title = format!("changed since delivered: {}", counted(records, "record"));
    let mut text = format!("{}\n", terminal.bold(&title));
    for of_flow in differences {
        let line = shortened(&of_flow.flow, WIDEST - 13);
        let _ = writeln!(text, "  {:>9}  {line}", count(of_flow.records));
        for id in of_flow.examples.iter().take(examples) {
            let _ = writeln!(text, "             - {}", plain(id));
        }
    }
    text.push_str(&indented(ABOUT, 13));
    text
}
