//! Where fields and records end.
//!
//! Nothing is copied here: a record is found as places in the bytes that are in memory, and what
//! its fields hold is made of them only when somebody wants it.

/// Characters that have a meaning. All of them are ASCII, none is a line break, and no two are
/// the same, except that a quote may escape itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Stands between fields.
    pub(crate) delimiter: u8,
    /// Stands around fields.
    pub(crate) quote: Option<u8>,
    /// Makes the next character stand for itself.
    pub(crate) escape: Option<u8>,
    /// Whether some letters behind `escape` stand for characters that cannot be seen.
    pub(crate) letters: bool,
    /// Begins lines that are left out.
    pub(crate) comment: Option<u8>,
    /// Whether blanks around fields are left out.
    pub(crate) trim: bool,
}

/// One field of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Where what stands in it begins, counted from the beginning of the record.
    pub(crate) start: usize,
    /// Behind where it ends.
    pub(crate) end: usize,
    pub(crate) how: How,
}

/// How a field is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// As it is.
    Bare,
    /// With characters in it that stand for others.
    BareEscaped,
    /// Between quotes.
    Quoted,
    /// Between quotes, with characters in it that stand for others.
    QuotedEscaped,
}

impl How {
    /// Whether it stands between quotes.
    pub(crate) fn is_quoted(self) -> bool {
        matches!(self, Self::Quoted | Self::QuotedEscaped)
    }

    /// Whether what stands there is what it holds.
    pub(crate) fn is_plain(self) -> bool {
        matches!(self, Self::Bare | Self::Quoted)
    }
}

/// What stands at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record of that many bytes, its line break included.
    Record(usize),
    /// One that is not written as it should be.
    Wrong(usize, Wrong),
    /// So many bytes without a record: an empty line, or a comment.
    Nothing(usize),
    /// That cannot be known before there are more bytes.
    More,
}

/// What is wrong with how a record is written, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The quote there is never closed.
    Unclosed(usize),
    /// Something stands there, behind a quote that closes a field.
    Stray(usize),
}

/// Bytes of a field that are looked at one by one. Most fields are shorter, and a search for the
/// end of a longer one costs as much as a few of them.
const SHORT: usize = 16;

impl Dialect {
    /// Looks at what begins with these bytes, which are `last` when none follow them. The fields
    /// of a record are put into `cells`.
    pub(crate) fn find(&self, bytes: &[u8], last: bool, cells: &mut Vec<Cell>) -> Found {
        cells.clear();
        match bytes.first() {
            None => return Found::More,
            Some(b'\n') => return Found::Nothing(1),
            Some(b'\r') => {
                return line_break(bytes, 0, last).map_or(Found::More, Found::Nothing);
            }
            Some(first) if self.comment == Some(*first) => {
                return match memchr::memchr2(b'\n', b'\r', bytes) {
                    Some(at) => line_break(bytes, at, last).map_or(Found::More, Found::Nothing),
                    None if last => Found::Nothing(bytes.len()),
                    None => Found::More,
                };
            }
            Some(_) => {}
        }
        let (mut at, mut wrong) = (0, None);
        let length = loop {
            if self.trim {
                at += blanks(&bytes[at..]);
            }
            let cell = match bytes.get(at) {
                Some(first) if self.quote == Some(*first) => {
                    match self.quoted(bytes, at, last, &mut wrong) {
                        Some((cell, end)) => {
                            at = end;
                            cell
                        }
                        None => return Found::More,
                    }
                }
                _ => match self.bare(bytes, at, last) {
                    Some(cell) => {
                        at = cell.end;
                        cell
                    }
                    None => return Found::More,
                },
            };
            cells.push(self.trimmed(bytes, cell));
            match bytes.get(at) {
                Some(b'\n') => break at + 1,
                Some(b'\r') => match line_break(bytes, at, last) {
                    Some(length) => break length,
                    None => return Found::More,
                },
                // Only the delimiter ends a field and not the record.
                Some(_) => at += 1,
                None => break at,
            }
        };
        match (wrong, cells.as_slice()) {
            (Some(wrong), _) => Found::Wrong(length, wrong),
            (None, [only]) if self.trim && only.how == How::Bare && only.start == only.end => {
                Found::Nothing(length)
            }
            _ => Found::Record(length),
        }
    }

    /// A field without quotes from there on; `None` when its end cannot be known yet.
    fn bare(&self, bytes: &[u8], start: usize, last: bool) -> Option<Cell> {
        let mut how = How::Bare;
        let mut from = start;
        loop {
            let end = match self.bare_end(&bytes[from..]) {
                Some(length) => from + length,
                None if last => bytes.len(),
                None => return None,
            };
            if self.escape.is_some() && bytes.get(end) == self.escape.as_ref() {
                how = How::BareEscaped;
                if end + 1 >= bytes.len() && !last {
                    return None;
                }
                from = (end + 2).min(bytes.len());
                continue;
            }
            return Some(Cell { start, end, how });
        }
    }

    /// How many bytes stand before the delimiter, a line break or the escape.
    fn bare_end(&self, bytes: &[u8]) -> Option<usize> {
        let ends = |byte: u8| {
            byte == self.delimiter || byte == b'\n' || byte == b'\r' || self.escape == Some(byte)
        };
        let short = bytes.len().min(SHORT);
        if let Some(at) = bytes[..short].iter().position(|byte| ends(*byte)) {
            return Some(at);
        }
        let rest = &bytes[short..];
        let found = match self.escape {
            None => memchr::memchr3(self.delimiter, b'\n', b'\r', rest),
            Some(_) => rest.iter().position(|byte| ends(*byte)),
        };
        found.map(|at| short + at)
    }

    /// A field between quotes, of which the first stands there, and where it ends; `None` when
    /// that cannot be known yet.
    fn quoted(
        &self,
        bytes: &[u8],
        open: usize,
        last: bool,
        wrong: &mut Option<Wrong>,
    ) -> Option<(Cell, usize)> {
        let quote = bytes[open];
        let mut how = How::Quoted;
        let mut at = open + 1;
        let close = loop {
            let found = match self.escape {
                Some(escape) => memchr::memchr2(quote, escape, &bytes[at..]),
                None => memchr::memchr(quote, &bytes[at..]),
            };
            let Some(found) = found.map(|found| at + found) else {
                if !last {
                    return None;
                }
                wrong.get_or_insert(Wrong::Unclosed(open));
                break bytes.len();
            };
            let next = bytes.get(found + 1);
            if next.is_none() && !last {
                return None;
            }
            if bytes[found] != quote || next == Some(&quote) {
                how = How::QuotedEscaped;
                at = (found + 2).min(bytes.len());
                continue;
            }
            break found;
        };
        let cell = Cell {
            start: open + 1,
            end: close,
            how,
        };
        let mut end = (close + 1).min(bytes.len());
        if self.trim {
            end += blanks(&bytes[end..]);
        }
        match bytes.get(end) {
            None if !last => return None,
            Some(next) if *next != self.delimiter && *next != b'\n' && *next != b'\r' => {
                wrong.get_or_insert(Wrong::Stray(end));
                end = match memchr::memchr3(self.delimiter, b'\n', b'\r', &bytes[end..]) {
                    Some(length) => end + length,
                    None if last => bytes.len(),
                    None => return None,
                };
            }
            _ => {}
        }
        Some((cell, end))
    }

    fn trimmed(&self, bytes: &[u8], cell: Cell) -> Cell {
        if !self.trim || cell.how.is_quoted() {
            return cell;
        }
        let written = &bytes[cell.start..cell.end];
        let ink = written.iter().rposition(|byte| !is_blank(*byte));
        let mut end = cell.start + ink.map_or(0, |at| at + 1);
        // A blank that is escaped is meant.
        if cell.how == How::BareEscaped && end < cell.end && self.escape == Some(bytes[end - 1]) {
            end += 1;
        }
        Cell { end, ..cell }
    }

    /// Appends what a field holds, of which this is written.
    pub(crate) fn unescape(&self, written: &str, how: How, into: &mut String) {
        let mut rest = written;
        loop {
            let bytes = rest.as_bytes();
            let found = match (self.escape, self.quote, how) {
                (Some(escape), Some(quote), How::QuotedEscaped) => {
                    memchr::memchr2(escape, quote, bytes)
                }
                (Some(escape), _, _) => memchr::memchr(escape, bytes),
                (None, Some(quote), How::QuotedEscaped) => memchr::memchr(quote, bytes),
                (None, _, _) => None,
            };
            let Some(found) = found else {
                into.push_str(rest);
                return;
            };
            into.push_str(&rest[..found]);
            let by_escape = self.escape == Some(bytes[found]);
            let mut behind = rest[found + 1..].chars();
            into.extend(behind.next().map(|next| match by_escape && self.letters {
                true => unseen(next),
                false => next,
            }));
            rest = behind.as_str();
        }
    }
}

/// What a letter stands for behind the escape, as PostgreSQL and MySQL write it.
fn unseen(letter: char) -> char {
    match letter {
        '0' => '\0',
        'b' => '\u{8}',
        't' => '\t',
        'n' => '\n',
        'v' => '\u{b}',
        'f' => '\u{c}',
        'r' => '\r',
        'Z' => '\u{1a}',
        other => other,
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// How many blanks stand first.
fn blanks(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| is_blank(**byte)).count()
}

/// Behind the line break there; `None` when it cannot be known yet whether it has a second byte.
fn line_break(bytes: &[u8], at: usize, last: bool) -> Option<usize> {
    match (bytes[at], bytes.get(at + 1)) {
        (b'\r', Some(b'\n')) => Some(at + 2),
        (b'\r', None) if !last => None,
        _ => Some(at + 1),
    }
}
