//! What sources of files find out is kept for the next time, and no longer than it is true.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use chatferry_core::cache::Cache;
use chatferry_core::source::{Source, Table};

/// A cache as long as a test.
#[derive(Debug, Default)]
struct Memory(Mutex<HashMap<String, Vec<u8>>>);

impl Memory {
    fn entries(&self) -> usize {
        self.0.lock().expect("no holder panics").len()
    }
}

impl Cache for Memory {
    fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.0.lock().expect("no holder panics").get(key).cloned()
    }

    fn put(&self, key: &str, value: &[u8]) {
        let mut kept = self.0.lock().expect("no holder panics");
        kept.insert(key.to_owned(), value.to_vec());
    }
}

/// Checks that the source that `open` opens anew each time keeps what it finds out about the table
/// `records` in that file, and asks for it again when the file has changed. `contents` are of the
/// same size, larger than a mebibyte, and make tables that differ.
///
/// # Panics
///
/// When it does not.
pub async fn assert_kept(open: impl Fn() -> Arc<dyn Source>, file: &Path, contents: [&[u8]; 2]) {
    assert_eq!(
        contents[0].len(),
        contents[1].len(),
        "the size tells nothing"
    );
    let cache = Arc::new(Memory::default());
    let described = || async {
        let source = open();
        source.keep_in(Arc::clone(&cache) as Arc<dyn Cache>);
        shown(&source.describe("records").await.expect("a table"))
    };
    let write = |contents: &[u8], before: Duration| {
        std::fs::write(file, contents).expect("the file is written");
        let file = File::options().write(true).open(file).expect("it is there");
        let time = SystemTime::now() - before;
        file.set_modified(time).expect("its time is set");
        time
    };
    let [first, second] = contents;

    write(first, Duration::ZERO);
    let table = described().await;
    assert_eq!(
        cache.entries(),
        0,
        "it may be written again within its time"
    );

    let time = write(first, Duration::from_secs(3600));
    assert_eq!(described().await, table);
    assert_eq!(cache.entries(), 1);

    std::fs::write(file, second).expect("the file is written");
    let again = File::options().write(true).open(file).expect("it is there");
    again.set_modified(time).expect("its time is set");
    assert_eq!(described().await, table, "it was not looked at again");
    let looked = open().describe("records").await.expect("a table");
    assert_ne!(shown(&looked), table, "without a cache it is");

    write(second, Duration::from_secs(60));
    assert_eq!(described().await, shown(&looked), "it has changed");
    assert_eq!(cache.entries(), 2);
}

fn shown(table: &Table) -> String {
    format!("{table:?}")
}
