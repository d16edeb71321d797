//! A stand-in for MongoDB: its wire protocol, its order of all types, and a look behind the scenes.
//!
//! It is as much of a server as the source needs, written by the manual and not by the source.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use chatferry_core::source::Source;
use chatferry_testkit::settings::planned;
use mongodb::bson::raw::RawDocumentBuf;
use mongodb::bson::{Bson, Document, doc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::values::{matches, order};

/// The password of whoever asks.
pub(crate) const PASSWORD: &str = "swordfishinaspic";
const OP_REPLY: i32 = 1;
const OP_QUERY: i32 = 2004;
const OP_MSG: i32 = 2013;

/// A server that ends with the test.
pub(crate) struct StandIn {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

/// What it has and what it was asked.
#[derive(Default)]
pub(crate) struct State {
    /// The documents of each collection, as they were put there.
    pub(crate) collections: BTreeMap<String, Vec<Document>>,
    /// What else is told of a collection.
    pub(crate) about: BTreeMap<String, Document>,
    /// What it was asked, but for greetings.
    pub(crate) asked: Vec<Document>,
    /// What it does in the place of an answer to the next pages.
    pub(crate) faults: VecDeque<Fault>,
    /// Documents that it has ever given.
    pub(crate) given: u64,
    /// Documents that fit into one answer.
    pub(crate) fitting: Option<usize>,
    /// What is left of the answers that did not fit.
    cursors: BTreeMap<i64, Vec<Document>>,
    /// Cursors that were ever opened.
    opened: i64,
}

/// What goes wrong with a page.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// The connection is closed without an answer.
    HangUp,
    /// An error with this code and name.
    Error(i32, &'static str),
}

impl State {
    /// How many cursors are open.
    pub(crate) fn open_cursors(&self) -> usize {
        self.cursors.len()
    }

    /// The commands of that name that were asked.
    pub(crate) fn commands(&self, name: &str) -> Vec<Document> {
        let named = self.asked.iter().filter(|one| one.contains_key(name));
        named.cloned().collect()
    }
}

impl StandIn {
    /// A server with these documents in the collection `c`.
    pub(crate) async fn with(documents: Vec<Document>) -> Self {
        let state = State {
            collections: BTreeMap::from([("c".to_owned(), documents)]),
            ..State::default()
        };
        Self::having(state).await
    }

    pub(crate) async fn having(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { port, state }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics while they hold it")
    }

    /// The same, to be looked at elsewhere.
    pub(crate) fn shared(&self) -> Arc<Mutex<State>> {
        Arc::clone(&self.state)
    }

    pub(crate) fn url(&self) -> String {
        format!("mongodb://127.0.0.1:{}/chat", self.port)
    }

    /// A source that reads it, with what else is set.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        opened(&format!("url = \"{}\"\n{settings}", self.url()))
    }
}

/// The source with these settings.
pub(crate) fn opened(settings: &str) -> Arc<dyn Source> {
    let (source, mistakes) = planned(chatferry_mongodb::register, settings, Path::new("/"));
    assert_eq!(mistakes, "");
    let source = source.expect("settings in order");
    source.open().expect("nothing is connected yet")
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    loop {
        let mut header = [0; 16];
        stream.read_exact(&mut header).await.ok()?;
        let word =
            |at: usize| i32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
        let (length, request, opcode) = (word(0), word(4), word(12));
        let mut body = vec![0; usize::try_from(length).ok()? - 16];
        stream.read_exact(&mut body).await.ok()?;
        // Behind flags and the kind of section, or behind flags, a name and two numbers.
        let start = match opcode {
            OP_QUERY => 4 + body[4..].iter().position(|byte| *byte == 0)? + 1 + 8,
            _ => 5,
        };
        let size = i32::from_le_bytes(body[start..start + 4].try_into().ok()?);
        let end = start + usize::try_from(size).ok()?;
        let command = RawDocumentBuf::from_bytes(body[start..end].to_vec()).ok()?;
        let command = Document::try_from(command).ok()?;
        let answer = {
            let mut state = state.lock().expect("nobody panics while they hold it");
            state.answer(&command)?
        };
        let answer = answer.to_vec().ok()?;
        let mut reply = match opcode {
            OP_QUERY => [&[0; 16][..], &1_i32.to_le_bytes()].concat(),
            _ => vec![0; 5],
        };
        reply.extend(answer);
        let length = i32::try_from(reply.len() + 16).ok()?;
        let answering = if opcode == OP_QUERY { OP_REPLY } else { OP_MSG };
        let header = [length, 1, request, answering].map(i32::to_le_bytes);
        // At once, since the rest would wait until the beginning has arrived.
        let whole = [header.concat(), reply].concat();
        stream.write_all(&whole).await.ok()?;
    }
}

impl State {
    /// The answer to a command; `None` where there is none.
    fn answer(&mut self, command: &Document) -> Option<Document> {
        let name = command.keys().next()?.clone();
        if !["hello", "isMaster", "ismaster"].contains(&name.as_str()) {
            self.asked.push(command.clone());
        }
        Some(match name.as_str() {
            "hello" | "isMaster" | "ismaster" => doc! {
                "ok": 1, "isWritablePrimary": true, "ismaster": true, "helloOk": true,
                "maxBsonObjectSize": 16_777_216, "maxMessageSizeBytes": 48_000_000,
                "maxWriteBatchSize": 100_000, "minWireVersion": 8, "maxWireVersion": 21,
            },
            "saslStart" => failed(18, "AuthenticationFailed", "Authentication failed."),
            "listCollections" => {
                let listed = self.collections.keys().map(|name| {
                    let mut one = doc! {"name": name, "type": "collection", "options": {}};
                    one.extend(self.about.get(name).cloned().unwrap_or_default());
                    Bson::Document(one)
                });
                let listed: Vec<Bson> = listed.collect();
                doc! {"ok": 1, "cursor": {"id": 0_i64, "ns": "chat.x", "firstBatch": listed}}
            }
            "listDatabases" => doc! {"ok": 1, "databases": [{"name": "chat"}, {"name": "admin"}]},
            "find" => match self.faults.pop_front() {
                Some(Fault::HangUp) => return None,
                Some(Fault::Error(code, name)) => failed(code, name, "something is wrong"),
                None => self.find(command),
            },
            "getMore" => {
                let id = command.get_i64("getMore").ok()?;
                match self.cursors.remove(&id) {
                    Some(rest) => self.batch(id, rest, usize::MAX, "nextBatch"),
                    None => failed(43, "CursorNotFound", "there is no such cursor"),
                }
            }
            "killCursors" => {
                for id in command.get_array("cursors").ok()? {
                    self.cursors.remove(&id.as_i64()?);
                }
                doc! {"ok": 1}
            }
            _ => doc! {"ok": 1},
        })
    }

    fn find(&mut self, command: &Document) -> Document {
        let collection = command.get_str("find").expect("a name");
        let condition = command.get_document("filter").cloned().unwrap_or_default();
        let documents = self.collections.get(collection).into_iter().flatten();
        let mut found: Vec<Document> = documents
            .filter(|document| matches(&condition, document))
            .cloned()
            .collect();
        if command.contains_key("sort") {
            let id = |document: &Document| document.get("_id").cloned().expect("an id");
            found.sort_by(|one, other| order(&id(one), &id(other)));
        }
        let number = |key: &str| match command.get(key) {
            Some(Bson::Int32(number)) => usize::try_from(number.unsigned_abs()).ok(),
            Some(Bson::Int64(number)) => usize::try_from(number.unsigned_abs()).ok(),
            _ => None,
        };
        found.truncate(number("limit").unwrap_or(usize::MAX));
        if let Ok(fields) = command.get_document("projection") {
            for document in &mut found {
                let whole = std::mem::take(document).into_iter();
                *document = whole
                    .filter(|(name, _)| fields.contains_key(name))
                    .collect();
            }
        }
        self.opened += 1;
        let most = number("batchSize").unwrap_or(101);
        self.batch(self.opened, found, most, "firstBatch")
    }

    fn batch(&mut self, id: i64, mut found: Vec<Document>, most: usize, key: &str) -> Document {
        let fitting = most
            .min(self.fitting.unwrap_or(usize::MAX))
            .min(found.len());
        let rest = found.split_off(fitting);
        self.given += fitting as u64;
        let id = match rest.is_empty() {
            true => 0,
            false => {
                self.cursors.insert(id, rest);
                id
            }
        };
        doc! {"ok": 1, "cursor": {"id": id, "ns": "chat.c", key: found}}
    }
}

fn failed(code: i32, name: &str, message: &str) -> Document {
    doc! {"ok": 0, "code": code, "codeName": name, "errmsg": message}
}
