//! What a person may write of the collections of a source.

use chatferry_config::{Node, Shape, database};
use chatferry_core::Mistake;
use chatferry_records::{Kind, fields};
use mongodb::bson::Document;

/// Which collections a source offers.
pub(crate) type Tables = database::Tables<TableOf>;

/// What is set of one table.
#[derive(Clone, Debug, Default)]
pub(crate) struct TableOf {
    /// The collection it stands for, if it is called otherwise.
    pub(crate) collection: Option<String>,
    /// Which documents there are of it, in MongoDB's own words.
    pub(crate) filter: Option<Document>,
    /// The kinds of some columns, where they are not to be found out.
    pub(crate) schema: Vec<(String, Kind)>,
    /// All columns, where they are all given.
    pub(crate) columns: Option<Vec<(String, Kind)>>,
    /// Whether it is an empty table where there is no such collection.
    pub(crate) optional: bool,
}

impl TableOf {
    /// Reads one of `tables`: a collection, or a table that may name one.
    pub(crate) fn read(node: &Node<'_>) -> Option<Self> {
        if node.kind() != Shape::Table {
            return Some(Self {
                collection: Some(node.text()?.value),
                ..Self::default()
            });
        }
        let mut section = node.section()?;
        let collection = section.text("collection");
        let filter = section.get("filter").map(|node| filter(&node));
        let schema = section.get("schema").map(|node| fields(&node));
        let columns = section.get("columns");
        let columns_at = columns.as_ref().and_then(Node::name_at);
        let columns = columns.map(|node| fields(&node));
        let optional = section.get("optional");
        let optional_at = optional.as_ref().and_then(Node::at);
        let optional = optional.map(|node| node.flag());
        let read = Self {
            collection: collection.map(|name| name.value),
            filter: transpose(filter)?,
            schema: transpose(schema)?.unwrap_or_default(),
            columns: transpose(columns)?,
            optional: transpose(optional)?.is_some_and(|set| set.value),
        };
        if read.columns.is_some() && !read.schema.is_empty() {
            let message = "`columns` are all columns, and `schema` names more";
            let mistake = Mistake::error("mongodb::columns", message, columns_at);
            section.mistake(mistake.label("either this, or `schema`").help(
                "with `schema` the other columns are found by reading the collection; with \
                 `columns` there are no others",
            ));
            return None;
        }
        if read.optional && read.columns.is_none() && read.schema.is_empty() {
            let message = "a table that is optional has to say its columns";
            let mistake = Mistake::error("mongodb::optional", message, optional_at);
            section.mistake(
                mistake
                    .label("neither `columns` nor `schema` beside this")
                    .help("when there is no such collection, nothing else tells its columns"),
            );
            return None;
        }
        Some(read)
    }
}

/// A condition as MongoDB's shell writes it, in JSON.
fn filter(node: &Node<'_>) -> Option<Document> {
    let written = node.text()?;
    let read = serde_json::from_str(&written.value);
    let mistake = match read {
        Ok(filter) => return Some(filter),
        Err(error) => Mistake::error("mongodb::filter", "`filter` is not JSON", written.at)
            .label(error.to_string())
            .help("write it as in `find`, with all keys in quotes: '{\"t\": {\"$ne\": \"rm\"}}'"),
    };
    node.mistake(mistake);
    None
}

/// Tells what is absent, which is fine, from what could not be read, which is not.
fn transpose<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use mongodb::bson::oid::ObjectId;
    use mongodb::bson::{DateTime, Document, doc};

    #[test]
    fn a_filter_keeps_its_order_and_its_types() {
        let written = r#"{"z": {"$oid": "505050505050505050505050"}, "a": {"$gte":
            {"$date": "2021-06-12T07:50:55.143Z"}}, "n": {"$in": [1, 2.5, null, true]}}"#;
        let read: Document = serde_json::from_str(written).expect("a filter");
        let expected = doc! {
            "z": ObjectId::from_bytes([0x50; 12]),
            "a": {"$gte": DateTime::from_millis(1_623_484_255_143)},
            "n": {"$in": [1_i64, 2.5, null, true]},
        };
        // Numbers are equal to MongoDB whatever their width.
        assert_eq!(format!("{read}"), format!("{expected}"));
    }
}
