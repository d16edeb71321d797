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
use crate::state::{State, StoredGroup, StoredMember, StoredUser};

/// Records copied at a time while others wait for the lock.
const RECORDS: usize = 1_000;
/// Messages copied at a time while others wait for the lock: about a megabyte.
const MESSAGES: u64 = 4_000;

/// Writes everything that is stored.
pub(crate) fn dump(state: &Mutex<State>, to: &mut impl Write) -> io::Result<()> {
    lines(state, to, Entity::Users, |state, from| {
        let record = |user: &StoredUser| user.record.clone();
        (from < state.users.places()).then(|| state.users.at(from).map(record))
    })?;
    lines(state, to, Entity::Groups, |state, from| {
        let record = |group: &StoredGroup| group.record.clone();
        (from < state.groups.places()).then(|| state.groups.at(from).map(record))
    })?;
    lines(state, to, Entity::Members, |state, from| {
        let record = |member: &StoredMember| member.record.clone();
        (from < state.members.places()).then(|| state.members.at(from).map(record))
    })?;
    let mut next = Some(1);
    while let Some(from) = next {
        let piece = match &mut locked(state).messages.archive {
            Some(archive) => archive.lines(from, MESSAGES)?,
            None => break,
        };
        to.write_all(&piece.0)?;
        next = piece.1;
    }
    to.flush()
}

/// Writes the records in the places from the 0th on, until `record` says that there are no more.
/// A place can be empty, and a record without contents is not kept.
fn lines(
    state: &Mutex<State>,
    to: &mut impl Write,
    entity: Entity,
    record: impl Fn(&State, usize) -> Option<Option<Box<[u8]>>>,
) -> io::Result<()> {
    let mut place = 0;
    loop {
        let mut lines = Vec::new();
        {
            let state = locked(state);
            for _ in 0..RECORDS {
                let Some(record) = record(&state, place) else {
                    break;
                };
                place += 1;
                let Some(record) = record.filter(|record| !record.is_empty()) else {
                    continue;
                };
                let mut line = Object::open(&mut lines);
                line.plain("entity", entity.name());
                line.field("record").extend_from_slice(&record);
                line.close();
                lines.extend_from_slice(b"\n");
            }
            if record(&state, place).is_none() {
                drop(state);
                return to.write_all(&lines);
            }
        }
        to.write_all(&lines)?;
    }
}
