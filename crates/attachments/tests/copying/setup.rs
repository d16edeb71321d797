//! A migration whose files are copied: its folder, its store, its map.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chatferry_attachments::{
    Account, Copies, Copying, Ended, Found, Map, Patience, Reason, Said, Settings,
};
use chatferry_config::Attachments;
use chatferry_config::attachments::{Header, Host as OfHost};
use chatferry_core::{Declared, Files, Secret, Whereabouts};
use tempfile::TempDir;
use tokio::sync::watch;

use chatferry_testkit::host::Host;

/// Under which URL the store is seen.
pub(crate) const PUBLIC: &str = "https://cdn.example.com/chat";

/// Short enough for a test, and of the same shape as for real.
pub(crate) const PATIENCE: Patience = Patience {
    tries: 4,
    first: Duration::from_millis(1),
    longest: Duration::from_millis(4),
    throttles: 10,
    failures: 3,
};

/// A migration whose files are copied.
pub(crate) struct Migration {
    folder: TempDir,
    pub(crate) table: Attachments,
    pub(crate) said: Said,
}

impl Migration {
    /// One whose files are copied into a folder, from these hosts.
    pub(crate) fn of(hosts: &[&Host]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hosts = hosts.iter().map(|host| OfHost {
            name: host.name(),
            headers: Vec::new(),
        });
        let table = Attachments {
            hosts: hosts.collect(),
            ..Attachments::default()
        };
        let said = Said {
            to: Some(folder.path().join("store").to_str().unwrap().to_owned()),
            public: Some(PUBLIC.to_owned()),
            ..Said::default()
        };
        Self {
            folder,
            table,
            said,
        }
    }

    /// The same with a header for the first host.
    pub(crate) fn with_header(mut self, name: &str, value: &str) -> Self {
        self.table.hosts[0].headers.push(Header {
            name: name.to_owned(),
            at: None,
            value: Secret::Value(value.to_owned()),
        });
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn map_path(&self) -> PathBuf {
        self.folder.path().join("acme.attachments")
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings::of(Some(&self.table), &self.said, self.folder.path()).unwrap()
    }

    /// Copies the files of these URLs until nobody lets it.
    pub(crate) async fn copy_until(
        &self,
        urls: &[String],
        stopped: watch::Receiver<bool>,
    ) -> (Account, Ended) {
        let settings = self.settings();
        let mut map = Map::open(&self.map_path()).await.unwrap();
        let found = Found::new(&settings, map.known().await.unwrap());
        for url in urls {
            let left = found.whereabouts(url, &declared(url));
            assert_eq!(left, Whereabouts::AsWritten, "who looks does not touch");
        }
        let spool = Some(self.folder.path().to_owned());
        match Copying::begin(&settings, map, PATIENCE, spool).await {
            Ok(copying) => copying.go(found.finish(), stopped, &mut |_| {}).await,
            Err(ended) => (Account::default(), ended),
        }
    }

    /// Copies the files of these URLs.
    pub(crate) async fn copy(&self, urls: &[String]) -> Account {
        let (_stop, stopped) = watch::channel(false);
        let (account, ended) = self.copy_until(urls, stopped).await;
        assert!(matches!(ended, Ended::Complete), "{ended:?}");
        assert!(account.adds_up(), "{account:?}");
        account
    }

    /// Where records say that a file is by now.
    pub(crate) async fn whereabouts(&self, url: &str) -> Whereabouts {
        let settings = Settings::of(Some(&self.table), &Said::default(), self.folder.path());
        let copies = Copies::load(&self.map_path(), &settings.unwrap()).await;
        let copies = copies.unwrap().expect("files are to be copied");
        copies.whereabouts(url, &declared(url))
    }

    /// The contents of the copy of a file.
    pub(crate) async fn contents(&self, url: &str) -> Vec<u8> {
        match self.whereabouts(url).await {
            Whereabouts::At(copy) => {
                let name = copy.strip_prefix(PUBLIC).unwrap().trim_start_matches('/');
                std::fs::read(self.folder.path().join("store").join(name)).unwrap()
            }
            other => panic!("{url} is {other:?}"),
        }
    }

    /// The files in the store, with their sizes.
    pub(crate) fn store(&self) -> BTreeMap<String, u64> {
        fn gather(folder: &Path, found: &mut BTreeMap<String, u64>) {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let entry = entry.unwrap();
                match entry.metadata().unwrap() {
                    it if it.is_dir() => gather(&entry.path(), found),
                    it => {
                        let name = entry.file_name().into_string().unwrap();
                        found.insert(name, it.len());
                    }
                }
            }
        }
        let mut found = BTreeMap::new();
        gather(&self.folder.path().join("store"), &mut found);
        found
    }
}

/// What a record says of a file that is called like its URL.
fn declared(url: &str) -> Declared<'_> {
    let name = url.split('?').next().unwrap_or(url);
    let is_picture = name.ends_with(".png");
    Declared {
        mime_type: is_picture.then_some("image/png"),
        name: name.rsplit('/').next(),
        ..Declared::default()
    }
}

/// How many files failed for that reason.
pub(crate) fn failed(account: &Account, reason: Reason) -> u64 {
    account.failed.get(&reason).map_or(0, |failed| failed.files)
}
