//! Which messages a list shows, and in which order.

use std::io;

use crate::failure::Failure;
use crate::index::Entry;
use crate::listing::{field, text_of};
use crate::query::Query;
use crate::state::State;
use crate::switches::{ListOrder, Switches};

/// The messages in the order in which they are listed, after one of them.
pub(crate) enum Walk {
    /// By their numbers, from this one on.
    ByNumber(u64),
    /// All of them at once.
    AtOnce(Option<Vec<(u64, Entry)>>),
}

impl Walk {
    pub(crate) fn new(
        state: &mut State,
        query: &Query,
        after: Option<u64>,
        backwards: bool,
        switches: &Switches,
    ) -> io::Result<Self> {
        let by_time = switches.list_order == ListOrder::SentAt;
        if !by_time && !backwards {
            return Ok(Self::ByNumber(after.unwrap_or(0) + 1));
        }
        let Some(archive) = &mut state.messages.archive else {
            return Ok(Self::AtOnce(None));
        };
        let place = |number: u64, sent_at: i64| (if by_time { sent_at } else { 0 }, number);
        let mut all = archive.index.read(1, archive.index.last())?;
        all.sort_unstable_by_key(|(number, entry)| place(*number, entry.sent_at));
        let sent_at = query.number("sentAt").unwrap_or_default();
        let mark = match (after.filter(|id| *id > 0), sent_at) {
            (Some(id), Some(sent_at)) => Some(place(id, sent_at)),
            (Some(id), None) => {
                let entry = archive.index.get(id)?.unwrap_or_default();
                Some(place(id, entry.sent_at))
            }
            (None, Some(sent_at)) if by_time => Some(place(u64::MAX, sent_at)),
            (None, _) => None,
        };
        if backwards {
            all.reverse();
        }
        all.retain(|(number, entry)| {
            let here = place(*number, entry.sent_at);
            mark.is_none_or(|mark| if backwards { here < mark } else { here > mark })
        });
        Ok(Self::AtOnce(Some(all)))
    }

    /// Some more of them.
    pub(crate) fn next(&mut self, state: &mut State) -> io::Result<Option<Vec<(u64, Entry)>>> {
        match self {
            Self::AtOnce(all) => Ok(all.take()),
            Self::ByNumber(from) => {
                let Some(archive) = &mut state.messages.archive else {
                    return Ok(None);
                };
                let some = archive.index.read(*from, AT_A_TIME)?;
                *from += u64::try_from(some.len()).unwrap_or(AT_A_TIME);
                Ok(Some(some).filter(|some| !some.is_empty()))
            }
        }
    }
}

/// Numbers looked at together: as many as a page may show.
const AT_A_TIME: u64 = 1_000;

/// Which messages a list shows.
pub(crate) struct Filter {
    categories: Vec<String>,
    types: Vec<String>,
    equal: Vec<(&'static str, String)>,
    hide_deleted: bool,
    only_deleted: bool,
    from: Option<i64>,
    to: Option<i64>,
}

impl Filter {
    pub(crate) fn of(query: &Query) -> Result<Self, Failure> {
        let both = |one: &str, more: &str| {
            let values = query.get(one).into_iter().chain(query.all(more));
            values.map(str::to_owned).collect::<Vec<_>>()
        };
        let equal = ["sender", "receiverType", "conversationId"];
        let equal = equal
            .into_iter()
            .filter_map(|name| Some((name, query.get(name)?.to_owned())));
        let from = query.number("fromTimestamp")?;
        Ok(Self {
            categories: both("category", "categories"),
            types: both("type", "types"),
            equal: equal.collect(),
            hide_deleted: query.says("hideDeleted"),
            only_deleted: query.says("onlyDeleted"),
            from,
            to: query.number("toTimestamp")?.filter(|_| from.is_some()),
        })
    }

    pub(crate) fn keeps(&self, record: &[u8], entry: &Entry) -> bool {
        let is = |name: &str, wanted: &[String]| {
            wanted.is_empty() || text_of(record, name).is_some_and(|text| wanted.contains(&text))
        };
        let deleted = || field(record, "deletedAt").is_some();
        self.from.is_none_or(|from| entry.sent_at >= from)
            && self.to.is_none_or(|to| entry.sent_at <= to)
            && is("category", &self.categories)
            && is("type", &self.types)
            && self
                .equal
                .iter()
                .all(|(name, wanted)| is(name, std::slice::from_ref(wanted)))
            && !(self.hide_deleted && deleted())
            && (!self.only_deleted || deleted())
    }
}
