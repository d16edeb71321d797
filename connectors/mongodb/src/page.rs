//! The documents behind an `_id`, and not too many.

use std::sync::{Arc, Mutex};

use chatferry_core::source::{SourceError, SourceErrorKind};
use mongodb::Collection;
use mongodb::bson::raw::{RawBsonRef, RawDocument, RawDocumentBuf};
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;

use crate::document;
use crate::key::{Kind, Position, any};
use crate::session::Session;
use crate::types::{Noted, Types};

/// Documents of the first page, of which nobody knows yet how long they are.
const FIRST_ROWS: usize = 100;
/// Documents of a page at most.
///
/// With more, a page of short ones takes longer to hand over than to read; with fewer, the way to
/// the server and back shows.
const MOST_ROWS: usize = 8_192;
/// Bytes that a page should have, roughly.
const PAGE_BYTES: u64 = 4 << 20;
/// Bytes after which a page ends, however many documents it was to have.
const WORST_BYTES: usize = 32 << 20;

/// What is read of a collection.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) session: Session,
    pub(crate) collection: Collection<RawDocumentBuf>,
    /// What holds for all documents that are read.
    pub(crate) conditions: Vec<Document>,
    /// The fields that are wanted; all, if nothing is said.
    pub(crate) fields: Option<Document>,
    /// Documents of a page at most, if fewer are wanted than a page has.
    pub(crate) rows: Option<usize>,
    /// The types that every `_id` must be of, where an order was promised.
    pub(crate) ids: Option<Types>,
    /// Where the types of fields are noted.
    pub(crate) noted: Option<Arc<Mutex<Noted>>>,
}

/// All pages of a collection, one after the other.
pub(crate) struct Pages {
    reading: Reading,
    position: Position,
    /// What was read so far.
    documents: u64,
    bytes: u64,
}

/// One page as text, and how it ends.
struct Page {
    text: Vec<u8>,
    documents: u64,
    last: Option<Bson>,
    is_last: bool,
    noted: Noted,
    ids: Types,
    kinds: Vec<Option<Kind>>,
}

impl Pages {
    /// The pages of this, from the beginning.
    pub(crate) fn of(reading: Reading) -> Self {
        Self {
            reading,
            position: Position::BEGINNING,
            documents: 0,
            bytes: 0,
        }
    }

    /// The next page, with a document in each line; `None` behind the last one.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached for too long, or refuses to answer.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, SourceError> {
        loop {
            match self.position.clone() {
                Position::End => return Ok(None),
                Position::Before(kind) => {
                    let found = self.first_of(kind.onwards()).await?;
                    self.position =
                        found.map_or(Position::End, |kind| Position::Within(kind, None));
                }
                Position::Within(kind, last) => {
                    let page = self.page(kind, last.as_ref()).await?;
                    self.position = match page.is_last {
                        true => Position::behind(kind),
                        false => Position::Within(kind, page.last.or(last)),
                    };
                    self.documents += page.documents;
                    self.bytes += page.text.len() as u64;
                    if let Some(noted) = &self.reading.noted {
                        let mut all = noted.lock().expect("no holder of this lock panics");
                        all.append(page.noted);
                    }
                    if page.documents > 0 {
                        return Ok(Some(page.text));
                    }
                }
            }
        }
    }

    /// The first of these kinds that an `_id` is of.
    ///
    /// What is asked for is any document of them, since servers that are like MongoDB do not all
    /// have its order of kinds.
    async fn first_of(&self, kinds: &[Kind]) -> Result<Option<Kind>, SourceError> {
        let (mut kinds, mut found) = (kinds, None);
        let doing = self.doing();
        while !kinds.is_empty() {
            let reading = &self.reading;
            let document = reading.session.patiently(&doing, || async {
                let find = reading.collection.find_one(any(kinds));
                let find = find.projection(doc! {"_id": 1});
                find.max_time(reading.session.statement_timeout).await
            });
            let Some(document) = document.await? else {
                break;
            };
            let id = document.get("_id").ok().flatten();
            let kind = id.and_then(Kind::of).ok_or_else(|| self.odd_id())?;
            let before = kinds.iter().position(|one| *one == kind);
            let before = before.ok_or_else(|| self.odd_answer())?;
            found = Some(kind);
            kinds = &kinds[..before];
        }
        Ok(found)
    }

    async fn page(&self, kind: Kind, last: Option<&Bson>) -> Result<Page, SourceError> {
        let rows = self.rows();
        let bound = match last {
            Some(last) => doc! {"_id": {"$gt": last.clone()}},
            None => kind.all(),
        };
        let read = || self.reading.read(&bound, rows);
        let page = self.reading.session.patiently(&self.doing(), read).await?;
        if page.kinds.iter().any(|found| *found != Some(kind)) {
            return Err(self.odd_answer());
        }
        match self.reading.ids {
            Some(ids) if page.documents > 0 && !page.ids.are(ids) => {
                let reason = "there are values of `_id` of a type that was not there before";
                Err(
                    SourceError::new(SourceErrorKind::Changed, self.doing(), reason)
                        .help("run the command again"),
                )
            }
            _ => Ok(page),
        }
    }

    /// How many documents the next page should have.
    fn rows(&self) -> usize {
        let fitting = match self.documents {
            0 => FIRST_ROWS,
            documents => {
                let average = (self.bytes / documents).max(1);
                usize::try_from(PAGE_BYTES / average).unwrap_or(MOST_ROWS)
            }
        };
        let most = self.reading.rows.unwrap_or(MOST_ROWS);
        fitting.clamp(1, MOST_ROWS).min(most.max(1))
    }

    fn doing(&self) -> String {
        format!("read the collection {}", self.reading.collection.name())
    }

    fn odd_answer(&self) -> SourceError {
        let reason = "the server gives documents that it was not asked for";
        SourceError::new(SourceErrorKind::Malformed, self.doing(), reason).help(
            "it does not compare values of `_id` as MongoDB does; export this collection by \
             `mongoexport`, and read the file",
        )
    }

    fn odd_id(&self) -> SourceError {
        let reason = "a document has no `_id` by which it could be found again";
        SourceError::new(SourceErrorKind::Malformed, self.doing(), reason)
            .help("export this collection by `mongoexport`, and read the file")
    }
}

impl Reading {
    async fn read(&self, bound: &Document, rows: usize) -> Result<Page, Error> {
        let mut all = self.conditions.clone();
        all.push(bound.clone());
        let condition = match all.as_slice() {
            [only] => only.clone(),
            _ => doc! {"$and": all},
        };
        let limit = i64::try_from(rows).unwrap_or(i64::MAX);
        let find = self.collection.find(condition).sort(doc! {"_id": 1});
        let find = find.limit(limit).max_time(self.session.statement_timeout);
        // One more than are wanted: with as many, servers leave an empty cursor open.
        let find = find.batch_size(u32::try_from(rows).map_or(u32::MAX, |rows| rows + 1));
        let mut cursor = match &self.fields {
            Some(fields) => find.projection(fields.clone()).await?,
            None => find.await?,
        };
        let mut page = Page {
            text: Vec::new(),
            documents: 0,
            last: None,
            is_last: false,
            noted: Noted::default(),
            ids: Types::default(),
            kinds: Vec::new(),
        };
        let mut is_cut = false;
        while cursor.advance().await? {
            let found = cursor.current();
            let id = id(found)?;
            page.last = Some(Bson::try_from(id)?);
            let kind = Kind::of(id);
            if page.kinds.last() != Some(&kind) {
                page.kinds.push(kind);
            }
            page.ids = page.ids.with(Types::of(id.element_type()));
            document::write(found, &mut page.text)?;
            page.text.push(b'\n');
            page.documents += 1;
            if self.noted.is_some() {
                page.noted.note(found)?;
            }
            if page.text.len() > WORST_BYTES {
                is_cut = true;
                break;
            }
        }
        page.is_last = !is_cut && page.documents < rows as u64;
        Ok(page)
    }
}

fn id(document: &RawDocument) -> Result<RawBsonRef<'_>, Error> {
    let missing = || Error::custom("a document came without the `_id` that was asked for");
    document.get("_id")?.ok_or_else(missing)
}
