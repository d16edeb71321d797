//! Copies one file: asks for it until it comes or has failed, and puts it into the store.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chatferry_core::source::SourceError;
use chatferry_files::{Deposit, Served};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::beside::Beside;
use crate::fetch::{Fetched, Fetcher, Trouble};
use crate::found::{PATHS, Wanted, host};
use crate::hosts::Hosts;
use crate::map::Copy;
use crate::name;
use crate::patience::{Patience, Step};
use crate::reason::{Failure, Reason};

/// What copies files.
pub(crate) struct Worker {
    pub(crate) deposit: Deposit,
    pub(crate) fetcher: Fetcher,
    /// Where paths begin, if there are some.
    pub(crate) beside: Option<Beside>,
    pub(crate) hosts: Hosts,
    pub(crate) patience: Patience,
    pub(crate) largest: u64,
    /// The folder where what is large waits on its way.
    pub(crate) spool: Option<PathBuf>,
    /// The ending of each of the contents that are in the store.
    pub(crate) endings: Mutex<HashMap<[u8; 32], String>>,
    /// Held by whoever puts contents into the store.
    pub(crate) claims: Mutex<HashMap<[u8; 32], Arc<tokio::sync::Mutex<()>>>>,
}

/// One file that is done with.
pub(crate) struct Done {
    pub(crate) wanted: Wanted,
    pub(crate) tries: u32,
    pub(crate) outcome: Outcome,
}

/// What became of one file.
pub(crate) enum Outcome {
    /// Its contents are in the store; `is_new` if they were put there for it.
    Copied { copy: Copy, is_new: bool },
    /// It cannot be had.
    Failed(Failure),
    /// Its host is left alone.
    GivenUp(Reason),
    /// It was not asked for any more.
    Stopped,
    /// No other file would fare better.
    Ended(SourceError),
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Worker(to {:?})", self.deposit)
    }
}

impl Worker {
    /// Copies a file.
    pub(crate) async fn copy(&self, wanted: Wanted, mut stopped: watch::Receiver<bool>) -> Done {
        let mut tries = 0;
        let got = {
            let get = self.get(&wanted, &mut tries);
            tokio::select! {
                biased;
                Ok(_) = stopped.wait_for(|stopped| *stopped) => Err(Outcome::Stopped),
                got = get => got,
            }
        };
        let outcome = match got {
            // From here on a stop waits: what has come is not fetched twice.
            Ok(fetched) => match self.put(&wanted, fetched).await {
                Ok((copy, is_new)) => Outcome::Copied { copy, is_new },
                Err(error) => Outcome::Ended(error),
            },
            Err(outcome) => outcome,
        };
        Done {
            wanted,
            tries,
            outcome,
        }
    }

    /// Asks for a file until it comes, or there is no hope.
    async fn get(&self, wanted: &Wanted, tries: &mut u32) -> Result<Fetched, Outcome> {
        let host = host(&wanted.url);
        if host == PATHS {
            return self.get_beside(wanted, tries).await;
        }
        loop {
            self.turn(&host).await?;
            *tries += 1;
            let failure = match self.fetcher.fetch(wanted).await {
                Ok(fetched) => {
                    self.hosts.gave(&host);
                    return Ok(fetched);
                }
                Err(Trouble::Ours(error)) => return Err(Outcome::Ended(error)),
                Err(Trouble::Failed(failure)) => failure,
            };
            let throttles = match failure.reason {
                Reason::Throttled => self.hosts.throttled(&host),
                _ => 0,
            };
            let chance = fastrand::f64();
            match self.patience.after(&failure, *tries, throttles, chance) {
                Step::Again(wait) => sleep(wait).await,
                Step::Hold(wait) => {
                    self.hosts.hold(&host, Instant::now() + wait);
                    // It was not the file's fault.
                    *tries -= 1;
                }
                Step::Fail => {
                    self.hosts.failed(&host, failure.reason);
                    return Err(Outcome::Failed(failure));
                }
            }
        }
    }

    async fn get_beside(&self, wanted: &Wanted, tries: &mut u32) -> Result<Fetched, Outcome> {
        *tries += 1;
        let Some(beside) = &self.beside else {
            let failure = Failure::new(Reason::NotFound, "paths begin nowhere");
            return Err(Outcome::Failed(failure));
        };
        let spool = self.spool.clone();
        match beside.fetch(&wanted.url, self.largest, spool).await {
            Ok(spooled) => Ok(Fetched {
                spooled,
                media_type: None,
            }),
            Err(Trouble::Ours(error)) => Err(Outcome::Ended(error)),
            Err(Trouble::Failed(failure)) => Err(Outcome::Failed(failure)),
        }
    }

    /// Waits until a host may be asked, unless it is left alone.
    async fn turn(&self, host: &str) -> Result<(), Outcome> {
        loop {
            if let Some(reason) = self.hosts.given_up(host) {
                return Err(Outcome::GivenUp(reason));
            }
            match self.hosts.turn(host, Instant::now()) {
                Ok(turn) => {
                    if turn > Instant::now() {
                        sleep_until(turn).await;
                    }
                    return Ok(());
                }
                // Not all at once when it is over.
                Err(until) => {
                    let apart = Duration::from_millis(20).mul_f64(fastrand::f64());
                    sleep_until(until + apart).await;
                }
            }
        }
    }

    /// Puts a file into the store, unless its contents are there; gives whether they were not.
    async fn put(&self, wanted: &Wanted, fetched: Fetched) -> Result<(Copy, bool), SourceError> {
        let sha256 = fetched.spooled.sha256;
        // Of those who have the same contents, one puts them there, and the others find them.
        let claim = {
            let mut claims = self.claims.lock().expect("no holder of this lock panics");
            Arc::clone(claims.entry(sha256).or_default())
        };
        let held = claim.lock().await;
        let put = self.put_claimed(wanted, fetched).await;
        drop(held);
        let mut claims = self.claims.lock().expect("no holder of this lock panics");
        claims.remove(&sha256);
        put
    }

    async fn put_claimed(
        &self,
        wanted: &Wanted,
        fetched: Fetched,
    ) -> Result<(Copy, bool), SourceError> {
        let Fetched {
            spooled,
            media_type,
        } = fetched;
        let (sha256, bytes) = (spooled.sha256, spooled.bytes);
        let before = {
            let endings = self.endings.lock().expect("no holder of this lock panics");
            endings.get(&sha256).cloned()
        };
        let is_known = before.is_some();
        let ending = before.unwrap_or_else(|| wanted.ending.to_string());
        let media_type =
            name::media_type(wanted.media_type.as_deref(), media_type.as_deref(), &ending);
        let copy = Copy {
            sha256,
            ending,
            bytes,
            media_type,
        };
        if is_known {
            return Ok((copy, false));
        }
        let name = name::of(&sha256, &copy.ending);
        let is_new = self.deposit.size(&name).await? != Some(bytes);
        if is_new {
            let served = Served {
                is_download: name::is_active(copy.media_type.as_deref(), &copy.ending),
                media_type: copy.media_type.clone(),
            };
            let mut contents = spooled.into_contents();
            self.deposit.put(&name, &mut *contents, &served).await?;
        }
        let mut endings = self.endings.lock().expect("no holder of this lock panics");
        endings.insert(sha256, copy.ending.clone());
        Ok((copy, is_new))
    }
}
