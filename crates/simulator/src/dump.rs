//! Everything that is stored, as JSON lines.
//!
//! One line for each record: `{"entity":"users","record":{…}}`. Users come first, then groups,
//! members and messages, each in the order in which they were stored. What is stored meanwhile may
//! be left out, but is never cut in two.

use std::io::{self, Write};
use std::sync::Mutex;

use crate::request::Entity;
use crate::response::Object;
use crate::simulator::locked;
use crate::state::State;

/// Records copied at a time while others wait for the lock.
const RECORDS: usize = 1_000;
/// Bytes of messages copied at a time while others wait for the lock.
const BYTES: u64 = 1024 * 1024;

/// Writes everything that is stored.
pub(crate) fn dump(state: &Mutex<State>, to: &mut impl Write) -> io::Result<()> {
    lines(state, to, Entity::Users, |state, from| {
        state.users.things().get(from).map(|user| &*user.record)
    })?;
    lines(state, to, Entity::Groups, |state, from| {
        state.groups.things().get(from).map(|group| &*group.record)
    })?;
    lines(state, to, Entity::Members, |state, from| {
        state.members.things().get(from).map(|member| &**member)
    })?;
    let end = locked(state)
        .messages
        .spool
        .as_ref()
        .map_or(0, |spool| spool.len());
    let mut from = 0;
    while from < end {
        let piece = match &mut locked(state).messages.spool {
            Some(spool) => spool.read(from, BYTES.min(end - from))?,
            None => break,
        };
        from += u64::try_from(piece.len()).expect("memory is counted in 64 bits");
        to.write_all(&piece)?;
    }
    to.flush()
}

/// Writes the records that `record` finds from the 0th on. One without contents is not kept.
fn lines(
    state: &Mutex<State>,
    to: &mut impl Write,
    entity: Entity,
    record: impl Fn(&State, usize) -> Option<&[u8]>,
) -> io::Result<()> {
    let mut next = 0;
    loop {
        let mut lines = Vec::new();
        {
            let state = locked(state);
            for _ in 0..RECORDS {
                let Some(record) = record(&state, next) else {
                    break;
                };
                next += 1;
                if record.is_empty() {
                    continue;
                }
                let mut line = Object::open(&mut lines);
                line.plain("entity", entity.name());
                line.field("record").extend_from_slice(record);
                line.close();
                lines.push(b'\n');
            }
            if record(&state, next).is_none() {
                drop(state);
                return to.write_all(&lines);
            }
        }
        to.write_all(&lines)?;
    }
}
