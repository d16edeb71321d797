//! Which collections a database has.

use std::collections::BTreeMap;

use chatferry_core::source::SourceError;
use futures::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::RunCursorCommandOptions;

use crate::session::Session;

/// The code of what a user may not do.
const UNAUTHORIZED: i32 = 13;

/// What is known of a collection before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Collected {
    /// Texts in it are compared byte by byte.
    Plain,
    /// Texts in it are compared as a language has it, or nobody knows how.
    Collated,
    /// It is a view or a series, whose documents have no `_id` that tells them apart.
    Derived,
}

/// The collections, without those of the system.
pub(crate) async fn list(session: &Session) -> Result<BTreeMap<String, Collected>, SourceError> {
    let doing = "list the collections";
    let listed = session.patiently(doing, || async {
        let all = ask(session, doc! {"listCollections": 1}).await;
        match all {
            // Who may not know everything may know what is theirs.
            Err(error) if is_unauthorized(&error) => {
                let theirs =
                    doc! {"listCollections": 1, "nameOnly": true, "authorizedCollections": true};
                ask(session, theirs).await.map(|some| (some, false))
            }
            all => all.map(|all| (all, true)),
        }
    });
    let (listed, is_whole) = listed.await?;
    let named = listed.iter().filter_map(|one| {
        let name = one.get_str("name").ok()?;
        let is_ours = !name.starts_with("system.");
        is_ours.then(|| (name.to_owned(), collected(one, is_whole)))
    });
    Ok(named.collect())
}

fn collected(one: &Document, is_whole: bool) -> Collected {
    let options = one.get_document("options").ok();
    let is_collated = options.is_some_and(|options| options.contains_key("collation"));
    match one.get_str("type") {
        Ok("view" | "timeseries") => Collected::Derived,
        _ if is_collated || !is_whole => Collected::Collated,
        _ => Collected::Plain,
    }
}

async fn ask(session: &Session, command: Document) -> Result<Vec<Document>, Error> {
    let mut options = RunCursorCommandOptions::default();
    options.selection_criteria = Some(session.servers.clone());
    let cursor = session
        .database()
        .run_cursor_command(command)
        .with_options(options)
        .await?;
    cursor.try_collect().await
}

fn is_unauthorized(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Command(error) if error.code == UNAUTHORIZED)
}
