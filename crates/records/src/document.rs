//! Records that stand in an array, which may stand within objects.
//!
//! A document is walked key by key as far as the path to the records leads; what stands beside
//! the path is passed without being kept.

use std::io::Read;

use crate::around::{Around, LateOfFile};
use crate::scanner::Scanner;
use crate::splitter::{Piece, Trouble, too_long};
use crate::syntax::utf8;
use crate::window::{At, Window};

/// Brackets that may be open at once. What has more is no document of records.
const MAX_OPEN: usize = 4096;
/// Bytes that a key may have.
const MAX_KEY: usize = 64 * 1024;
/// Keys that are told when the path leads nowhere.
const KEYS_TOLD: usize = 8;

/// Gives the records of a document.
pub(crate) struct Document<R> {
    window: Window<R>,
    path: Vec<String>,
    max_record: usize,
    open: Vec<Open>,
    expect: Expect,
    arrived: bool,
    met: Vec<String>,
    around: Around,
    /// What was met that goes with no record.
    aside: Option<Piece<'static>>,
}

/// What has been entered and not left. The number tells how many keys of the path were followed.
#[derive(Clone, Copy)]
enum Open {
    Array(usize),
    Object(usize),
    Records,
}

/// What should stand next.
#[derive(Clone, Copy)]
enum Expect {
    /// A value behind that many keys of the path.
    Value(usize),
    /// A record.
    Record,
    /// A comma, or the end of what was entered last.
    Step,
    /// A key of an object behind that many keys of the path.
    Key(usize),
    /// Nothing: the end was told.
    Nothing,
}

/// How far a value reaches.
enum Reach {
    /// So many bytes.
    Whole(usize),
    /// Further than it may.
    TooLong,
    /// To where the file breaks off.
    Cut,
}

/// What ends a value.
#[derive(Clone, Copy, PartialEq)]
enum Ends {
    /// Its own end.
    Itself,
    /// The comma behind it or the end of the array around it.
    Item,
}

impl<R: Read> Document<R> {
    /// The records behind that path of keys.
    pub(crate) fn new(
        window: Window<R>,
        path: &[String],
        around: Around,
        max_record: usize,
    ) -> Self {
        let path = path.to_vec();
        let (open, met, expect) = (Vec::new(), Vec::new(), Expect::Value(0));
        Self {
            window,
            path,
            max_record,
            open,
            expect,
            arrived: false,
            met,
            around,
            aside: None,
        }
    }

    /// What keys were met where the path led nowhere, if it led nowhere in the whole document.
    pub(crate) fn missed(&self) -> Option<&[String]> {
        (!self.arrived && !self.path.is_empty()).then_some(&self.met)
    }

    /// What the objects around the records say behind them.
    pub(crate) fn into_late(self) -> LateOfFile {
        self.around.into_late()
    }

    /// The next record; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Piece<'_>>, Trouble> {
        loop {
            if let Some(aside) = self.aside.take() {
                return Ok(Some(aside));
            }
            let Some(ink) = self.ink()? else {
                return Ok(self.at_the_end());
            };
            match self.expect {
                Expect::Value(depth) if depth < self.path.len() => self.approach(ink, depth)?,
                Expect::Value(_) if ink == b'[' => {
                    self.arrived = true;
                    self.enter(Open::Records, Expect::Record, b']')?;
                }
                Expect::Value(_) => {
                    self.arrived = true;
                    self.expect = Expect::Step;
                    if ink == b'n' {
                        self.skip()?;
                        continue;
                    }
                    if ink != b'{' {
                        let what = "something that is neither an array nor an object";
                        return Err(Trouble::NotJson(what, self.window.at()));
                    }
                    return self.record(Ends::Itself);
                }
                Expect::Record => {
                    self.expect = Expect::Step;
                    return self.record(Ends::Item);
                }
                Expect::Step => {
                    if let Some(piece) = self.step(ink)? {
                        return Ok(Some(piece));
                    }
                }
                Expect::Key(depth) => self.key(ink, depth)?,
                Expect::Nothing => return Ok(None),
            }
        }
    }

    fn at_the_end(&mut self) -> Option<Piece<'static>> {
        let complete = match self.expect {
            Expect::Nothing => true,
            Expect::Value(_) | Expect::Step => self.open.is_empty(),
            _ => false,
        };
        self.expect = Expect::Nothing;
        (!complete).then(|| truncated(self.window.at()))
    }

    /// Goes one step along the path.
    fn approach(&mut self, ink: u8, depth: usize) -> Result<(), Trouble> {
        match ink {
            b'[' => self.enter(Open::Array(depth), Expect::Value(depth), b']'),
            b'{' => self.enter(Open::Object(depth), Expect::Key(depth), b'}'),
            _ => {
                self.expect = Expect::Step;
                self.skip()
            }
        }
    }

    /// Enters an array or object, and leaves it at once when it is empty.
    fn enter(&mut self, open: Open, expect: Expect, end: u8) -> Result<(), Trouble> {
        if self.open.len() >= MAX_OPEN {
            return Err(Trouble::NotJson("values nested too deep", self.window.at()));
        }
        self.window.pass(1);
        if self.ink()? == Some(end) {
            self.window.pass(1);
            self.expect = Expect::Step;
            // An empty list on the way is a way, too.
            self.arrived |= matches!(open, Open::Array(1..));
        } else {
            self.open.push(open);
            self.expect = expect;
            if let Open::Object(depth) = open {
                self.around.enter(depth);
            }
        }
        Ok(())
    }

    /// Takes what stands behind a value.
    fn step(&mut self, ink: u8) -> Result<Option<Piece<'static>>, Trouble> {
        let at = self.window.at();
        let Some(open) = self.open.last().copied() else {
            if ink == b'[' || ink == b'{' {
                // Another document.
                self.expect = Expect::Value(0);
                return Ok(None);
            }
            self.expect = Expect::Nothing;
            let detail = "something after the end of the document";
            return Ok(Some(Piece::Rejected("malformed", detail.into(), at)));
        };
        let (next, end) = match open {
            Open::Array(depth) => (Expect::Value(depth), b']'),
            Open::Object(depth) => (Expect::Key(depth), b'}'),
            Open::Records => (Expect::Record, b']'),
        };
        if ink == end {
            self.open.pop();
        } else if ink == b',' {
            self.expect = next;
        } else {
            return Err(Trouble::NotJson(
                "neither a comma nor the end of a list or object",
                at,
            ));
        }
        self.window.pass(1);
        Ok(None)
    }

    /// Reads a key, and enters its value when the path leads there.
    fn key(&mut self, ink: u8, depth: usize) -> Result<(), Trouble> {
        let at = self.window.at();
        if ink != b'"' {
            return Err(Trouble::NotJson("a key that is not a string", at));
        }
        let key = match self.reach(Ends::Itself, Some(MAX_KEY))? {
            Reach::Whole(length) => text(self.window.pass(length)),
            Reach::TooLong => return Err(Trouble::NotJson("a key that is too long", at)),
            Reach::Cut => return Ok(()),
        };
        let key = key.ok_or(Trouble::NotJson("a key that is not a JSON string", at))?;
        match self.ink()? {
            Some(b':') => {
                self.window.pass(1);
            }
            Some(_) => return Err(Trouble::NotJson("no `:` after a key", self.window.at())),
            None => return Ok(()),
        }
        if key == self.path[depth] {
            self.around.take(depth);
            self.expect = Expect::Value(depth + 1);
            return Ok(());
        }
        if let Some(field) = self.around.field(&key, depth) {
            return self.parent(field);
        }
        if self.met.len() < KEYS_TOLD && !self.met.contains(&key) {
            self.met.push(key);
        }
        if self.ink()?.is_some() {
            self.skip()?;
            self.expect = Expect::Step;
        }
        Ok(())
    }

    /// Takes a field of an object around the records.
    fn parent(&mut self, field: usize) -> Result<(), Trouble> {
        if self.ink()?.is_none() {
            return Ok(());
        }
        let at = self.window.at();
        match self.reach(Ends::Itself, Some(self.max_record))? {
            Reach::Whole(0) => {
                return Err(Trouble::NotJson("no value where one should be", at));
            }
            Reach::Whole(length) => {
                let value = self.window.pass(length);
                if let Err(malformed) = self.around.set(field, value) {
                    let detail = format!(
                        "what `parents` takes from around the records: {}",
                        malformed.detail(value)
                    );
                    self.aside = Some(Piece::Rejected("malformed", detail, at));
                }
            }
            Reach::TooLong => self.aside = Some(too_long(self.max_record, at)),
            Reach::Cut => return Ok(()),
        }
        self.expect = Expect::Step;
        Ok(())
    }

    /// Gives what stands here as a record.
    fn record(&mut self, ends: Ends) -> Result<Option<Piece<'_>>, Trouble> {
        let at = self.window.at();
        Ok(Some(match self.reach(ends, Some(self.max_record))? {
            Reach::Whole(0) => {
                let detail = "a comma with no record behind or before it";
                Piece::Rejected("malformed", detail.into(), at)
            }
            Reach::Whole(length) => {
                Piece::Record(self.window.pass(length), self.around.values(), at)
            }
            Reach::TooLong => too_long(self.max_record, at),
            Reach::Cut => {
                self.expect = Expect::Nothing;
                truncated(at)
            }
        }))
    }

    /// Passes a value without keeping it.
    fn skip(&mut self) -> Result<(), Trouble> {
        if matches!(self.window.bytes().first(), Some(b',' | b':' | b']' | b'}')) {
            return Err(Trouble::NotJson(
                "no value where one should be",
                self.window.at(),
            ));
        }
        if let Reach::Whole(length) = self.reach(Ends::Itself, None)? {
            self.window.pass(length);
        }
        Ok(())
    }

    /// How far the value reaches that stands here. Without a limit, and beyond it, what was looked
    /// at is passed. What is cut or too long is passed altogether.
    fn reach(&mut self, ends: Ends, limit: Option<usize>) -> Result<Reach, Trouble> {
        let mut open: Vec<u8> = Vec::new();
        let (mut seen, mut within_string, mut too_long) = (0, false, false);
        loop {
            let bytes = self.window.bytes();
            let mut end = None;
            while seen < bytes.len() {
                let byte = bytes[seen];
                if within_string {
                    match memchr::memchr2(b'"', b'\\', &bytes[seen..]) {
                        None => seen = bytes.len(),
                        Some(found) if bytes[seen + found] == b'"' => {
                            seen += found + 1;
                            within_string = false;
                            if ends == Ends::Itself && open.is_empty() {
                                end = Some(seen);
                                break;
                            }
                        }
                        // The character behind the backslash must be in memory, too.
                        Some(found) if seen + found + 1 < bytes.len() => seen += found + 2,
                        Some(found) => {
                            seen += found;
                            break;
                        }
                    }
                    continue;
                }
                match byte {
                    b'"' => within_string = true,
                    b'{' => open.push(b'}'),
                    b'[' => open.push(b']'),
                    b',' | b']' if ends == Ends::Item && open.is_empty() => end = Some(seen),
                    // A bracket that was never opened is ignored, and one that was never closed
                    // ends with those around it: such a record is malformed, the next is not.
                    b'}' | b']' if open.contains(&byte) => {
                        open.truncate(open.iter().rposition(|open| *open == byte).unwrap_or(0));
                        if ends == Ends::Itself && open.is_empty() {
                            end = Some(seen + 1);
                        }
                    }
                    b',' | b'}' | b']' | b':' | b' ' | b'\t' | b'\r' | b'\n'
                        if ends == Ends::Itself && open.is_empty() =>
                    {
                        end = Some(seen);
                    }
                    _ => {}
                }
                if end.is_some() {
                    break;
                }
                seen += 1;
            }
            if open.len() > MAX_OPEN {
                return Err(Trouble::NotJson("values nested too deep", self.window.at()));
            }
            if let Some(mut end) = end {
                too_long |= limit.is_some_and(|limit| end > limit);
                if too_long {
                    self.window.pass(end);
                    return Ok(Reach::TooLong);
                }
                if ends == Ends::Item {
                    end = self.window.bytes()[..end].trim_ascii_end().len();
                }
                return Ok(Reach::Whole(end));
            }
            too_long |= limit.is_some_and(|limit| seen > limit);
            if limit.is_none() || too_long {
                self.window.pass(seen);
                seen = 0;
            }
            if !self.more()? {
                self.window.pass(seen);
                return Ok(Reach::Cut);
            }
        }
    }

    fn ink(&mut self) -> Result<Option<u8>, Trouble> {
        self.window
            .next_ink()
            .map_err(|error| Trouble::Read(error, self.window.at()))
    }

    fn more(&mut self) -> Result<bool, Trouble> {
        self.window
            .more()
            .map_err(|error| Trouble::Read(error, self.window.at()))
    }
}

/// The text that is written so.
fn text(json: &[u8]) -> Option<String> {
    let mut scanner = Scanner::over(utf8(json).ok()?);
    let text = scanner.text().ok()?;
    Some(text.to_owned())
}

fn truncated(at: At) -> Piece<'static> {
    Piece::Rejected(
        "truncated",
        "the file ends within this record or list".into(),
        at,
    )
}
