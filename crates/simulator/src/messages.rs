//! How messages are stored: the texts in a file, and in memory only what later ones are judged by.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;

use chatferry_keys::SpillingKeys;

use crate::archive::Archive;
use crate::failure::Failure;
use crate::index::{Entry, MadeBy};
use crate::response::{Object, write_json, write_number};
use crate::rules::{Message, ReceiverType};
use crate::settings::Keep;
use crate::shelf::{ByHash, hash};
use crate::switches::{AttachmentUrl, Switches};

/// The messages.
pub(crate) struct Messages {
    muids: SpillingKeys,
    /// The greatest `sentAt` in each conversation.
    newest: ByHash<i64>,
    /// Conversations that have lost their newest message, by hash.
    stale: HashSet<u64>,
    order_violations: u64,
    /// The last number that was given.
    given: u64,
    /// The messages' texts, unless only ids are kept.
    pub(crate) archive: Option<Archive>,
    /// The record being written; kept for its memory.
    record: Vec<u8>,
}

/// A muid that no message has, as a hash.
pub(crate) struct UnusedMuid(u64);

impl Messages {
    pub(crate) fn new(keep: Keep) -> io::Result<Self> {
        let archive = match keep {
            Keep::Everything => Some(Archive::new()?),
            Keep::Ids => None,
        };
        Ok(Self {
            muids: SpillingKeys::new(None),
            newest: ByHash::default(),
            stale: HashSet::new(),
            order_violations: 0,
            given: 0,
            archive,
            record: Vec::new(),
        })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.muids.len()
    }

    /// How many were stored after a newer one of their conversation.
    pub(crate) fn order_violations(&self) -> u64 {
        self.order_violations
    }

    /// Whether no message has this muid.
    pub(crate) fn unused(&mut self, muid: &str) -> Result<UnusedMuid, Failure> {
        let hash = hash(muid.as_bytes());
        if self
            .muids
            .contains(hash)
            .map_err(|error| unusable(&error))?
        {
            return Err(Failure::new(
                "ERR_IMPORT_MUID_ALREADY_EXISTS",
                format!("The muid {muid} already exists, please use a different muid."),
            ));
        }
        Ok(UnusedMuid(hash))
    }

    /// Stores a message between these two, writes its entity to `out` and tells its number.
    pub(crate) fn add(
        &mut self,
        UnusedMuid(muid): UnusedMuid,
        message: &Message<'_>,
        (sender, receiver): (&[u8], &[u8]),
        switches: &Switches,
        out: &mut Vec<u8>,
    ) -> Result<u64, Failure> {
        let conversation = conversation(message);
        let lane = hash(conversation.as_bytes());
        let id = self.given + 1;
        let payload = payload(message, switches);
        if let Some(archive) = &mut self.archive {
            self.record.clear();
            write_message(&mut self.record, message, id, &conversation, |out| {
                write_json(out, &payload);
            });
            archive
                .add(&self.record, MadeBy::Import, message.sent_at, lane)
                .map_err(|error| unusable(&error))?;
        }
        self.given = id;
        write_message(out, message, id, &conversation, |out| {
            // Everything but the brace at the end.
            let open = payload.trim_end().strip_suffix('}').unwrap_or(&payload);
            write_json(out, open);
            let mut data = Object::resume(out);
            let kind = match message.receiver_type {
                ReceiverType::User => "user",
                ReceiverType::Group => "group",
            };
            let mut entities = Object::open(data.field("entities"));
            write_party(entities.field("sender"), sender, "user", None);
            write_party(
                entities.field("receiver"),
                receiver,
                kind,
                Some(&conversation),
            );
            entities.close();
            data.close();
        });
        self.muids.insert(muid).map_err(|error| unusable(&error))?;
        self.find_newest(lane).map_err(|error| unusable(&error))?;
        let newest = self.newest.entry(lane).or_insert(message.sent_at);
        if message.sent_at < *newest {
            self.order_violations += 1;
        }
        *newest = message.sent_at.max(*newest);
        Ok(id)
    }

    /// Finds the newest message of every conversation that has lost its own, if `lane` is one.
    fn find_newest(&mut self, lane: u64) -> io::Result<()> {
        if !self.stale.contains(&lane) {
            return Ok(());
        }
        let Some(archive) = &mut self.archive else {
            return Ok(());
        };
        let stale = std::mem::take(&mut self.stale);
        self.newest.retain(|lane, _| !stale.contains(lane));
        let mut from = 1;
        loop {
            let entries = archive.index.read(from, ENTRIES)?;
            let Some((last, _)) = entries.last() else {
                return Ok(());
            };
            // The one that was just added is judged by those before it.
            let earlier = |number: &u64| *number < self.given;
            for (_, entry) in entries.iter().filter(|(number, entry)| {
                entry.is_imported() && stale.contains(&entry.conversation) && earlier(number)
            }) {
                let newest = self
                    .newest
                    .entry(entry.conversation)
                    .or_insert(entry.sent_at);
                *newest = entry.sent_at.max(*newest);
            }
            from = last + 1;
        }
    }

    /// What is known of a message that is there, whoever made it.
    pub(crate) fn entry(&mut self, number: u64) -> io::Result<Option<Entry>> {
        match &mut self.archive {
            Some(archive) => Ok(archive.index.get(number)?.filter(|entry| entry.len > 0)),
            None => Ok(None),
        }
    }

    /// Adds a message of the service's own, which `write` writes for the number it is given.
    pub(crate) fn tell(
        &mut self,
        conversation: &str,
        now: i64,
        write: impl FnOnce(u64, &mut Vec<u8>),
    ) -> io::Result<Vec<u8>> {
        let mut record = Vec::new();
        write(self.given + 1, &mut record);
        if let Some(archive) = &mut self.archive {
            let lane = hash(conversation.as_bytes());
            archive.add(&record, MadeBy::Service, now, lane)?;
        }
        self.given += 1;
        Ok(record)
    }

    /// Takes a message away for good. Its muid may be used again.
    pub(crate) fn remove(
        &mut self,
        number: u64,
        entry: Entry,
        muid: Option<&str>,
    ) -> io::Result<()> {
        if let Some(archive) = &mut self.archive {
            archive.remove(number, entry)?;
        }
        if let Some(muid) = muid {
            self.muids.remove(hash(muid.as_bytes()))?;
            if self.newest.get(&entry.conversation) == Some(&entry.sent_at) {
                self.stale.insert(entry.conversation);
            }
        }
        Ok(())
    }
}

/// Entries looked at together.
const ENTRIES: u64 = 10_000;

/// The temporary file of messages cannot be used.
pub(crate) fn unusable(error: &io::Error) -> Failure {
    tracing::error!(%error, "cannot use the temporary file of messages");
    let text = "The operation failed, please try again.";
    Failure::new("ERR_OPERATION_FAILED", text)
}

/// The conversation a message belongs to: two users share one, whoever of them sends.
fn conversation(message: &Message<'_>) -> String {
    let (sender, receiver) = (&*message.sender, &*message.receiver);
    match message.receiver_type {
        ReceiverType::Group => format!("group_{receiver}"),
        ReceiverType::User if sender <= receiver => format!("{sender}_user_{receiver}"),
        ReceiverType::User => format!("{receiver}_user_{sender}"),
    }
}

/// The payload as it is stored, which is nearly always as it was sent.
fn payload<'a>(message: &Message<'a>, switches: &Switches) -> Cow<'a, str> {
    let data = &message.data;
    let moved = data.has_attachments && switches.attachment_url == AttachmentUrl::Rewrite;
    if !data.has_entities && !moved {
        return data.raw.get().into();
    }
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(data.raw.get()) else {
        return data.raw.get().into();
    };
    if let Some(object) = value.as_object_mut() {
        object.remove("entities");
    }
    if moved {
        let attachments = value["attachments"].as_array_mut().into_iter().flatten();
        for url in attachments.filter_map(|attachment| attachment.get_mut("url")) {
            let name = url
                .as_str()
                .and_then(|url| url.rsplit('/').next())
                .unwrap_or_default();
            *url = format!("https://files.simulator.invalid/{name}").into();
        }
    }
    value.to_string().into()
}

fn write_message(
    out: &mut Vec<u8>,
    message: &Message<'_>,
    id: u64,
    conversation: &str,
    data: impl FnOnce(&mut Vec<u8>),
) {
    let receiver_type = match message.receiver_type {
        ReceiverType::User => "user",
        ReceiverType::Group => "group",
    };
    let mut entity = Object::open(out);
    let quoted = entity.field("id");
    quoted.push(b'"');
    write_number(quoted, i64::try_from(id).unwrap_or(i64::MAX));
    quoted.push(b'"');
    entity.json("muid", &message.muid.json);
    entity.plain("conversationId", conversation);
    entity.plain("sender", &message.sender);
    entity.plain("receiverType", receiver_type);
    entity.plain("receiver", &message.receiver);
    entity.plain("category", message.category);
    entity.json("type", &message.kind);
    data(entity.field("data"));
    entity.number("sentAt", message.sent_at);
    entity.number_if("deliveredAt", message.delivered_at);
    entity.number_if("readAt", message.read_at);
    entity.number("updatedAt", message.sent_at);
    entity.json_if("tags", message.tags.map(|tags| tags.get()));
    entity.close();
}

/// Writes the sender or receiver of a message, from its fields so far.
pub(crate) fn write_party(
    out: &mut Vec<u8>,
    fields: &[u8],
    kind: &str,
    conversation: Option<&str>,
) {
    let mut party = Object::open(out);
    let out = party.field("entity");
    out.extend_from_slice(fields);
    let mut entity = Object::resume(out);
    if let Some(conversation) = conversation {
        entity.plain("conversationId", conversation);
    }
    entity.close();
    party.plain("entityType", kind);
    party.close();
}
