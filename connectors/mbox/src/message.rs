//! What one message says.

use chrono::DateTime;
use mailparse::{
    DispositionType, MailHeader, MailHeaderMap, MailParseError, parse_content_type, parse_headers,
    parse_mail,
};

/// How deep the parts of a message may stand in each other.
const DEEPEST: usize = 32;

/// What a message says, decoded.
#[derive(Debug, Default)]
pub(crate) struct Message {
    pub(crate) id: Option<String>,
    pub(crate) in_reply_to: Option<String>,
    /// The id of the message that began the conversation: this one, if it answers none.
    pub(crate) thread: Option<String>,
    pub(crate) date: Option<String>,
    /// The date in seconds since 1970, if it is one.
    pub(crate) sent_at: Option<i64>,
    pub(crate) from_name: Option<String>,
    pub(crate) from_address: Option<String>,
    pub(crate) to: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
}

impl Message {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// When it is none, with what is wrong.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let (headers, _) = parse_headers(bytes).map_err(|error| said(&error))?;
        let value = |name: &str| headers.get_first_value(name);
        let id = value("Message-ID").as_deref().and_then(first_id);
        let in_reply_to = value("In-Reply-To").as_deref().and_then(first_id);
        let references = value("References").as_deref().and_then(first_id);
        let date = value("Date");
        let (from_name, from_address) = value("From").map_or((None, None), |from| sender(&from));
        let mut message = Self {
            thread: references.or(in_reply_to.clone()).or(id.clone()),
            id,
            in_reply_to,
            sent_at: date.as_deref().and_then(seconds),
            date,
            from_name,
            from_address,
            to: value("To"),
            subject: value("Subject"),
            text: None,
            html: None,
        };
        message.read_part(bytes, DEEPEST)?;
        Ok(message)
    }

    /// Takes the text of a part, or of the parts in it, where none was found yet.
    fn read_part(&mut self, part: &[u8], deepest: usize) -> Result<(), String> {
        let (headers, body) = parse_headers(part).map_err(|error| said(&error))?;
        if let Some(boundary) = boundary(&headers) {
            let Some(deepest) = deepest.checked_sub(1) else {
                return Err(format!(
                    "its parts stand more than {DEEPEST} deep in each other"
                ));
            };
            return parts(&part[body..], &boundary)
                .into_iter()
                .try_for_each(|part| self.read_part(part, deepest));
        }
        let part = parse_mail(part).map_err(|error| said(&error))?;
        let place = match part.ctype.mimetype.as_str() {
            "text/plain" => &mut self.text,
            "text/html" => &mut self.html,
            _ => return Ok(()),
        };
        let attached = part.get_content_disposition().disposition == DispositionType::Attachment;
        if place.is_none() && !attached {
            let body = part.get_body().map_err(|error| said(&error))?;
            // Mail ends lines with both; some of what writes mailboxes takes one away.
            *place = Some(body.replace("\r\n", "\n"));
        }
        Ok(())
    }
}

/// What stands between the parts of what has parts.
fn boundary(headers: &[MailHeader<'_>]) -> Option<String> {
    let kind = parse_content_type(&headers.get_first_value("Content-Type")?);
    let has_parts = kind.mimetype.starts_with("multipart/");
    let boundary = kind.params.get("boundary").filter(|_| has_parts)?;
    Some(format!("--{boundary}"))
}

/// The parts of a body. What stands before the first of them is for readers that know of none.
fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    let (mut begin, mut at) = (None, 0);
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        match line.trim_ascii_end().strip_prefix(boundary.as_bytes()) {
            Some(b"") => {
                parts.extend(begin.map(|begin| &body[begin..at]));
                begin = Some(next);
            }
            Some(b"--") => {
                parts.extend(begin.map(|begin| &body[begin..at]));
                return parts;
            }
            Some(_) | None => {}
        }
        at = next;
    }
    // The end was cut off.
    parts.extend(begin.map(|begin| &body[begin..]));
    parts
}

/// The first of some ids, each in `<>`.
fn first_id(ids: &str) -> Option<String> {
    let first = ids.split_whitespace().next()?;
    let first = first.trim_matches(['<', '>']);
    (!first.is_empty()).then(|| first.to_owned())
}

/// Name and address: `Ada <ada@example.org>`, `ada@example.org (Ada)`, or the address alone.
fn sender(from: &str) -> (Option<String>, Option<String>) {
    let text = |text: &str| {
        let text = text.trim().trim_matches('"').trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let (name, address) = match (from.rsplit_once('<'), from.split_once('(')) {
        (Some((name, address)), _) => (name, address.trim_end().trim_end_matches('>')),
        (None, Some((address, name))) => (name.trim_end().trim_end_matches(')'), address),
        (None, None) => ("", from),
    };
    (text(name), text(address))
}

fn seconds(date: &str) -> Option<i64> {
    let time = DateTime::parse_from_rfc2822(date.trim()).ok()?;
    Some(time.timestamp())
}

/// What is wrong, without the contents.
fn said(error: &MailParseError) -> String {
    match error {
        MailParseError::QuotedPrintableDecodeError(_) => "its text is not quoted-printable".into(),
        MailParseError::Base64DecodeError(_) => "its text is not base64".into(),
        MailParseError::EncodingError(_) => "its text is not in its character set".into(),
        MailParseError::Generic(what) => (*what).into(),
    }
}
