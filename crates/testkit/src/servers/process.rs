//! A server that was started here: on which port, and from when on it answers.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use super::keeper::Keeper;

/// Tries to find a port that nobody takes before the server does.
const PORTS: usize = 5;
/// How long a server may take until it answers. Far more than any does.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait before asking again.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// Asks the server at that port in which folder its data is.
pub(super) type WhoIsThere = fn(u16) -> BoxFuture<'static, Option<PathBuf>>;

/// A server that was started here.
pub(super) struct Process {
    keeper: Keeper,
    /// What starts it, but for the port.
    command: String,
    who_is_there: WhoIsThere,
    port: u16,
}

impl Process {
    /// Starts a server on a free port. Its data are in the keeper's folder, below `data`.
    pub(super) async fn new(keeper: Keeper, command: String, who_is_there: WhoIsThere) -> Self {
        let mut process = Self {
            keeper,
            command,
            who_is_there,
            port: 0,
        };
        for _ in 0..PORTS {
            process.port = free_port();
            if process.start().await {
                return process;
            }
            let log = process.keeper.log();
            assert!(
                log.contains("Address already in use"),
                "the server did not start:\n{log}"
            );
        }
        panic!("{PORTS} free ports were taken before the server was there");
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Starts it and waits until it answers; whether it does.
    pub(super) async fn start(&self) -> bool {
        let command = format!("{} --port={}", self.command, self.port);
        self.keeper.start(&command).await;
        let began = Instant::now();
        while self.keeper.runs().await {
            // Another server may have been faster to take the port.
            if (self.who_is_there)(self.port).await.as_deref() == Some(&*self.data()) {
                return true;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the server does not answer:\n{}",
                self.keeper.log()
            );
            tokio::time::sleep(PAUSE).await;
        }
        false
    }

    /// Sends it a signal and waits until it has ended.
    pub(super) async fn stop(&self, signal: &str) {
        self.keeper.stop(signal).await;
    }

    /// Starts it where it was.
    pub(super) async fn start_again(&self) {
        assert!(
            self.start().await,
            "the server did not start again:\n{}",
            self.keeper.log()
        );
    }

    fn data(&self) -> PathBuf {
        data(&self.keeper)
    }
}

/// Where a server's data are.
pub(super) fn data(keeper: &Keeper) -> PathBuf {
    let folder = keeper.folder();
    folder
        .canonicalize()
        .as_deref()
        .unwrap_or(folder)
        .join("data")
}

/// The same folder, as a server may name it.
pub(super) fn same(folder: &str) -> PathBuf {
    let folder = Path::new(folder);
    folder.components().collect()
}

/// A port that nobody listens at, for now.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("it is bound").port()
}
