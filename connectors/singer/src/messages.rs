//! Messages that stand in a file, and how they get there from standard input.
//!
//! A file is looked through once before its streams are read: it tells of them by its `SCHEMA`
//! messages, and a line that is no message would belong to none of them.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::hash::Hasher;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

use chatferry_core::place::Place;
use chatferry_core::source::{SourceError, SourceErrorKind};
use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::message::{self, Message};
use crate::stream::{BROKEN, MAX_MESSAGE};

/// What stands in a file of messages.
#[derive(Clone, Debug)]
pub struct Messages {
    /// How many bytes they have.
    pub bytes: u64,
    /// How many records there are of each stream that is announced.
    pub records: BTreeMap<String, u64>,
    /// The last state: from where a tap that is given it goes on. JSON, as it was printed.
    pub state: Option<String>,
    /// Whether they end in the midst of a message, which is then left out.
    pub broken_off: bool,
    /// What streams there are.
    pub(crate) catalog: Catalog,
    /// What tells these from others.
    pub(crate) hash: u64,
}

/// Looks through a file of messages.
///
/// # Errors
///
/// When it cannot be read, or holds what is no message.
pub fn look(path: &Path) -> Result<Messages, SourceError> {
    let file = File::open(path).map_err(|error| unread(path, error))?;
    let name = path.display().to_string();
    Through::of(&name).take(file, &mut io::sink())
}

/// Copies messages into a file that only this user can read, in the place of what stood there.
///
/// # Errors
///
/// When they cannot be read, one of them is none, or the file cannot be written.
pub fn spool(input: impl Read, path: &Path) -> Result<Messages, SourceError> {
    // What is there may be of another mode.
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(unwritten(path, error));
        }
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| unwritten(path, error))?;
    let mut copy = BufWriter::with_capacity(CHUNK, file);
    let mut through = Through::of("standard input");
    through.copy_to = Some(path);
    let messages = through.take(input, &mut copy).and_then(|messages| {
        copy.flush().map_err(|error| unwritten(path, error))?;
        Ok(messages)
    });
    if messages.is_err() {
        // What was copied so far is of no use; that it cannot be removed is no worse.
        drop(copy);
        let _ = std::fs::remove_file(path);
    }
    messages
}

/// Bytes that are taken at a time.
const CHUNK: usize = 256 * 1024;

/// What to do about a line that is no message.
const NOT_OURS: &str = "nothing but messages stands on a tap's standard output, one JSON object on \
                        each line; have what else it prints written to standard error";

/// A way through messages.
struct Through<'p> {
    name: &'p str,
    copy_to: Option<&'p Path>,
    schemas: BTreeMap<String, Value>,
    records: BTreeMap<String, u64>,
    number: u64,
}

impl<'p> Through<'p> {
    fn of(name: &'p str) -> Self {
        Self {
            name,
            copy_to: None,
            schemas: BTreeMap::new(),
            records: BTreeMap::new(),
            number: 0,
        }
    }

    /// Goes through all messages, and gives them on.
    fn take(mut self, input: impl Read, copy: &mut impl Write) -> Result<Messages, SourceError> {
        let mut input = BufReader::with_capacity(CHUNK, input);
        let mut hasher = twox_hash::XxHash3_64::with_seed(0);
        let mut line = Vec::new();
        let (mut bytes, mut state) = (0, None);
        let mut broken_off = false;
        loop {
            line.clear();
            let mut limited = input.by_ref().take(MAX_MESSAGE);
            let read = limited.read_until(b'\n', &mut line);
            if read.map_err(|error| self.failed(error))? == 0 {
                break;
            }
            self.number += 1;
            let is_whole = line.ends_with(b"\n");
            if !is_whole && line.len() as u64 == MAX_MESSAGE {
                return Err(self.refused(
                    "a message is longer than 16 MiB",
                    "do not select the property that is so long",
                ));
            }
            let text = line.trim_ascii();
            match message::read(text) {
                Message::Record { stream, .. } => {
                    let stream = String::from_utf8_lossy(stream);
                    let Some(count) = self.records.get_mut(stream.as_ref()) else {
                        let reason =
                            "a record comes before the SCHEMA that says what it looks like";
                        return Err(self.refused(reason, BROKEN));
                    };
                    *count += 1;
                }
                Message::Schema { stream, schema } => self.announce(stream, schema)?,
                Message::State { value } => {
                    state = Some(String::from_utf8_lossy(value).into_owned());
                }
                Message::Batch { .. } => {
                    return Err(self.refused(
                        "records are given as files, by BATCH messages",
                        "take `batch_config` out of the tap's config, so that it gives them as \
                         RECORD messages",
                    ));
                }
                Message::None if text.is_empty() => {}
                Message::None if !is_whole => {
                    broken_off = true;
                    break;
                }
                Message::None => {
                    return Err(self.refused("this line is no message of Singer's", NOT_OURS));
                }
                Message::Other => {}
            }
            hasher.write(&line);
            bytes += line.len() as u64;
            copy.write_all(&line)
                .map_err(|error| unwritten(self.copy_to.unwrap_or(Path::new(self.name)), error))?;
        }
        let streams = self.schemas.into_iter();
        let streams = streams.map(|(stream, schema)| json!({"stream": stream, "schema": schema}));
        let catalog = json!({ "streams": streams.collect::<Vec<_>>() }).to_string();
        Ok(Messages {
            bytes,
            records: self.records,
            state,
            broken_off,
            catalog: Catalog::read(catalog.as_bytes()).expect("each stream has its name"),
            hash: hasher.finish(),
        })
    }

    /// Notes what the records of a stream look like.
    fn announce(&mut self, stream: &[u8], schema: &[u8]) -> Result<(), SourceError> {
        let name = String::from_utf8_lossy(stream).into_owned();
        if name.is_empty() {
            return Err(self.refused("a SCHEMA is of a stream without a name", BROKEN));
        }
        if let Ok(schema) = serde_json::from_slice(schema) {
            // The first one counts; whoever reads the stream compares those that follow.
            self.records.entry(name.clone()).or_default();
            self.schemas.entry(name).or_insert(schema);
            return Ok(());
        }
        Err(self.refused("a SCHEMA is not JSON", BROKEN))
    }

    fn refused(&self, reason: &str, help: &str) -> SourceError {
        let place = Place {
            file: self.name.into(),
            line: Some(self.number),
            byte: None,
        };
        let doing = format!("read {}", self.name);
        let error = SourceError::new(SourceErrorKind::Malformed, doing, reason);
        error.at(place).help(help)
    }

    fn failed(&self, error: io::Error) -> SourceError {
        let doing = format!("read {}", self.name);
        SourceError::new(SourceErrorKind::Failed, doing, error.kind().to_string()).cause(error)
    }
}

/// The error where a file of messages cannot be opened.
pub(crate) fn unread(path: &Path, error: io::Error) -> SourceError {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => SourceErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => SourceErrorKind::Denied,
        _ => SourceErrorKind::Failed,
    };
    let doing = format!("read {}", path.display());
    SourceError::new(kind, doing, error.kind().to_string())
        .help("`path` is a file of messages, relative to the pipeline file")
        .cause(error)
}

fn unwritten(path: &Path, error: io::Error) -> SourceError {
    let doing = format!("write standard input into {}", path.display());
    SourceError::new(SourceErrorKind::Failed, doing, error.kind().to_string())
        .help(
            "what is read lies there until it is delivered, so there must be room for all of it; \
             `--ledger` names another folder",
        )
        .cause(error)
}
