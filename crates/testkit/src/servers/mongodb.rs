//! A server that speaks MongoDB's wire protocol: NX-27017, out of a Python environment of its own.
//!
//! MongoDB itself is in no registry that packages are installed from. NX-27017 keeps documents in
//! SQLite, and does not know all types and conditions; `CHATFERRY_TEST_MONGODB` names a server that
//! does.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::database::unused_name;
use super::keeper::{Keeper, word};
use super::process::{Process, same};
use super::python;

/// What is installed.
const PACKAGE: &str = "nx-27017==0.8.1";

/// Runs the server on the port given, and tells in which folder it was started.
///
/// It cannot keep values of some types, and fails where a condition compares with one; and it takes
/// flags for numbers. What is compared so is taken out of `$or`. And it fails to read times that
/// Python has no date for, which become the first one that it has.
const PROGRAM: &str = r#"
import asyncio, os, sys
from bson import BSON, Code, MaxKey, MinKey, Timestamp
from bson.codec_options import CodecOptions, DatetimeConversion
from nx_27017 import wire_protocol
from nx_27017.handler import NeoSQLiteHandler
from nx_27017.server import handle_client
clamped = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_CLAMP)
class Clamped(BSON):
    def decode(self, options=clamped):
        return super().decode(options)
wire_protocol.BSON = Clamped
def is_known(value):
    if isinstance(value, dict):
        return all(map(is_known, value.values()))
    is_nan = isinstance(value, float) and value != value
    return not is_nan and not isinstance(value, (bool, Code, MaxKey, MinKey, Timestamp))
class Handler(NeoSQLiteHandler):
    def handle_command(self, msg):
        for kind, command in msg["sections"]:
            condition = command.get("filter") if kind == "body" else None
            if condition and "$or" in condition:
                known = [one for one in condition["$or"] if is_known(one)]
                command["filter"] = {"$or": known} if known else {"_id": "nothing at all"}
        return super().handle_command(msg)
folder = os.path.realpath("data")
handler = Handler(":memory:", data_dir=folder)
async def client(reader, writer):
    try:
        head = await reader.readexactly(4)
    except asyncio.IncompleteReadError:
        writer.close()
        return
    if head == b"GET ":
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + folder.encode())
        await writer.drain()
        writer.close()
    else:
        reader._buffer[:0] = head
        await handle_client(reader, writer, handler)
async def serve(port):
    server = await asyncio.start_server(client, "127.0.0.1", port)
    async with server:
        await server.serve_forever()
asyncio.run(serve(int(sys.argv[1].split("=")[1])))
"#;

/// A server that speaks MongoDB's wire protocol.
pub struct MongoDb {
    /// The URL of the server, without a database.
    url: String,
    /// `None` when it was there before us.
    process: Option<Process>,
}

impl MongoDb {
    /// The server with that URL.
    pub(super) fn given(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            process: None,
        }
    }

    /// A server that no other test knows.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn own() -> Self {
        let python = tokio::task::spawn_blocking(python).await;
        let python = python.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let keeper = Keeper::new(None, "KILL");
        keeper.write("program.py", PROGRAM);
        fs::create_dir(keeper.folder().join("data")).expect("a folder is made");
        let command = format!("env PYTHONDONTWRITEBYTECODE=1 {} program.py", word(&python));
        let process = Process::new(keeper, command, who_is_there).await;
        Self {
            url: format!("mongodb://127.0.0.1:{}/", process.port()),
            process: Some(process),
        }
    }

    /// The URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let (server, options) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let server = server.trim_end_matches('/');
        match options {
            "" => format!("{server}/{database}"),
            options => format!("{server}/{database}?{options}"),
        }
    }

    /// The name of a database that nobody has used.
    #[must_use]
    pub fn unused_name(&self) -> String {
        unused_name()
    }

    /// Stops it: whoever is connected is turned out.
    ///
    /// # Panics
    ///
    /// When it was not started here.
    pub async fn stop(&self) {
        self.process().stop("KILL").await;
    }

    /// Starts it where it was, with what it had.
    ///
    /// # Panics
    ///
    /// When it was not started here, or does not start.
    pub async fn start(&self) {
        self.process().start_again().await;
    }

    fn process(&self) -> &Process {
        let process = self.process.as_ref();
        process.expect("only of a server that was started here")
    }
}

/// The Python that has what the server needs, installed if need be.
fn python() -> PathBuf {
    let otherwise = "set CHATFERRY_TEST_MONGODB to the URL of a server, without a database, of an \
                     account that may make databases";
    python::environment(PACKAGE, otherwise).join("bin/python")
}

fn who_is_there(port: u16) -> BoxFuture<'static, Option<PathBuf>> {
    let asked = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).ok()?;
        connection.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).ok()?;
        let (_, folder) = answer.split_once("\r\n\r\n")?;
        Some(same(folder))
    });
    async move { asked.await.ok().flatten() }.boxed()
}
