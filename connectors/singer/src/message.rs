//! One line of what a tap prints.

use jiter::{Jiter, JiterResult};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message<'l> {
    /// A record of a stream, as JSON.
    Record { stream: &'l [u8], record: &'l [u8] },
    /// What the records of a stream that follow look like.
    Schema { stream: &'l [u8], schema: &'l [u8] },
    /// Records that lie in files.
    Batch { stream: &'l [u8] },
    /// From where the tap, told of it, goes on after all that came before: as JSON.
    State { value: &'l [u8] },
    /// Something that brings no records: a version, what else there may be.
    Other,
    /// No message.
    None,
}

/// What a line says. Its names are given as they are written, between their quotation marks.
pub(crate) fn read(line: &[u8]) -> Message<'_> {
    message(line).unwrap_or(Message::None)
}

fn message(line: &[u8]) -> JiterResult<Message<'_>> {
    let mut jiter = Jiter::new(line);
    let (mut kind, mut stream, mut record) = (None, None, None);
    let (mut schema, mut value) = (None, None);
    let mut key = jiter.next_object_bytes()?;
    while let Some(name) = key {
        let slot = match name {
            b"type" => Some(&mut kind),
            b"stream" => Some(&mut stream),
            b"record" => Some(&mut record),
            b"schema" => Some(&mut schema),
            b"value" => Some(&mut value),
            _ => None,
        };
        let peek = jiter.peek()?;
        let start = jiter.current_index();
        jiter.known_skip(peek)?;
        if let Some(slot) = slot {
            *slot = Some(&line[start..jiter.current_index()]);
        }
        key = jiter.next_key_bytes()?;
    }
    jiter.finish()?;
    let stream = stream.and_then(text);
    Ok(match (kind.and_then(text), stream, record, schema) {
        (Some(b"RECORD"), Some(stream), Some(record), _) => Message::Record { stream, record },
        (Some(b"SCHEMA"), Some(stream), _, Some(schema)) => Message::Schema { stream, schema },
        (Some(b"BATCH"), Some(stream), ..) => Message::Batch { stream },
        (Some(b"STATE"), ..) if value.is_some() => Message::State {
            value: value.unwrap_or_default(),
        },
        (None | Some(b"RECORD" | b"SCHEMA" | b"BATCH" | b"STATE"), ..) => Message::None,
        (Some(_), ..) => Message::Other,
    })
}

/// What stands between quotation marks.
fn text(json: &[u8]) -> Option<&[u8]> {
    json.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_kind_of_message_is_known() {
        let record =
            br#"{"type": "RECORD", "stream": "a", "record": {"x": [1, "}"]}, "version": 3}"#;
        assert_eq!(
            read(record),
            Message::Record {
                stream: b"a",
                record: br#"{"x": [1, "}"]}"#
            }
        );
        assert_eq!(
            read(br#"{"record":{},"stream":"a","type":"RECORD"}"#),
            Message::Record {
                stream: b"a",
                record: b"{}"
            }
        );
        assert_eq!(
            read(br#"{"type":"SCHEMA","stream":"a","schema":{},"key_properties":["id"]}"#),
            Message::Schema {
                stream: b"a",
                schema: b"{}"
            }
        );
        let batch = br#"{"type":"BATCH","stream":"a","manifest":[]}"#;
        assert_eq!(read(batch), Message::Batch { stream: b"a" });
        assert_eq!(
            read(br#"{"type":"STATE","value":{"bookmarks":{"a":1}}}"#),
            Message::State {
                value: br#"{"bookmarks":{"a":1}}"#
            }
        );
        for other in [
            &br#"{"type":"ACTIVATE_VERSION","stream":"a","version":1}"#[..],
            br#"{"type":"SOMETHING_NEW"}"#,
        ] {
            assert_eq!(read(other), Message::Other);
        }
        for none in [
            &b"connecting ..."[..],
            b"[]",
            b"{}",
            br#"{"type":"RECORD","stream":"a"}"#,
            br#"{"type":"STATE"}"#,
            br#"{"type":"RECORD","stream":"a","record":{}"#,
            br#"{"type":"RECORD","stream":"a","record":{}} {}"#,
        ] {
            assert_eq!(read(none), Message::None);
        }
    }

    proptest! {
        #[test]
        fn any_line_can_be_read(line in prop::collection::vec(any::<u8>(), 0..80)) {
            read(&line);
        }

        #[test]
        fn any_value_is_given_as_it_is_written(text in any::<String>(), number in any::<f64>()) {
            let record = serde_json::json!({"text": text, "number": number, "type": "STATE"});
            let line = serde_json::json!({"type": "RECORD", "stream": "s", "record": record});
            let line = line.to_string();
            let Message::Record { record: found, .. } = read(line.as_bytes()) else {
                panic!("it is a record: {line}");
            };
            let written = record.to_string();
            prop_assert_eq!(found, written.as_bytes());
        }
    }
}
