//! What is there is read: list after list, and what was missing once more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chatferry_core::{Cursor, Entity, Item, Page};
use chatferry_ledger::{Listing, Missing, Read};
use futures::FutureExt;
use twox_hash::XxHash3_64;

use super::judge::judge;
use super::{End, Working};
use crate::errands::{Asked, Errands, Halt};
use crate::run::Ended;

/// The first wait before what is missing is asked for again; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// So many asked for one after the other and none of them there: the rest is missing too, and
/// nobody waits for a million answers that say so.
const IN_VAIN: u32 = 200;
/// Lists that are read again at most when something in them is missing.
const LISTS_AGAIN: usize = 200;
/// Lists or missing records looked up together.
const AHEAD: usize = 64;
/// Things found that are judged together.
const TOGETHER: usize = 50;

/// Empty pages one after the other that a list may have before it is taken for ended.
const EMPTY_PAGES: u32 = 8;

/// A list that is being read.
#[derive(Clone, Debug)]
struct Reading {
    listing: Listing,
    /// How many of its last pages were empty.
    empty_pages: u32,
}

impl Working<'_> {
    /// Reads every list of an entity that was not read to its end.
    pub(super) async fn read(&mut self, entity: Entity) -> Result<(), End> {
        let inspection = Arc::clone(&self.inspection);
        let mut errands: Errands<Reading, Page> = Errands::new(
            self.inspection.pace(),
            self.stopped.clone(),
            move |permit, reading: Reading| {
                let inspection = Arc::clone(&inspection);
                async move {
                    let listing = reading.listing;
                    let (within, from) = (listing.within.as_deref(), listing.cursor.map(Cursor));
                    inspection.list(permit, entity, within, from.as_ref()).await
                }
                .boxed()
            },
        );
        let done = self.read_all(entity, &mut errands).await;
        self.count(errands.asked);
        done
    }

    async fn read_all(
        &mut self,
        entity: Entity,
        errands: &mut Errands<Reading, Page>,
    ) -> Result<(), End> {
        let (mut last, mut items) = (0, 0);
        let mut unread: VecDeque<Listing> = VecDeque::new();
        loop {
            while errands.has_room() {
                if unread.is_empty() {
                    unread.extend(self.reconciliation.unread(entity, last, AHEAD).await?);
                }
                let Some(listing) = unread.pop_front() else {
                    break;
                };
                last = listing.number;
                errands.push(Reading {
                    listing,
                    empty_pages: 0,
                });
            }
            let next = errands.next().await;
            self.tell(&mut errands.trouble);
            let Some((reading, page)) = next? else {
                return Ok(());
            };
            let page = page.map_err(|what| End::from(Halt::Silent { what }))?;
            items += page.items.len() as u64;
            if let Some(reading) = self.take(entity, reading, page).await? {
                errands.push(reading);
            }
            self.watcher.doing("reading back", entity, items, None);
        }
    }

    /// Takes a page in, and says where its list goes on.
    async fn take(
        &mut self,
        entity: Entity,
        reading: Reading,
        page: Page,
    ) -> Result<Option<Reading>, End> {
        let Reading {
            listing,
            empty_pages,
        } = reading;
        let empty_pages = match page.items.is_empty() {
            true => empty_pages + 1,
            false => 0,
        };
        let mut marks = Vec::new();
        if let Some(next) = &page.next {
            marks.push(XxHash3_64::oneshot_with_seed(1, next.0.as_bytes()));
            if empty_pages == 0 {
                marks.push(fingerprint(&page.items));
            }
        }
        // A page that comes again, or leads back, brings nothing new.
        let again =
            !marks.is_empty() && self.reconciliation.visited(listing.number, &marks).await?;
        let goes_on = !again && empty_pages < EMPTY_PAGES;
        let next = page.next.filter(|_| goes_on).map(|next| next.0);
        let findings = self.judge(entity, &page.items).await?;
        let read = Read {
            listing: listing.number,
            next: next.clone(),
            marks,
        };
        self.reconciliation
            .found(entity, &findings, Some(&read))
            .await?;
        Ok(next.map(|next| Reading {
            listing: Listing {
                cursor: Some(next),
                ..listing
            },
            empty_pages,
        }))
    }

    async fn judge(
        &mut self,
        entity: Entity,
        items: &[Item],
    ) -> Result<chatferry_ledger::Findings, End> {
        let inspection = Arc::clone(&self.inspection);
        Ok(judge(inspection.as_ref(), &mut self.reconciliation, entity, items).await?)
    }

    /// Asks for what is missing, at once and then again for as long as there is patience.
    pub(super) async fn ask_again(&mut self) -> Result<(), End> {
        let (mut waited, mut wait) = (Duration::ZERO, Duration::ZERO);
        loop {
            let missing = self.reconciliation.gather_missing().await?;
            if missing.is_empty() || waited + wait > self.patience {
                return Ok(());
            }
            tokio::select! {
                biased;
                Ok(_) = self.stopped.wait_for(|stopped| *stopped) => {
                    return Err(End::Because(Ended::Stopped));
                }
                () = tokio::time::sleep(wait) => {}
            }
            waited += wait;
            wait = (wait * 2).max(FIRST_WAIT);
            for (entity, count) in missing {
                self.watcher
                    .doing("asking again for missing", entity, 0, Some(count));
                if self.inspection.listed_in(entity).is_some() {
                    self.reconciliation.read_again(entity, LISTS_AGAIN).await?;
                    self.read(entity).await?;
                } else {
                    self.find_missing(entity).await?;
                }
            }
        }
    }

    /// Asks for what is missing of an entity one by one, the latest first.
    async fn find_missing(&mut self, entity: Entity) -> Result<(), End> {
        let inspection = Arc::clone(&self.inspection);
        let numbered = self.inspection.is_numbered(entity);
        let mut errands: Errands<Missing, Option<Item>> = Errands::new(
            self.inspection.pace(),
            self.stopped.clone(),
            move |permit, missing: Missing| {
                let inspection = Arc::clone(&inspection);
                async move {
                    let id = match numbered {
                        true => missing.number.unwrap_or_default(),
                        false => missing.id,
                    };
                    inspection.find(permit, entity, &id).await
                }
                .boxed()
            },
        );
        let done = self.find_all(entity, numbered, &mut errands).await;
        self.count(errands.asked);
        done
    }

    async fn find_all(
        &mut self,
        entity: Entity,
        numbered: bool,
        errands: &mut Errands<Missing, Option<Item>>,
    ) -> Result<(), End> {
        let (mut before, mut in_vain) = (i64::MAX, 0);
        let mut missing: VecDeque<Missing> = VecDeque::new();
        let mut found = Vec::new();
        loop {
            while errands.has_room() && in_vain < IN_VAIN {
                if missing.is_empty() {
                    missing.extend(self.reconciliation.missing(entity, before, AHEAD).await?);
                }
                let Some(one) = missing.pop_front() else {
                    break;
                };
                before = one.record;
                if !numbered || one.number.is_some() {
                    errands.push(one);
                }
            }
            let next = errands.next().await;
            self.tell(&mut errands.trouble);
            let answer = match next {
                Ok(Some((_, answer))) => answer,
                end => {
                    self.found(entity, &mut found).await?;
                    end?;
                    return Ok(());
                }
            };
            match answer.map_err(|what| End::from(Halt::Silent { what }))? {
                Some(item) => {
                    in_vain = 0;
                    found.push(item);
                }
                None => in_vain += 1,
            }
            if found.len() >= TOGETHER {
                self.found(entity, &mut found).await?;
            }
        }
    }

    async fn found(&mut self, entity: Entity, items: &mut Vec<Item>) -> Result<(), End> {
        if !items.is_empty() {
            let findings = self.judge(entity, items).await?;
            self.reconciliation.found(entity, &findings, None).await?;
            items.clear();
        }
        Ok(())
    }

    fn tell(&mut self, trouble: &mut Option<String>) {
        if let Some(what) = trouble.take() {
            tracing::debug!(what, "request failed");
            self.watcher.trouble(&what);
        }
    }

    fn count(&mut self, asked: Asked) {
        self.asked.sent += asked.sent;
        self.asked.throttled += asked.throttled;
        self.asked.failed += asked.failed;
    }
}

/// By what a page is known when it comes again.
fn fingerprint(items: &[Item]) -> u64 {
    let mut words = String::new();
    for item in items {
        words.push_str(item.id.as_ref().map_or("", |id| id.as_str()));
        words.push('\u{1f}');
        words.push_str(item.number.as_deref().unwrap_or_default());
        words.push('\u{1e}');
    }
    XxHash3_64::oneshot(words.as_bytes())
}
