//! Copies files, several at once, and writes down what became of each.

use std::fmt;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use chatferry_core::source::{SourceError, SourceErrorKind};
use chatferry_files::{Address, Deposit};
use chrono::Utc;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::account::{Account, Example};
use crate::beside::Beside;
use crate::fetch::Fetcher;
use crate::found::{PATHS, Summary, host};
use crate::hosts::Hosts;
use crate::map::{Map, MapError, StoreRow};
use crate::patience::Patience;
use crate::settings::Settings;
use crate::worker::{Done, Outcome, Worker};

/// How often it is shown how it comes along while nothing comes to its end.
const GLANCE: Duration = Duration::from_secs(1);

/// Copies files.
pub struct Copying {
    worker: Worker,
    /// Where paths begin, until the first one comes.
    root: (Address, Option<PathBuf>),
    at_once: usize,
    map: Map,
}

/// How it comes along.
#[derive(Clone, Debug)]
pub struct Look<'a> {
    /// What became of files so far; those that are still to come count as pending.
    pub account: &'a Account,
    /// Whom we wait for, and for how long, since they asked for it.
    pub held: Option<(String, Duration)>,
}

/// How it ended.
#[derive(Debug)]
pub enum Ended {
    /// Every file was copied, or has failed.
    Complete,
    /// Somebody asked to stop.
    Stopped,
    /// The store does not take files, or this machine cannot hold them.
    Store(SourceError),
    /// The map cannot be written.
    Map(MapError),
}

impl fmt::Debug for Copying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Copying({:?})", self.worker)
    }
}

impl Copying {
    /// Ready to copy. What is large waits in that folder on its way. Nobody is asked yet.
    ///
    /// # Errors
    ///
    /// When the store or the map cannot be used: the store when nobody says where it is, or what
    /// was copied before is in another one.
    pub async fn begin(
        settings: &Settings,
        mut map: Map,
        patience: Patience,
        spool: Option<PathBuf>,
    ) -> Result<Self, Ended> {
        let before = map.store().await.map_err(Ended::Map)?;
        let told = |what: &str, help: &str| {
            let kind = SourceErrorKind::Pipeline;
            Ended::Store(SourceError::new(kind, "copy files", what).help(help))
        };
        let Some(to) = &settings.to else {
            return Err(told(
                "nobody says where to",
                "name your store: --to s3://bucket/path, or `to` under [attachments]",
            ));
        };
        let public = settings.public_text();
        let public = public.or_else(|| before.as_ref().map(|it| it.public.clone()));
        let Some(public) = public else {
            return Err(told(
                "nobody says under which URL the files in the store are seen",
                "CometChat and its users fetch them from there: --public https://cdn.example.com/chat, \
                 or `public` under [attachments]; for a public bucket it is \
                 https://BUCKET.s3.REGION.amazonaws.com/PATH, https://storage.googleapis.com/BUCKET/PATH \
                 or https://ACCOUNT.blob.core.windows.net/CONTAINER/PATH",
            ));
        };
        let place = to.written().to_owned();
        if let Some(before) = before.filter(|before| before.place != place) {
            return Err(told(
                &format!(
                    "what was copied before is in {}, and not in {place}",
                    before.place
                ),
                "name the same store again; or, to copy everything anew, move the map of attachments \
                 away that is beside the ledger",
            ));
        }
        let deposit = Deposit::open(to).map_err(Ended::Store)?;
        let fetcher = Fetcher::new(settings, spool.clone()).map_err(Ended::Store)?;
        map.set_store(&StoreRow { place, public })
            .await
            .map_err(Ended::Map)?;
        let endings = map.endings().await.map_err(Ended::Map)?;
        Ok(Self {
            worker: Worker {
                deposit,
                fetcher,
                beside: None,
                hosts: Hosts::new(patience, settings.per_second, Instant::now()),
                patience,
                largest: settings.largest,
                spool,
                endings: endings.into(),
                claims: Mutex::default(),
            },
            root: settings.root.clone(),
            at_once: settings.at_once.get(),
            map,
        })
    }

    /// Copies all that was found. When it is asked to stop, or cannot go on, what has come whole by
    /// then is still put into the store and written down.
    pub async fn go(
        mut self,
        found: Summary,
        mut stopped: watch::Receiver<bool>,
        show: &mut (dyn FnMut(&Look<'_>) + Send),
    ) -> (Account, Ended) {
        let wanted = found.wanted.len() as u64;
        let mut account = Account {
            found: found.there + found.kept + wanted,
            there: found.there,
            kept: found.kept,
            pending: wanted,
            ..Account::default()
        };
        if found.wanted.iter().any(|wanted| host(&wanted.url) == PATHS) {
            let (address, folder) = self.root;
            match Beside::open(address, folder).await {
                Ok(beside) => self.worker.beside = Some(beside),
                Err(error) => return (account, Ended::Store(error)),
            }
        }
        let (worker, mut map) = (self.worker, self.map);
        let mut ended = Ended::Complete;
        let mut queue = found.wanted.into_iter();
        let mut under_way = FuturesUnordered::new();
        let mut glance = tokio::time::interval(GLANCE);
        // Whoever waits for a host waits no longer than anything can come of it.
        let (halt, halted) = watch::channel(false);
        loop {
            while matches!(ended, Ended::Complete)
                && under_way.len() < self.at_once
                && let Some(wanted) = queue.next()
            {
                under_way.push(worker.copy(wanted, halted.clone()));
            }
            tokio::select! {
                done = under_way.next() => match done {
                    None => break,
                    Some(done) => {
                        let noted = note(&mut account, &mut map, done).await;
                        // What ended it first is what is told.
                        if let (Ended::Complete, Some(why)) = (&ended, noted) {
                            ended = why;
                            halt.send_replace(true);
                        }
                    }
                },
                Ok(_) = stopped.wait_for(|stopped| *stopped), if !*halted.borrow() => {
                    halt.send_replace(true);
                }
                _ = glance.tick() => {}
            }
            show(&Look {
                account: &account,
                held: worker.hosts.held_for(Instant::now()),
            });
        }
        drop(under_way);
        match map.close().await {
            Err(error) if matches!(ended, Ended::Complete | Ended::Stopped) => {
                (account, Ended::Map(error))
            }
            _ => (account, ended),
        }
    }
}

/// Counts a file and writes down what became of it; gives why it cannot go on, if so.
async fn note(account: &mut Account, map: &mut Map, done: Done) -> Option<Ended> {
    let Done {
        wanted,
        tries,
        outcome,
    } = done;
    let now = Utc::now().timestamp_millis();
    let example = |detail: &str| Example {
        shown: wanted.shown(),
        detail: detail.to_owned(),
    };
    let written = match outcome {
        Outcome::Stopped => return Some(Ended::Stopped),
        Outcome::Ended(error) => return Some(Ended::Store(error)),
        Outcome::Copied { copy, is_new } => {
            let written = map.keep(&wanted.url, &copy, tries, now).await;
            if written.is_ok() && is_new {
                account.copied += 1;
                account.bytes += copy.bytes;
            } else if written.is_ok() {
                account.same += 1;
            }
            written
        }
        Outcome::Failed(failure) => {
            let failed = account.failed.entry(failure.reason).or_default();
            failed.add(|| example(&failure.detail));
            map.note_failure(&wanted.url, &failure, tries, now).await
        }
        Outcome::GivenUp(reason) => {
            let given_up = account.given_up.entry(reason).or_default();
            given_up.add(|| example("not asked for"));
            Ok(())
        }
    };
    match written {
        Ok(()) => {
            account.pending -= 1;
            None
        }
        Err(error) => Some(Ended::Map(error)),
    }
}
