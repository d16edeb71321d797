//! Databases on a server that others have made.

use std::path::Path;
use std::sync::Arc;

use chatferry_core::source::Source;
use chatferry_testkit::servers::{MongoDb, mongodb};
use mongodb::bson::Document;
use mongodb::{Client, Database};

use crate::stand_in::opened;

/// The collection of a file. The server calls it so, too, where there is a dot in its name.
pub(crate) fn collection(file: &Path) -> String {
    let name = file.file_stem().expect("a name").to_string_lossy();
    name.replace('.', "_")
}

/// A database of one's own.
pub(crate) struct Workshop {
    pub(crate) url: String,
    pub(crate) database: Database,
}

impl Workshop {
    pub(crate) async fn new() -> Self {
        Self::at(mongodb().await).await
    }

    pub(crate) async fn at(server: &MongoDb) -> Self {
        let name = server.unused_name();
        let url = server.url(&name);
        let client = Client::with_uri_str(&url).await.expect("a server");
        Self {
            url,
            database: client.database(&name),
        }
    }

    pub(crate) async fn insert(&self, collection: &str, documents: &[Document]) {
        let collection = self.database.collection::<Document>(collection);
        // The server keeps those of one command in memory.
        for some in documents.chunks(500) {
            collection.insert_many(some).await.expect("they are taken");
        }
    }

    /// A workshop with a collection for each file of that folder, as `mongoimport` makes it.
    pub(crate) async fn imported(folder: &Path) -> Self {
        let workshop = Self::new().await;
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("text");
            let read = |line| serde_json::from_str(line).expect("extended JSON");
            let documents: Vec<Document> = text.lines().map(read).collect();
            workshop.insert(&collection(&path), &documents).await;
        }
        workshop
    }

    /// A source that reads it, with what else is set.
    pub(crate) fn source(&self, settings: &str) -> Arc<dyn Source> {
        opened(&format!(
            "url = \"{}\"\nreconnect = \"1 s\"\n{settings}",
            self.url
        ))
    }
}
