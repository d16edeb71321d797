//! A cluster of Ballista on this machine: a scheduler and executors, out of a Python environment.
//!
//! Each executor has an address of this machine to itself, `127.x.y.z`, as if it were a machine of
//! its own: out of Python it has a port that cannot be chosen, so two could not share an address.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tokio::net::TcpStream;

use super::keeper::{Keeper, word};
use super::process::{PATIENCE, PAUSE};
use super::python;

/// What is installed.
const PACKAGE: &str = "ballista==54.1.0";
/// Where a scheduler listens. Servers that take any port are given one above these.
const SCHEDULERS: Range<u16> = 20_000..32_000;
/// Where an executor gives what it has computed; from when the scheduler knows it.
const EXECUTOR: u16 = 50051;
/// Where the scheduler gives an executor its tasks. Out of Python it cannot be another.
const TASKS: u16 = 50052;

/// Installs the package into the environment that runs it.
///
/// Its file for Linux asks for version 2.39 of the C library, because of two functions that it does
/// without where they are missing (weak symbols: Rust starts programs in another way then). Where
/// the library is older it is installed nevertheless, and what is asked for is marked as weak, too
/// (`VER_FLG_WEAK`), as the linker could have done.
const INSTALL: &str = r#"
import pathlib, platform, subprocess, sys, sysconfig
package = sys.argv[1]
# From its source it would take half an hour.
install = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
if subprocess.run([*install, package], stderr=subprocess.DEVNULL).returncode:
    site = sysconfig.get_path("platlib")
    built_for = f"manylinux_2_39_{platform.machine()}"
    alone = ["--no-deps", "--target", site, "--platform", built_for, package]
    subprocess.run([*install, *alone], check=True)
    needs = ["datafusion==54.0.0", "pyarrow>=23.0.1", "typing-extensions"]
    subprocess.run([*install, *needs], check=True)
    library = pathlib.Path(site, "ballista", "_internal_ballista.abi3.so")
    # The hash of `GLIBC_2.39`, and the flags that follow it.
    asked, weak = b"\xb9\x91\x96\x06\x00\x00", b"\xb9\x91\x96\x06\x02\x00"
    contents = library.read_bytes()
    assert contents.count(asked) == 1, "it asks for something else"
    library.write_bytes(contents.replace(asked, weak))
subprocess.run([sys.executable, "-c", "import ballista"], check=True)
"#;

/// Runs a scheduler at an address, or an executor of the scheduler at another one.
///
/// The scheduler calls an executor back where its connection comes from, and connections of this
/// machine come from 127.0.0.1. So an executor reaches it through a forwarder at its own address.
const PROGRAM: &str = r#"
import asyncio, sys, threading
from ballista import BallistaExecutor, BallistaScheduler

async def copy(reader, writer):
    try:
        while some := await reader.read(65536):
            writer.write(some)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()

def forwarder(own, to):
    async def forward(reader, writer):
        there, back = await asyncio.open_connection(*to, local_addr=(own, 0))
        await asyncio.gather(copy(reader, back), copy(there, writer))
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(forward, own, 0))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return server.sockets[0].getsockname()[1]

own, port, *scheduler = sys.argv[1:]
if scheduler:
    host, at = scheduler
    to = forwarder(own, (host, int(at)))
    server = BallistaExecutor(bind_host=own, bind_port=int(port), scheduler_host=own,
                              scheduler_port=to, concurrent_tasks=2)
else:
    server = BallistaScheduler(bind_host=own, bind_port=int(port))
server.start()
server.wait_for_termination()
"#;

/// A scheduler and its executors.
pub struct Ballista {
    python: PathBuf,
    url: String,
    executors: Vec<Keeper>,
    /// Ends after its executors.
    _scheduler: Keeper,
}

impl Ballista {
    /// A cluster of so many executors that no other test knows.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn own(executors: usize) -> Self {
        let python = tokio::task::spawn_blocking(python).await;
        let python = python.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        // Executors out of Python look for it at `localhost`.
        let at = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port());
        let scheduler = started(&python, at, "").await;
        let its = format!("{} {}", at.ip(), at.port());
        let mut cluster = Self {
            python,
            url: format!("df://{at}"),
            executors: Vec::new(),
            _scheduler: scheduler,
        };
        for _ in 0..executors {
            let at = SocketAddrV4::new(address(), EXECUTOR);
            let executor = started(&cluster.python, at, &its).await;
            cluster.executors.push(executor);
        }
        cluster
    }

    /// Where the scheduler is, for its clients.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The Python that has its client.
    #[must_use]
    pub fn python(&self) -> &Path {
        &self.python
    }

    /// Of how many jobs each executor was given tasks.
    #[must_use]
    pub fn jobs(&self) -> Vec<usize> {
        let jobs = |keeper: &Keeper| {
            // Each executor works in a folder of its own there, with one for each job.
            let own = folders(&keeper.folder().join("data"));
            let made = own.iter().flat_map(|own| folders(own));
            made.filter(|folder| !is_for_spilling(folder)).count()
        };
        self.executors.iter().map(jobs).collect()
    }
}

/// Starts the program there, and waits until it answers.
async fn started(python: &Path, at: SocketAddrV4, scheduler: &str) -> Keeper {
    let keeper = Keeper::new(None, "KILL");
    keeper.write("program.py", PROGRAM);
    let data = keeper.folder().join("data");
    fs::create_dir(&data).expect("a folder is made");
    let command = format!(
        "env TMPDIR={} PYTHONDONTWRITEBYTECODE=1 {} program.py {} {} {scheduler}",
        word(&data),
        word(python),
        at.ip(),
        at.port()
    );
    keeper.start(&command).await;
    let began = Instant::now();
    // Nobody else is there, so whoever answers is the one.
    while TcpStream::connect(at).await.is_err() {
        assert!(
            keeper.runs().await && began.elapsed() < PATIENCE,
            "the server does not answer:\n{}",
            keeper.log()
        );
        tokio::time::sleep(PAUSE).await;
    }
    keeper
}

/// An address of this machine that nobody has, for now.
fn address() -> Ipv4Addr {
    loop {
        let [_, b, c, d] = chance().to_be_bytes();
        // Those with a name are below.
        let own = Ipv4Addr::new(127, b | 128, c, d.clamp(1, 254));
        if [EXECUTOR, TASKS].into_iter().all(|port| is_free(own, port)) {
            return own;
        }
    }
}

/// A port that nobody listens at, for now.
fn port() -> u16 {
    loop {
        let place = chance() % u32::from(SCHEDULERS.end - SCHEDULERS.start);
        let port = SCHEDULERS.start + u16::try_from(place).expect("it is below the end");
        if is_free(Ipv4Addr::LOCALHOST, port) {
            return port;
        }
    }
}

fn is_free(address: Ipv4Addr, port: u16) -> bool {
    TcpListener::bind((address, port)).is_ok()
}

/// Any number.
fn chance() -> u32 {
    // Each of these states has keys of its own.
    let number = RandomState::new().build_hasher().finish();
    u32::try_from(number >> 32).expect("half of its bits")
}

fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths.filter(|path| path.is_dir()).collect()
}

/// Whether it is what DataFusion makes for what does not fit into memory.
fn is_for_spilling(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with("datafusion-"))
}

/// The Python that has what the cluster needs, installed if need be.
fn python() -> PathBuf {
    let install = |python: &Path| python::runs(python, &["-c", INSTALL, PACKAGE]);
    python::environment_by(PACKAGE, install, "install it there yourself").join("bin/python")
}
