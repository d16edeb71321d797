//! What a tap says of its streams, and what is wanted of them.

use serde_json::{Map, Value, json};

/// A catalog, as the tap wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Catalog(Value);

/// What is wanted of it.
#[derive(Clone, Debug)]
pub(crate) struct Selection {
    /// The name of the stream.
    pub(crate) stream: String,
    /// The properties.
    pub(crate) properties: Vec<String>,
    /// Which rows, where that is not for the tap alone to say.
    pub(crate) which: Which,
}

/// Which rows are wanted of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// All of them.
    All,
    /// Those since the state that the tap is given, as its catalog says.
    SinceState,
    /// Those since the state that the tap is given, by this property.
    Since(String),
}

/// One stream of it.
#[derive(Clone, Copy)]
pub(crate) struct Stream<'c>(&'c Value);

impl Catalog {
    /// Reads it; what is wrong with it when it is none.
    pub(crate) fn read(json: &[u8]) -> Result<Self, &'static str> {
        let catalog: Value = serde_json::from_slice(json).map_err(|_| "it is not JSON")?;
        let streams = catalog.get("streams").and_then(Value::as_array);
        let streams = streams.ok_or("it has no list of `streams`")?;
        match streams
            .iter()
            .all(|stream| !Stream(stream).name().is_empty())
        {
            true => Ok(Self(catalog)),
            false => Err("a stream in it has no name"),
        }
    }

    /// Its streams.
    pub(crate) fn streams(&self) -> impl Iterator<Item = Stream<'_>> {
        let streams = self.0.get("streams").and_then(Value::as_array);
        streams.into_iter().flatten().map(Stream)
    }

    /// The stream of that name.
    pub(crate) fn stream(&self, name: &str) -> Option<Stream<'_>> {
        self.streams().find(|stream| stream.is(name))
    }

    /// The same, with what is wanted of one stream selected and nothing else.
    pub(crate) fn selecting(&self, selection: &Selection) -> Value {
        let mut catalog = self.0.clone();
        let streams = catalog.get_mut("streams").and_then(Value::as_array_mut);
        for stream in streams.into_iter().flatten() {
            let wanted = Stream(stream).is(&selection.stream);
            select(stream, wanted.then_some(selection));
        }
        catalog
    }
}

impl<'c> Stream<'c> {
    /// How its records name it.
    pub(crate) fn name(self) -> &'c str {
        let text = |key| self.0.get(key).and_then(Value::as_str);
        text("stream")
            .or_else(|| text("tap_stream_id"))
            .unwrap_or("")
    }

    /// How the tap itself tells it from others.
    pub(crate) fn id(self) -> &'c str {
        let id = self.0.get("tap_stream_id").and_then(Value::as_str);
        id.unwrap_or_else(|| self.name())
    }

    /// Whether it goes by that name.
    pub(crate) fn is(self, name: &str) -> bool {
        self.name() == name || self.id() == name
    }

    /// Its JSON Schema.
    pub(crate) fn schema(self) -> &'c Value {
        self.0.get("schema").unwrap_or(&Value::Null)
    }
}

/// Selects what is wanted of a stream, or nothing of it. Taps look for that in one of three places.
fn select(stream: &mut Value, wanted: Option<&Selection>) {
    let selected = wanted.is_some();
    stream["selected"] = selected.into();
    if let Some(Value::Object(schema)) = stream.get_mut("schema") {
        schema.insert("selected".into(), selected.into());
    }
    let all: Vec<String> = match stream.pointer("/schema/properties") {
        Some(Value::Object(all)) => all.keys().cloned().collect(),
        _ => Vec::new(),
    };
    let says_how = ["replication_method", "forced_replication_method"]
        .iter()
        .any(|key| stream.get(key).is_some_and(Value::is_string));
    let whole = entry(stream, &json!([]));
    whole.insert("selected".into(), selected.into());
    let says_how = says_how || whole.contains_key("forced-replication-method");
    let key = match wanted.map(|wanted| &wanted.which) {
        Some(Which::Since(key)) => Some(key),
        _ => None,
    };
    if let Some(key) = key {
        whole.insert("replication-method".into(), "INCREMENTAL".into());
        whole.insert("replication-key".into(), key.as_str().into());
        // Where those taps look that are made with Singer's SDK.
        stream["replication_method"] = "INCREMENTAL".into();
        stream["replication_key"] = key.as_str().into();
    } else if !says_how && !whole.contains_key("replication-method") {
        // Without a state, all is read whatever stands here, and some taps need it to be said.
        whole.insert("replication-method".into(), "FULL_TABLE".into());
    }
    for property in all {
        let is_key = key == Some(&property);
        let wanted = wanted.is_some_and(|it| it.properties.contains(&property)) || is_key;
        let entry = entry(stream, &json!(["properties", property]));
        // It comes whether it is wanted or not, and some taps refuse to be told otherwise.
        let automatic = entry.get("inclusion").and_then(Value::as_str) == Some("automatic");
        entry.insert(
            "selected".into(),
            (wanted || (automatic && selected)).into(),
        );
    }
}

/// What the metadata of a stream say of what stands there.
fn entry<'s>(stream: &'s mut Value, breadcrumb: &Value) -> &'s mut Map<String, Value> {
    if !stream.get("metadata").is_some_and(Value::is_array) {
        stream["metadata"] = json!([]);
    }
    let entries = stream["metadata"].as_array_mut().expect("it is a list");
    let at = entries
        .iter()
        .position(|entry| entry.get("breadcrumb") == Some(breadcrumb));
    let at = at.unwrap_or_else(|| {
        entries.push(json!({"breadcrumb": breadcrumb, "metadata": {}}));
        entries.len() - 1
    });
    if !entries[at].get("metadata").is_some_and(Value::is_object) {
        entries[at]["metadata"] = json!({});
    }
    entries[at]["metadata"]
        .as_object_mut()
        .expect("it is an object")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_selected_and_nothing_else() {
        let catalog = json!({"streams": [
            {"tap_stream_id": "db-users", "stream": "users",
             "schema": {"properties": {"id": {}, "name": {}, "age": {}}},
             "metadata": [
                 {"breadcrumb": [], "metadata": {"inclusion": "available"}},
                 {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
                 {"breadcrumb": ["properties", "age"], "metadata": {"selected": true}}]},
            {"tap_stream_id": "rooms", "schema": {"properties": {"id": {}}}},
        ]});
        let catalog = Catalog::read(catalog.to_string().as_bytes()).expect("a catalog");
        let names: Vec<&str> = catalog.streams().map(Stream::name).collect();
        assert_eq!(names, ["users", "rooms"]);
        assert!(catalog.stream("db-users").is_some());

        let mut selection = Selection {
            stream: "users".into(),
            properties: vec!["name".into()],
            which: Which::All,
        };
        let selected = catalog.selecting(&selection);
        let of = |stream: usize, breadcrumb: Value| {
            let entries = selected["streams"][stream]["metadata"].as_array();
            let mut entries = entries.expect("metadata").iter();
            let entry = entries.find(|entry| entry["breadcrumb"] == breadcrumb);
            entry.expect("an entry")["metadata"]["selected"].clone()
        };
        assert_eq!(of(0, json!([])), true);
        assert_eq!(of(0, json!(["properties", "id"])), true);
        assert_eq!(of(0, json!(["properties", "name"])), true);
        assert_eq!(of(0, json!(["properties", "age"])), false);
        assert_eq!(of(1, json!([])), false);
        assert_eq!(of(1, json!(["properties", "id"])), false);
        assert_eq!(method(&selected, 0), "FULL_TABLE");

        // What has changed is known by a property that nothing else needs.
        selection.which = Which::Since("age".into());
        let selected = catalog.selecting(&selection);
        assert_eq!(method(&selected, 0), "INCREMENTAL");
        assert_eq!(method(&selected, 1), "FULL_TABLE");
        assert_eq!(selected["streams"][0]["replication_key"], "age");
        let entries = selected["streams"][0]["metadata"].to_string();
        assert!(entries.contains(r#""replication-key":"age""#), "{entries}");
    }

    fn method(catalog: &Value, stream: usize) -> Value {
        let entries = catalog["streams"][stream]["metadata"].as_array();
        let mut entries = entries.expect("metadata").iter();
        let whole = entries.find(|entry| entry["breadcrumb"] == json!([]));
        whole.expect("an entry")["metadata"]["replication-method"].clone()
    }

    #[test]
    fn what_is_no_catalog_is_said() {
        assert!(Catalog::read(b"Usage: tap [OPTIONS]").is_err());
        assert!(Catalog::read(b"{}").is_err());
        assert!(Catalog::read(br#"{"streams":[{}]}"#).is_err());
    }
}
