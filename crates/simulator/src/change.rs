//! What changes after it was stored, and how the service tells of it.
//!
//! An edit or a deletion shows as one more message, of the category `action`.

use std::io;

use serde::Deserialize;

use crate::failure::Failure;
use crate::index::Entry;
use crate::listing::{copy, entry_of, field, record, text_of};
use crate::messages::unusable;
use crate::response::{Object, write_json};
use crate::settings::Settings;
use crate::state::State;

/// A message and its new text. The way there is ours, not CometChat's.
#[derive(Deserialize)]
struct Edit {
    id: String,
    text: String,
}

/// Gives a message another text, as its sender would.
pub(crate) fn edit(
    state: &mut State,
    settings: &Settings,
    body: &[u8],
) -> Result<Vec<u8>, Failure> {
    let Edit { id, text } = serde_json::from_slice(body)
        .map_err(|_| Failure::bad_request("An edit has an id and a text."))?;
    let (number, entry) = entry_of(state, &id, &settings.switches)?;
    let old = record(state, &entry).map_err(|error| unusable(&error))?;
    let now = settings.clock.now();
    let mut edited = Vec::new();
    let mut entity = Object::open(&mut edited);
    copy(&old, &["data", "updatedAt"], &mut entity);
    let mut data = Object::open(entity.field("data"));
    if let Some(old) = field(&old, "data") {
        copy(old.get().as_bytes(), &["text"], &mut data);
    }
    let text = serde_json::to_string(&text).expect("a text is always JSON");
    data.json("text", &text);
    data.close();
    entity.number("editedAt", now);
    entity.plain("editedBy", "app_system");
    entity.number("updatedAt", now);
    entity.close();
    rewrite(state, number, entry, &edited).map_err(|error| unusable(&error))?;
    let action = tell(state, "edited", &edited, now).map_err(|error| unusable(&error))?;
    let mut out = Vec::new();
    let mut answer = Object::open(&mut out);
    answer.field("data").extend_from_slice(&action);
    answer.close();
    Ok(out)
}

/// Gives a message another record.
pub(crate) fn rewrite(
    state: &mut State,
    number: u64,
    entry: Entry,
    record: &[u8],
) -> io::Result<()> {
    match &mut state.messages.archive {
        Some(archive) => archive.change(number, entry, record),
        None => Ok(()),
    }
}

/// Adds the message that tells what was done to another one.
pub(crate) fn tell(
    state: &mut State,
    action: &str,
    record: &[u8],
    now: i64,
) -> io::Result<Vec<u8>> {
    let text = |name: &str| text_of(record, name).unwrap_or_default();
    let conversation = text("conversationId");
    state.messages.tell(&conversation, now, |number, out| {
        let mut entity = Object::open(out);
        entity.plain("id", &number.to_string());
        entity.plain("conversationId", &conversation);
        entity.plain("sender", "app_system");
        entity.plain("receiverType", &text("receiverType"));
        entity.plain("receiver", &text("receiver"));
        entity.plain("category", "action");
        entity.plain("type", "message");
        let mut data = Object::open(entity.field("data"));
        data.plain("action", action);
        let mut entities = Object::open(data.field("entities"));
        let mut on = Object::open(entities.field("on"));
        let of = std::str::from_utf8(record).unwrap_or("{}");
        write_json(on.field("entity"), of);
        on.plain("entityType", "message");
        on.close();
        entities.close();
        data.close();
        entity.number("sentAt", now);
        entity.number("updatedAt", now);
        entity.close();
    })
}
