//! Records that are looked at or decoded together, beside the reading of those that follow.

use std::sync::Arc;

use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::Batch;
use chatferry_files::Found;

use crate::decode::Decoder;
use crate::infer::Inference;
use crate::pieces::place;
use crate::syntax::{Malformed, utf8};
use crate::window::At;

/// Records one behind the other.
#[derive(Default)]
pub(crate) struct Parcel {
    bytes: Vec<u8>,
    /// Where each ends, and where it stands in its file.
    records: Vec<(usize, At)>,
    /// Which file the records from each of these on are from.
    files: Vec<(usize, From)>,
    /// What the objects around the records from each of these on say.
    around: Vec<(usize, Vec<Option<Vec<u8>>>)>,
    /// How many bytes their rows have, roughly.
    weight: usize,
    /// What could not be a record, each before the record of that number.
    rejected: Vec<(usize, RejectedRow)>,
}

/// A file, as far as its records need it.
#[derive(Clone)]
struct From {
    name: Arc<str>,
    parts: Vec<String>,
}

/// What was found in a parcel.
pub(crate) struct Looked {
    pub(crate) inference: Inference,
    /// Records that cannot be read: what is wrong with the first one, and how many there are.
    pub(crate) first: Option<Rejected>,
    pub(crate) rejected: u64,
    /// The parcel, to be filled again.
    pub(crate) empty: Parcel,
}

/// A record that cannot be read.
pub(crate) struct Rejected {
    pub(crate) detail: String,
    pub(crate) at: At,
    /// Whether it just stops too early.
    pub(crate) unfinished: bool,
}

impl Parcel {
    /// Adds a record, and what the objects around it say.
    pub(crate) fn push(&mut self, json: &[u8], around: &[Option<Vec<u8>>], at: At) {
        let says_the_same = match self.around.last() {
            Some((_, last)) => last == around,
            None => around.is_empty(),
        };
        if !says_the_same {
            self.around.push((self.records.len(), around.to_vec()));
        }
        let said = around.iter().flatten().map(Vec::len);
        self.weight += json.len() + said.sum::<usize>();
        self.bytes.extend_from_slice(json);
        self.records.push((self.bytes.len(), at));
    }

    /// What follows is from this file.
    pub(crate) fn enter(&mut self, file: &Found) {
        let from = From {
            name: Arc::clone(&file.name),
            parts: file.parts.clone(),
        };
        self.files.push((self.records.len(), from));
    }

    /// Adds something that cannot be a record.
    pub(crate) fn reject(&mut self, rule: &'static str, detail: String, file: &Found, at: At) {
        let row = rejected(rule, detail, &file.name, at);
        self.rejected.push((self.records.len(), row));
    }

    /// How many bytes its rows have, roughly.
    pub(crate) fn weight(&self) -> usize {
        self.weight
    }

    /// How many records there are, and how many others.
    pub(crate) fn rows(&self) -> (usize, usize) {
        (self.records.len(), self.rejected.len())
    }

    /// An empty one, maybe out of these, that goes on in the same file.
    pub(crate) fn next(&self, empty: Option<Self>) -> Self {
        let mut next = empty.unwrap_or_default();
        next.files
            .extend(self.files.last().map(|(_, file)| (0, file.clone())));
        next
    }

    /// Its records, and each as text if it is UTF-8.
    fn texts(&self) -> impl Iterator<Item = (&[u8], Result<&str, Malformed>, At)> {
        // All at once, since that is much faster.
        let all = simdutf8::basic::from_utf8(&self.bytes).ok();
        let mut start = 0;
        self.records.iter().map(move |(end, at)| {
            let record = std::mem::replace(&mut start, *end)..*end;
            let json = &self.bytes[record.clone()];
            let text = all.and_then(|all| all.get(record));
            (json, text.map_or_else(|| utf8(json), Ok), *at)
        })
    }

    /// Looks at its records.
    pub(crate) fn look(self) -> Looked {
        let mut inference = Inference::default();
        let (mut first, mut rejected) = (None, 0);
        for (json, text, at) in self.texts() {
            if let Err(malformed) = text.and_then(|text| inference.observe(text)) {
                rejected += 1;
                first.get_or_insert_with(|| Rejected {
                    detail: malformed.detail(json),
                    at,
                    unfinished: malformed.unfinished,
                });
            }
        }
        Looked {
            inference,
            first,
            rejected,
            empty: self.emptied(),
        }
    }

    /// Makes a batch of its records, and gives the parcel back to be filled again.
    pub(crate) fn decode(mut self, decoder: &mut Decoder) -> (Batch, Self) {
        let mut others = std::mem::take(&mut self.rejected).into_iter().peekable();
        let mut files = self.files.iter().peekable();
        let mut arounds = self.around.iter().peekable();
        let (mut all, mut file) = (Vec::new(), None);
        let mut around: &[Option<Vec<u8>>] = &[];
        for (number, (json, text, at)) in self.texts().enumerate() {
            while let Some((_, next)) = files.next_if(|(from, _)| *from <= number) {
                decoder.enter(&next.parts);
                file = Some(next);
            }
            while let Some((_, next)) = arounds.next_if(|(from, _)| *from <= number) {
                around = next;
            }
            while let Some((_, row)) = others.next_if(|(before, _)| *before <= number) {
                all.push(row);
            }
            if let Err(malformed) = text.and_then(|text| decoder.push(text, around)) {
                let file = file.expect("records are in files");
                let detail = malformed.detail(json);
                all.push(rejected(malformed.rule, detail, &file.name, at));
            }
        }
        all.extend(others.map(|(_, row)| row));
        let batch = Batch {
            rows: decoder.finish(),
            rejected: all,
        };
        (batch, self.emptied())
    }

    fn emptied(mut self) -> Self {
        self.bytes.clear();
        self.records.clear();
        self.files.clear();
        self.around.clear();
        self.rejected.clear();
        self.weight = 0;
        self
    }
}

fn rejected(rule: &'static str, detail: String, file: &Arc<str>, at: At) -> RejectedRow {
    RejectedRow {
        rule: rule.into(),
        detail,
        id: None,
        place: Some(place(file, at)),
    }
}
