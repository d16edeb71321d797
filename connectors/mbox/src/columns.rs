//! The columns of a table, and the batches that are made of messages.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use arrow::array::{TimestampSecondArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chatferry_core::source::Scan;

use crate::message::Message;

/// The columns of every mailbox.
pub(crate) const COLUMNS: [&str; 11] = [
    "id",
    "in_reply_to",
    "thread",
    "date",
    "sent_at",
    "from_name",
    "from_address",
    "to",
    "subject",
    "text",
    "html",
];
/// The zone of times.
const ZONE: &str = "UTC";

/// The columns of a mailbox, and those that its path makes.
pub(crate) fn schema(placeholders: &[String]) -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Second, Some(ZONE.into()));
    let own = COLUMNS.iter().map(|name| match *name {
        "sent_at" => Field::new(*name, time.clone(), true),
        name => Field::new(name, DataType::Utf8, true),
    });
    let of_path = placeholders.iter();
    let of_path = of_path.map(|name| Field::new(name, DataType::Utf8, false));
    Arc::new(Schema::new(own.chain(of_path).collect::<Vec<_>>()))
}

/// The wanted columns of some messages of one file, whose path says these parts.
pub(crate) fn batch(scan: &Scan, messages: &[Message], parts: &[String]) -> RecordBatch {
    let column = |column: &usize| match COLUMNS.get(*column) {
        Some(name) => own(name, messages),
        None => {
            let part = parts[*column - COLUMNS.len()].as_str();
            Arc::new(StringArray::from(vec![part; messages.len()]))
        }
    };
    let columns = scan.columns.iter().map(column).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(messages.len()));
    RecordBatch::try_new_with_options(scan.schema(), columns, &options)
        .expect("the columns are those of the schema")
}

fn own(name: &str, messages: &[Message]) -> ArrayRef {
    let text = |value: fn(&Message) -> &Option<String>| -> ArrayRef {
        let values = messages.iter().map(|message| value(message).as_deref());
        Arc::new(values.collect::<StringArray>())
    };
    match name {
        "id" => text(|message| &message.id),
        "in_reply_to" => text(|message| &message.in_reply_to),
        "thread" => text(|message| &message.thread),
        "date" => text(|message| &message.date),
        "sent_at" => {
            let times = messages.iter().map(|message| message.sent_at);
            Arc::new(times.collect::<TimestampSecondArray>().with_timezone(ZONE))
        }
        "from_name" => text(|message| &message.from_name),
        "from_address" => text(|message| &message.from_address),
        "to" => text(|message| &message.to),
        "subject" => text(|message| &message.subject),
        "text" => text(|message| &message.text),
        "html" => text(|message| &message.html),
        _ => new_null_array(&DataType::Utf8, messages.len()),
    }
}
