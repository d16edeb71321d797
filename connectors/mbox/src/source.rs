//! The source: its tables, what they have, and their rows.

use std::ops::ControlFlow;
use std::sync::Arc;

use chatferry_core::shaped::RejectedRow;
use chatferry_core::source::{Batch, Rows, Scan, Source, SourceError, SourceSettings, Table};
use chatferry_core::{Order, Place};
use chatferry_files::{Consumer, FileSource, Format, Found, Gone, Inquiry, Listing, Root};
use chatferry_files::{changed, refused};

use crate::columns::{batch, schema};
use crate::mailbox::{At, Mailbox};
use crate::message::Message;
use crate::settings::{MboxSettings, Options, TableSettings};

/// Endings of the files that are tables by themselves.
const ENDINGS: [&str; 2] = [".mbox", ".mbx"];
/// Bytes of messages that a batch is made of, even when it could have more rows.
const BATCH_BYTES: usize = 4 << 20;
/// Rejected rows that a batch holds.
const BATCH_REJECTED: usize = 1024;

/// Mailboxes as tables.
struct Mbox;

/// A table as it was found.
struct Described {
    table: Arc<Table>,
    listing: Listing,
}

impl SourceSettings for MboxSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let common = self.common.clone();
        let alone = move |template| Options::default().table(template, &common);
        let source = FileSource::<Mbox>::open(self.tables.clone(), &self.root, &ENDINGS, alone)?;
        Ok(Arc::new(source))
    }
}

impl Format for Mbox {
    type Settings = TableSettings;
    type Described = Described;

    fn describe(
        name: &str,
        root: &Root,
        settings: &TableSettings,
        _: &Inquiry<'_>,
    ) -> Result<Described, SourceError> {
        let listing = root.list(&settings.template)?;
        // All mailboxes have the same columns, so it is enough to see that this is one.
        let first = listing.files.first().expect("a listing has files");
        open(first, root.opener()?.open(first)?, settings)?;
        let table = Table {
            name: name.to_owned(),
            schema: schema(settings.template.columns()),
            orders: Vec::<Order>::new(),
            can_order: Vec::new(),
            rows: Rows::Unknown,
            notes: Vec::new(),
        };
        Ok(Described {
            table: Arc::new(table),
            listing,
        })
    }

    fn table(described: &Described) -> &Arc<Table> {
        &described.table
    }

    fn read(
        root: &Root,
        settings: &TableSettings,
        described: &Described,
        scan: &Scan,
        consumer: &Consumer,
    ) -> Result<ControlFlow<Gone>, SourceError> {
        let listing = root.list(&settings.template).ok();
        let same = scan.table.schema == described.table.schema;
        if !same || listing.as_ref() != Some(&described.listing) {
            return Err(changed(settings.template.written()));
        }
        let mut opener = root.opener()?;
        for file in &described.listing.files {
            let mut mailbox = open(file, opener.open(file)?, settings)?;
            let mut rows = Waiting::of(scan, file, consumer);
            loop {
                let at = mailbox.at;
                let letter = match mailbox.next() {
                    Ok(Some(letter)) => letter,
                    Ok(None) => break,
                    Err(error) => {
                        // What came before it can be read.
                        if rows.give().is_break() {
                            return Ok(ControlFlow::Break(Gone));
                        }
                        return Err(file.broken(error, place(file, at)).error);
                    }
                };
                if rows.take(letter.bytes, letter.at).is_break() {
                    return Ok(ControlFlow::Break(Gone));
                }
            }
            if rows.give().is_break() {
                return Ok(ControlFlow::Break(Gone));
            }
            if file.has_changed() {
                return Err(changed(&file.name));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// The mailbox in a file.
fn open<R: std::io::Read>(
    file: &Found,
    input: R,
    settings: &TableSettings,
) -> Result<Mailbox<R>, SourceError> {
    let beginning = At { line: 1, byte: 0 };
    let mailbox = Mailbox::open(input, settings.max_message);
    let mailbox = mailbox.map_err(|error| file.broken(error, place(file, beginning)).error)?;
    mailbox.ok_or_else(|| {
        refused(
            &file.name,
            "it does not begin with `From `, as a mailbox does",
        )
        .help("check that `path` names files in the mbox format")
    })
}

/// Messages of one file that were read and not yet given.
struct Waiting<'s> {
    scan: &'s Scan,
    file: &'s Found,
    consumer: &'s Consumer,
    messages: Vec<Message>,
    rejected: Vec<RejectedRow>,
    bytes: usize,
}

impl<'s> Waiting<'s> {
    fn of(scan: &'s Scan, file: &'s Found, consumer: &'s Consumer) -> Self {
        Self {
            scan,
            file,
            consumer,
            messages: Vec::new(),
            rejected: Vec::new(),
            bytes: 0,
        }
    }

    fn take(&mut self, letter: Option<&[u8]>, at: At) -> ControlFlow<Gone> {
        let read = match letter {
            Some(bytes) => Message::read(bytes).map_err(|why| ("malformed", why)),
            None => Err(("too-long", "it is longer than `max_message`".to_owned())),
        };
        match read {
            Ok(message) => self.messages.push(message),
            Err((rule, detail)) => self.rejected.push(RejectedRow {
                rule: rule.into(),
                detail,
                id: None,
                place: Some(place(self.file, at)),
            }),
        }
        self.bytes += letter.map_or(0, <[u8]>::len);
        let full = self.messages.len() >= self.scan.rows_per_batch.max(1)
            || self.rejected.len() >= BATCH_REJECTED
            || self.bytes >= BATCH_BYTES;
        match full {
            true => self.give(),
            false => ControlFlow::Continue(()),
        }
    }

    /// Gives what there is.
    fn give(&mut self) -> ControlFlow<Gone> {
        if self.messages.is_empty() && self.rejected.is_empty() {
            return ControlFlow::Continue(());
        }
        let rows = batch(self.scan, &self.messages, &self.file.parts);
        self.messages.clear();
        self.bytes = 0;
        self.consumer.give(Batch {
            rows,
            rejected: std::mem::take(&mut self.rejected),
        })
    }
}

fn place(file: &Found, at: At) -> Place {
    Place {
        file: Arc::clone(&file.name),
        line: Some(at.line),
        byte: Some(at.byte),
    }
}
