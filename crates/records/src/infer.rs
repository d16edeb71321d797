//! What columns a table has, found out by looking at every record.
//!
//! Most records bring nothing new, so each is first compared with what is known, which changes
//! nothing. Only a record that brings something new, and that is sound, is learned from. A record
//! that cannot be read leaves no trace.

use std::collections::HashMap;

use chatferry_files::Tracker;

use crate::extended::Extended;
use crate::key::Key;
use crate::kind::Kind;
use crate::number::{EXACT, Number};
use crate::scanner::{Next, Scanner};
use crate::seen::Seen;
use crate::syntax::Malformed;

/// An object with more different keys than this is a map, not a record: it is kept as JSON.
const MAX_KEYS: usize = 256;
/// Values nested deeper than this are kept as JSON.
const MAX_NESTED: usize = 16;

/// What every record so far has shown.
#[derive(Debug, Default)]
pub(crate) struct Inference {
    fields: Fields,
    rows: u64,
    unescaped: String,
}

/// What is known of one place in the records.
#[derive(Debug, Default)]
struct Shape {
    seen: Seen,
    fields: Option<Box<Fields>>,
    items: Option<Box<Shape>>,
}

/// The fields of one object, in the order in which they were first seen.
#[derive(Debug, Default)]
struct Fields {
    list: Vec<Known>,
    index: HashMap<Box<str>, usize>,
    /// Which object of this place is being read, to tell a key that comes twice.
    object: u64,
    /// There are too many to be columns.
    map: bool,
}

#[derive(Debug)]
struct Known {
    name: Box<str>,
    key: Key,
    shape: Shape,
    order: Tracker,
    /// The last object that had it.
    object: u64,
    /// Which field came after it last time.
    next: usize,
}

/// Whether a value brings anything new.
#[derive(Clone, Copy, PartialEq)]
enum News {
    None,
    Some,
}

impl Inference {
    /// Takes one record into account, unless it cannot be read.
    pub(crate) fn observe(&mut self, json: &str) -> Result<(), Malformed> {
        let mut scanner = Scanner::open(json, std::mem::take(&mut self.unescaped));
        let seen = self.fields.record::<false>(&mut scanner);
        self.unescaped = scanner.close();
        let settled = match seen {
            Ok(News::None) => Ok(()),
            Ok(News::Some) => self.learn(json),
            Err(malformed) => Err(malformed),
        };
        for field in &mut self.fields.list {
            match settled {
                Ok(()) => field.order.settle(self.rows),
                Err(_) => field.order.withdraw(),
            }
        }
        self.rows += u64::from(settled.is_ok());
        settled
    }

    fn learn(&mut self, json: &str) -> Result<(), Malformed> {
        let mut sound = Scanner::over(json);
        sound.pass(Next::Object, 0)?;
        sound.finish()?;
        self.fields.record::<true>(&mut Scanner::over(json))?;
        Ok(())
    }

    /// Adds what was found in the records behind these.
    pub(crate) fn append(&mut self, later: Self) {
        self.fields.append(later.fields, self.rows, 1);
        self.rows += later.rows;
    }

    /// How many records there were.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// How many columns there are.
    pub(crate) fn width(&self) -> usize {
        self.fields.list.len()
    }

    /// The columns with their kinds, in the order in which they were first seen.
    ///
    /// A column that is `declared` has the declared kind. What a person should know of the others
    /// is added to the notes.
    pub(crate) fn columns(
        &self,
        declared: &[(String, Kind)],
        notes: &mut Vec<String>,
    ) -> Vec<(String, Kind)> {
        let mut columns: Vec<(String, Kind)> = Vec::new();
        for field in &self.fields.list {
            let name = String::from(&*field.name);
            let kind = match declared.iter().find(|(declared, _)| *declared == name) {
                Some((_, kind)) => kind.clone(),
                None => field.shape.kind(&name, 1, notes),
            };
            columns.push((name, kind));
        }
        for (name, kind) in declared {
            if !self.fields.index.contains_key(name.as_str()) {
                columns.push((name.clone(), kind.clone()));
            }
        }
        columns
    }

    /// The columns that never descend, out of those of these kinds.
    pub(crate) fn ordered(&self, columns: &[(String, Kind)]) -> Vec<String> {
        let ordered = |name: &String, kind: &Kind| {
            self.fields.index.get(name.as_str()).is_some_and(|field| {
                let field = &self.fields.list[*field];
                let alike = match kind {
                    Kind::Bigint => field.shape.seen.within(Seen::BIGINTS),
                    Kind::Time => field.shape.seen.within(Seen::TIME),
                    Kind::Text => field.shape.seen.within(Seen::STRING),
                    _ => false,
                };
                alike && field.order.held()
            })
        };
        columns
            .iter()
            .filter(|(name, kind)| ordered(name, kind))
            .map(|(name, _)| name.clone())
            .collect()
    }
}

impl Fields {
    /// Reads a whole record.
    fn record<const LEARN: bool>(&mut self, scanner: &mut Scanner<'_>) -> Result<News, Malformed> {
        scanner.record()?;
        let news = self.observe::<LEARN>(scanner, 1)?;
        if news == News::None {
            scanner.finish()?;
        }
        Ok(news)
    }

    /// Reads an object, which stands in `depth - 1` others. Stops at the first news, unless it is
    /// to learn them.
    fn observe<const LEARN: bool>(
        &mut self,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Result<News, Malformed> {
        self.object += 1;
        let (mut guess, mut before) = (0, None);
        let mut more = scanner.enter_object()?;
        while more {
            let field = match self.list.get(guess) {
                Some(known) if scanner.takes_key(&known.key) => Some(guess),
                _ => self.find::<LEARN>(&scanner.key()?, depth),
            };
            let Some(field) = field else {
                return Ok(News::Some);
            };
            if let Some(before) = before.replace(field) {
                let before: &mut Known = &mut self.list[before];
                before.next = field;
            }
            let known = &mut self.list[field];
            if known.object == self.object {
                return Err(scanner.duplicate_key());
            }
            known.object = self.object;
            guess = known.next;
            let next = scanner.next()?;
            let news = known
                .shape
                .observe::<LEARN>(scanner, next, depth, &mut known.order)?;
            if news == News::Some {
                return Ok(news);
            }
            more = scanner.next_field()?;
        }
        Ok(News::None)
    }

    /// The field of that name.
    fn find<const LEARN: bool>(&mut self, name: &str, depth: usize) -> Option<usize> {
        let known = self.index.get(name).copied();
        known.or_else(|| LEARN.then(|| self.add(name, depth)))
    }

    /// Adds a field, of an object that stands in `depth - 1` others.
    fn add(&mut self, name: &str, depth: usize) -> usize {
        let order = match depth {
            1 => Tracker::default(),
            _ => Tracker::lost(),
        };
        let field = self.list.len();
        self.list.push(Known {
            name: name.into(),
            key: Key::new(name),
            shape: Shape::default(),
            order,
            object: 0,
            next: field + 1,
        });
        self.index.insert(name.into(), field);
        field
    }

    /// Adds what was found in the objects behind these, which stood in `rows` records.
    fn append(&mut self, later: Self, rows: u64, depth: usize) {
        for known in later.list {
            let field = match self.index.get(&known.name) {
                Some(field) => *field,
                None => self.add(&known.name, depth),
            };
            let field = &mut self.list[field];
            field.shape.append(known.shape, depth);
            match field.shape.seen.mixed() {
                true => field.order.lose(),
                false => field.order.append(known.order, rows),
            }
        }
        if later.map || (depth > 1 && self.list.len() > MAX_KEYS) {
            self.become_map();
        }
    }

    /// Its keys are data: they are not followed any more.
    fn become_map(&mut self) {
        *self = Self {
            map: true,
            ..Self::default()
        };
    }
}

impl Shape {
    /// Reads a value, which stands in `depth` others.
    fn observe<const LEARN: bool>(
        &mut self,
        scanner: &mut Scanner<'_>,
        next: Next,
        depth: usize,
        order: &mut Tracker,
    ) -> Result<News, Malformed> {
        let mut passed = false;
        let seen = match next {
            Next::Null => {
                scanner.null()?;
                return Ok(News::None);
            }
            Next::True | Next::False => {
                scanner.boolean(next)?;
                Seen::BOOLEAN
            }
            Next::Text => {
                let text = scanner.text()?;
                if order.follows() {
                    order.offer_text(text.as_bytes());
                }
                Seen::STRING
            }
            Next::List => Seen::LIST,
            Next::Object => match Extended::read(scanner.rest()) {
                Some(value) => {
                    scanner.pass(next, depth)?;
                    passed = true;
                    extended(&value, order)
                }
                None => Seen::OBJECT,
            },
            Next::Number => number(scanner.number()?, order),
        };
        if !self.seen.has(seen) {
            if !LEARN {
                return Ok(News::Some);
            }
            self.seen = self.seen.with(seen);
        }
        if order.follows() && (self.seen.mixed() || !seen.within(Seen::ORDERED)) {
            order.lose();
        }
        if passed || !matches!(next, Next::List | Next::Object) {
            return Ok(News::None);
        }
        if self.seen.mixed() || depth >= MAX_NESTED {
            scanner.pass(next, depth)?;
            return Ok(News::None);
        }
        match next {
            Next::List => self.observe_list::<LEARN>(scanner, depth + 1),
            _ => self.observe_object::<LEARN>(scanner, depth + 1),
        }
    }

    fn observe_list<const LEARN: bool>(
        &mut self,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Result<News, Malformed> {
        let items = self.items.get_or_insert_default();
        let mut lost = Tracker::lost();
        let mut more = scanner.enter_list()?;
        while more {
            let next = scanner.next()?;
            if items.observe::<LEARN>(scanner, next, depth, &mut lost)? == News::Some {
                return Ok(News::Some);
            }
            more = scanner.next_item()?;
        }
        Ok(News::None)
    }

    fn observe_object<const LEARN: bool>(
        &mut self,
        scanner: &mut Scanner<'_>,
        depth: usize,
    ) -> Result<News, Malformed> {
        let fields = self.fields.get_or_insert_default();
        if fields.map {
            scanner.pass(Next::Object, depth - 1)?;
            return Ok(News::None);
        }
        let news = fields.observe::<LEARN>(scanner, depth)?;
        if fields.list.len() > MAX_KEYS {
            fields.become_map();
        }
        Ok(news)
    }

    /// Adds what was found at this place, `depth` deep, in the records behind these.
    fn append(&mut self, later: Self, depth: usize) {
        self.seen = self.seen.with(later.seen);
        match (&mut self.items, later.items) {
            (Some(items), Some(later)) => items.append(*later, depth + 1),
            (items, later) => *items = items.take().or(later),
        }
        match (&mut self.fields, later.fields) {
            (Some(fields), Some(later)) => fields.append(*later, 0, depth + 1),
            (fields, later) => *fields = fields.take().or(later),
        }
    }

    /// The one kind that holds all values seen, `depth` deep in the column of that name.
    fn kind(&self, name: &str, depth: usize, notes: &mut Vec<String>) -> Kind {
        let seen = self.seen;
        if seen.mixed() {
            notes.push(format!(
                "`{name}` holds {}; it is read as JSON text",
                seen.words()
            ));
            return Kind::Json;
        }
        if seen.has(Seen::LIST) || seen.has(Seen::OBJECT) {
            if depth >= MAX_NESTED {
                notes.push(format!(
                    "`{name}` is nested deeper than {MAX_NESTED} levels; it is read as JSON text"
                ));
                return Kind::Json;
            }
            return match (&self.items, &self.fields) {
                (Some(items), _) => {
                    Kind::List(Box::new(items.kind(&format!("{name}[]"), depth + 1, notes)))
                }
                (None, Some(fields)) => fields.kind(name, depth, notes),
                (None, None) => Kind::Json,
            };
        }
        match seen {
            Seen::NOTHING | Seen::STRING => Kind::Text,
            Seen::BOOLEAN => Kind::Boolean,
            Seen::TIME => Kind::Time,
            _ if seen.within(Seen::BIGINTS) => Kind::Bigint,
            _ if seen.within(Seen::DOUBLES) => Kind::Double,
            _ => {
                notes.push(format!(
                    "`{name}` holds numbers that would be rounded; it is read as text, as written"
                ));
                Kind::Text
            }
        }
    }
}

impl Fields {
    fn kind(&self, name: &str, depth: usize, notes: &mut Vec<String>) -> Kind {
        if self.map {
            notes.push(format!(
                "`{name}` has more than {MAX_KEYS} different keys; it is read as JSON text"
            ));
            return Kind::Json;
        }
        if self.list.is_empty() {
            notes.push(format!(
                "`{name}` is always an empty object; it is read as JSON text"
            ));
            return Kind::Json;
        }
        let kind = |field: &Known| {
            let kind = field
                .shape
                .kind(&format!("{name}.{}", field.name), depth + 1, notes);
            (field.name.to_string(), kind)
        };
        Kind::Object(self.list.iter().map(kind).collect())
    }
}

/// What an extended value is.
fn extended(value: &Extended, order: &mut Tracker) -> Seen {
    match value {
        Extended::Time(time) => {
            if order.follows() {
                order.offer_whole(*time);
            }
            Seen::TIME
        }
        Extended::Text(text) => {
            if order.follows() {
                order.offer_text(text.as_bytes());
            }
            Seen::STRING
        }
        Extended::Whole(whole, _) => seen_whole(*whole, order),
        Extended::Double(..) => Seen::DOUBLE,
    }
}

fn seen_whole(whole: i64, order: &mut Tracker) -> Seen {
    if order.follows() {
        order.offer_whole(whole);
    }
    match whole.unsigned_abs() <= EXACT {
        true => Seen::WHOLE,
        false => Seen::LARGE,
    }
}

fn number(number: Number, order: &mut Tracker) -> Seen {
    match number {
        Number::Whole(whole) => seen_whole(whole, order),
        Number::Double(_) => Seen::DOUBLE,
        Number::Wide => Seen::WIDE,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::arbitrary::record;

    fn found(inference: &Inference) -> String {
        let mut notes = Vec::new();
        let columns = inference.columns(&[], &mut notes);
        let ordered = inference.ordered(&columns);
        format!("{} {columns:?} {ordered:?} {notes:?}", inference.rows())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn where_the_records_are_parted_changes_nothing(
            records in prop::collection::vec(record(), 0..12),
            parts in prop::collection::vec(0_usize..5, 1..12),
        ) {
            let mut whole = Inference::default();
            for record in &records {
                let _ = whole.observe(record);
            }
            let (mut parted, mut rest) = (Inference::default(), &records[..]);
            for part in parts.into_iter().chain([usize::MAX]) {
                let (these, others) = rest.split_at(part.min(rest.len()));
                let mut inference = Inference::default();
                for record in these {
                    let _ = inference.observe(record);
                }
                parted.append(inference);
                rest = others;
            }
            prop_assert_eq!(found(&parted), found(&whole));
        }
    }

    #[test]
    fn objects_with_many_keys_are_maps_however_the_records_are_parted() {
        let record = |from: usize| {
            let keys = (from..from + 200).map(|key| format!("\"k{key}\":1"));
            format!("{{\"m\":{{{}}}}}", keys.collect::<Vec<_>>().join(","))
        };
        let mut parted = Inference::default();
        for from in [0, 100] {
            let mut inference = Inference::default();
            inference.observe(&record(from)).expect("it is sound");
            parted.append(inference);
        }
        assert!(found(&parted).contains("more than 256 different keys"));
    }
}
