//! The answer to a COPY in binary form, cut into rows.
//!
//! Source: PostgreSQL, "COPY", binary format: a header of 11 bytes, flags and an extension; for
//! each row its number of fields, and for each field its length and its bytes, -1 being null; at
//! the end -1 instead of a number of fields.

use bytes::{Buf, BytesMut};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// The bytes of an answer that were not taken yet.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// What a message ended with: a row that goes on in the next one.
    rest: BytesMut,
    began: bool,
    ended: bool,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotCopy;

impl Rows {
    /// Hands each whole row of these bytes, and of what was left before, to `row`: its fields as
    /// [`Fields`].
    pub(crate) fn take<E: From<NotCopy>>(
        &mut self,
        bytes: &[u8],
        mut row: impl FnMut(Fields<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        // PostgreSQL sends a row a message, so that there is hardly ever a rest.
        if self.rest.is_empty() {
            let left = self.rows(bytes, &mut row)?;
            self.rest.extend_from_slice(&bytes[bytes.len() - left..]);
            return Ok(());
        }
        self.rest.extend_from_slice(bytes);
        let whole = std::mem::take(&mut self.rest);
        let left = self.rows(&whole, &mut row)?;
        self.rest = whole;
        self.rest.advance(self.rest.len() - left);
        Ok(())
    }

    /// Whether all rows have come.
    pub(crate) fn ended(&self) -> bool {
        self.ended && self.rest.is_empty()
    }

    /// Takes whole rows from the beginning of these bytes; says how many bytes are left.
    fn rows<E: From<NotCopy>>(
        &mut self,
        bytes: &[u8],
        row: &mut impl FnMut(Fields<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut at = 0;
        if !self.began {
            let Some(length) = header(bytes)? else {
                return Ok(bytes.len());
            };
            at = length;
            self.began = true;
        }
        while let Some(count) = word(bytes, at) {
            let start = at + 2;
            if count == u16::MAX {
                self.ended = true;
                return Ok(bytes.len() - start);
            }
            let Some(end) = end_of(bytes, start, count) else {
                break;
            };
            row(Fields {
                count,
                bytes: &bytes[start..end],
            })?;
            at = end;
        }
        Ok(bytes.len() - at)
    }
}

/// The length of the header, if all of it is there.
fn header(bytes: &[u8]) -> Result<Option<usize>, NotCopy> {
    if bytes.len() < SIGNATURE.len() + 8 {
        return Ok(None);
    }
    if !bytes.starts_with(SIGNATURE) {
        return Err(NotCopy);
    }
    let extension = length(bytes, SIGNATURE.len() + 4)
        .and_then(|length| usize::try_from(length).ok())
        .ok_or(NotCopy)?;
    let end = SIGNATURE.len() + 8 + extension;
    Ok((bytes.len() >= end).then_some(end))
}

/// Where a row ends that has so many fields and begins there, if all of it is there.
fn end_of(bytes: &[u8], mut at: usize, count: u16) -> Option<usize> {
    for _ in 0..count {
        let length = usize::try_from(length(bytes, at)?).unwrap_or(0);
        at += 4 + length;
    }
    (at <= bytes.len()).then_some(at)
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes([bytes[0], bytes[1]]))
}

fn length(bytes: &[u8], at: usize) -> Option<i32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
}

/// The fields of one row, or the parts of anything that PostgreSQL writes in the same way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<'a> {
    /// How many there are.
    pub(crate) count: u16,
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The next field: its bytes, or none when it is null.
    pub(crate) fn next(&mut self) -> Option<Option<&'a [u8]>> {
        let length = length(self.bytes, 0)?;
        let rest = &self.bytes[4..];
        let Ok(length) = usize::try_from(length) else {
            self.bytes = rest;
            return Some(None);
        };
        let field = rest.get(..length)?;
        self.bytes = &rest[length..];
        Some(Some(field))
    }

    /// Fields that these bytes begin with.
    pub(crate) const fn of(bytes: &'a [u8]) -> Self {
        Self { count: 0, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl From<NotCopy> for String {
        fn from(_: NotCopy) -> Self {
            "not a copy".into()
        }
    }

    fn answer() -> Vec<u8> {
        let mut bytes = SIGNATURE.to_vec();
        bytes.extend([0; 8]);
        for text in ["a", "", "longer than that"] {
            bytes.extend(2_u16.to_be_bytes());
            bytes.extend(u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
            bytes.extend(text.as_bytes());
            bytes.extend((-1_i32).to_be_bytes());
        }
        bytes.extend((-1_i16).to_be_bytes());
        bytes
    }

    #[test]
    fn rows_are_found_however_the_bytes_are_cut() {
        let answer = answer();
        for size in 1..=answer.len() {
            let (mut rows, mut found) = (Rows::default(), Vec::new());
            for piece in answer.chunks(size) {
                let taken: Result<(), String> = rows.take(piece, |mut fields| {
                    assert_eq!(fields.count, 2);
                    found.push(fields.next().flatten().map(<[u8]>::to_vec));
                    assert_eq!(fields.next(), Some(None));
                    Ok(())
                });
                assert_eq!(taken, Ok(()));
            }
            assert!(rows.ended());
            let expected = ["a", "", "longer than that"].map(|text| Some(text.as_bytes().to_vec()));
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn what_is_no_copy_is_refused() {
        let mut rows = Rows::default();
        let taken: Result<(), String> = rows.take(&[b'x'; 40], |_| Ok(()));
        assert_eq!(taken, Err("not a copy".into()));
    }
}
