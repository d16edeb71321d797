//! The records of one stream, out of all that a tap prints.

use std::io::{self, BufRead, BufReader, Read};

use chatferry_core::Bookmark;
use chatferry_core::place::Place;
use chatferry_core::source::{SourceError, SourceErrorKind};
use chatferry_records::Kind;

use crate::message::{self, Message};
use crate::schema;

/// Bytes that a message may have: as many as a record may, and some around it.
pub(crate) const MAX_MESSAGE: u64 = (16 << 20) + 4_096;
/// Bytes that are taken at a time.
const CHUNK: usize = 256 * 1024;

/// What is read of a stream.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The tap, or the file, as a person knows it.
    pub(crate) tap: String,
    /// The names that the stream goes by.
    pub(crate) names: Vec<String>,
    /// Those of them that are to be what the stream says, with the types that the stream was described with.
    pub(crate) columns: Vec<(String, Kind)>,
    /// Whether it stands in a file, and was described with the first of its schemas there.
    pub(crate) of_file: bool,
    /// Where the last state is left, if it is wanted.
    pub(crate) bookmark: Option<Bookmark>,
}

/// A tap's output as the records of one stream, one on each line. A line that is no message stands
/// among them as it is, or in brackets where it might be taken for a record.
pub(crate) struct Records<R> {
    input: BufReader<R>,
    wanted: Wanted,
    line: Vec<u8>,
    /// How many lines were read.
    number: u64,
    /// What was made of the last line, and how much of it was given.
    made: io::Cursor<Vec<u8>>,
    /// What went wrong behind that.
    failure: Option<io::Error>,
    /// Whether the stream was announced.
    announced: bool,
    /// The last state, where it is wanted.
    state: Vec<u8>,
}

impl<R: Read> Records<R> {
    pub(crate) fn of(input: R, wanted: Wanted) -> Self {
        Self {
            input: BufReader::with_capacity(CHUNK, input),
            wanted,
            line: Vec::new(),
            number: 0,
            made: io::Cursor::default(),
            failure: None,
            announced: false,
            state: Vec::new(),
        }
    }

    /// Makes something of the next lines, until there is enough; false at the end.
    fn make(&mut self) -> io::Result<bool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let mut made = std::mem::take(&mut self.made).into_inner();
        made.clear();
        while made.len() < CHUNK {
            match self.take_line(&mut made) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) if made.is_empty() => return Err(error),
                Err(error) => {
                    // What came before it is given first.
                    self.failure = Some(error);
                    break;
                }
            }
            // What is there is given before more is waited for.
            if self.input.buffer().is_empty() && !made.is_empty() {
                break;
            }
        }
        self.made = io::Cursor::new(made);
        Ok(!self.made.get_ref().is_empty())
    }

    /// Takes what the next line brings; false when there is none.
    fn take_line(&mut self, made: &mut Vec<u8>) -> io::Result<bool> {
        self.line.clear();
        let mut limited = self.input.by_ref().take(MAX_MESSAGE);
        if limited.read_until(b'\n', &mut self.line)? == 0 {
            self.leave();
            return Ok(false);
        }
        self.number += 1;
        if self.line.len() as u64 == MAX_MESSAGE && !self.line.ends_with(b"\n") {
            let reason = "it printed a message that is longer than 16 MiB";
            let help = "do not use the column that is so long";
            return Err(self.refused(SourceErrorKind::Malformed, reason, help));
        }
        self.take(made)?;
        Ok(true)
    }

    fn take(&mut self, made: &mut Vec<u8>) -> io::Result<()> {
        let line = self.line.trim_ascii();
        if line.is_empty() {
            return Ok(());
        }
        match message::read(line) {
            Message::Record { stream, record } if self.is_wanted(stream) => {
                if !self.announced {
                    let reason = "it gave a record before it said by SCHEMA what it looks like";
                    return Err(self.refused(SourceErrorKind::Malformed, reason, BROKEN));
                }
                made.extend_from_slice(record);
            }
            Message::Schema { stream, schema } if self.is_wanted(stream) => {
                self.compare(schema)?;
                self.announced = true;
                return Ok(());
            }
            Message::State { value } => {
                if self.wanted.bookmark.is_some() {
                    self.state.clear();
                    self.state.extend_from_slice(value);
                }
                return Ok(());
            }
            Message::Batch { stream } if self.is_wanted(stream) => {
                let reason = "it gave records as files, by BATCH messages";
                let help = "take `batch_config` out of its `config`, so that it gives them as \
                            RECORD messages";
                return Err(self.refused(SourceErrorKind::Malformed, reason, help));
            }
            Message::None if line.starts_with(b"{") => {
                made.push(b'[');
                made.extend_from_slice(line);
                made.push(b']');
            }
            Message::None => made.extend_from_slice(line),
            _ => return Ok(()),
        }
        made.push(b'\n');
        Ok(())
    }

    /// Leaves the last state: there is nothing after it, and the tap has ended well.
    fn leave(&self) {
        if let Some(bookmark) = &self.wanted.bookmark
            && !self.state.is_empty()
            && let Ok(state) = std::str::from_utf8(&self.state)
        {
            bookmark.leave(state.to_owned());
        }
    }

    fn is_wanted(&self, stream: &[u8]) -> bool {
        let mut names = self.wanted.names.iter();
        names.any(|name| name.as_bytes() == stream)
    }

    /// Makes sure that the columns are those that the stream was described with.
    fn compare(&self, schema: &[u8]) -> io::Result<()> {
        let Ok(schema) = serde_json::from_slice(schema) else {
            let reason = "it gave a SCHEMA that is not JSON";
            return Err(self.refused(SourceErrorKind::Malformed, reason, BROKEN));
        };
        let columns = schema::columns(&schema);
        let (described, help) = match self.wanted.of_file {
            false => (
                "catalog",
                "start again, so that it is asked anew; where its SCHEMA always differs from its \
                 catalog, give it a corrected `catalog`, or a `schema` to this column",
            ),
            true => (
                "first SCHEMA",
                "give this column a type under `schema` that holds both",
            ),
        };
        for (name, kind) in &self.wanted.columns {
            let now = columns.iter().find(|(column, _)| column == name);
            let reason = match now {
                Some((_, now)) if now == kind => continue,
                Some(_) => format!("`{name}` has another type now than in its {described}"),
                None => format!("it gives no `{name}` any more, which is in its {described}"),
            };
            return Err(self.refused(SourceErrorKind::Changed, &reason, help));
        }
        Ok(())
    }

    fn refused(&self, kind: SourceErrorKind, reason: &str, help: &str) -> io::Error {
        let doing = format!("read {} of `{}`", self.wanted.names[0], self.wanted.tap);
        let place = Place {
            file: format!("output of `{}`", self.wanted.tap).into(),
            line: Some(self.number),
            byte: None,
        };
        io::Error::other(SourceError::new(kind, doing, reason).at(place).help(help))
    }
}

/// What to do about a tap that does not keep to what Singer says.
pub(crate) const BROKEN: &str =
    "this tap does not keep to Singer's specification; try another version of it";

impl<R: Read> Read for Records<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.made.read(buffer)?;
            if read > 0 || buffer.is_empty() || !self.make()? {
                return Ok(read);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_records_of_the_stream_are_given() {
        let printed =
            br#"{"type":"SCHEMA","stream":"a","schema":{"properties":{"x":{"type":"integer"}}}}
{"type":"SCHEMA","stream":"b","schema":{}}
{"type":"RECORD","stream":"a","record":{"x":1}}
{"type":"RECORD","stream":"b","record":{"x":2}}

hello
{"level":"info"}
{"type":"STATE","value":{"a":1}}
{"type":"RECORD","stream":"a","record":{"x":3}}
{"type":"STATE","value":{"a":3}}"#;
        let wanted = Wanted {
            tap: "tap".into(),
            names: vec!["a".into()],
            columns: vec![("x".into(), Kind::Bigint)],
            of_file: false,
            bookmark: Some(Bookmark::default()),
        };
        let bookmark = wanted.bookmark.clone().expect("a bookmark");
        let mut given = String::new();
        let mut records = Records::of(&printed[..], wanted);
        records.read_to_string(&mut given).expect("it is read");
        assert_eq!(bookmark.left().as_deref(), Some(r#"{"a":3}"#));
        assert_eq!(
            given,
            "{\"x\":1}\nhello\n[{\"level\":\"info\"}]\n{\"x\":3}\n"
        );
    }
}
