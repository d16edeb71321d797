//! Shaped rows as JSON, whatever rules they break.

use arrow::array::RecordBatch;

use crate::encode::{Encoder, quoted_name};

/// Shaped rows that can be written as the records they would be.
///
/// A row that breaks a rule has no record. Whoever corrects it by hand begins with this.
pub struct ShapedRows(Vec<(Vec<u8>, Encoder)>);

impl std::fmt::Debug for ShapedRows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ShapedRows({} fields)", self.0.len())
    }
}

impl ShapedRows {
    /// The rows of a batch.
    #[must_use]
    pub fn new(rows: &RecordBatch) -> Self {
        let schema = rows.schema();
        let columns = schema.fields().iter().zip(rows.columns());
        let columns =
            columns.map(|(field, array)| (quoted_name(field.name()), Encoder::new(field, array)));
        Self(columns.collect())
    }

    /// One of them, as a JSON object. Fields without a value are left out, as in a record.
    ///
    /// # Panics
    ///
    /// When there is no such row.
    #[must_use]
    pub fn json(&self, row: usize) -> String {
        let mut json = vec![b'{'];
        for (name, encoder) in &self.0 {
            if encoder.is_null(row) {
                continue;
            }
            if json.len() > 1 {
                json.push(b',');
            }
            json.extend_from_slice(name);
            encoder.write(row, &mut json);
        }
        json.push(b'}');
        String::from_utf8(json).expect("what was written is text")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    #[test]
    fn a_row_is_written_although_it_breaks_rules() {
        let uids: ArrayRef = Arc::new(StringArray::from(vec![Some("NOT \"VALID\""), None]));
        let times: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(17)]));
        let rows = RecordBatch::try_from_iter([("uid", uids), ("createdAt", times)]).unwrap();
        let rows = ShapedRows::new(&rows);
        assert_eq!(rows.json(0), r#"{"uid":"NOT \"VALID\""}"#);
        assert_eq!(rows.json(1), r#"{"createdAt":17}"#);
    }
}
