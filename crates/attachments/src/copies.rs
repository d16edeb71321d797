//! Where the copies are, for records that are prepared.

use std::path::Path;

use chatferry_config::attachments::Missing;
use chatferry_core::{Declared, Files, Whereabouts};

use crate::key::Key;
use crate::map::{Map, MapError};
use crate::name;
use crate::reason::Reason;
use crate::scope::{Concern, Scope};
use crate::settings::Settings;

/// Where the copies are. Some 50 bytes are kept of each.
#[derive(Debug)]
pub struct Copies {
    public: String,
    scope: Scope,
    missing: Missing,
    /// In the order of the keys.
    copied: Vec<(Key, [u8; 32], u16)>,
    endings: Vec<String>,
    /// In the order of the keys.
    failed: Vec<(Key, Reason)>,
    edition: u64,
}

impl Copies {
    /// What the map says, once files are to be copied: once the settings or a map say so.
    ///
    /// # Errors
    ///
    /// When the map cannot be read.
    pub async fn load(path: &Path, settings: &Settings) -> Result<Option<Self>, MapError> {
        let map = Map::read(path).await?;
        if map.is_none() && !settings.is_wanted() {
            return Ok(None);
        }
        let mut copies = Self {
            public: String::new(),
            scope: settings.scope(),
            missing: settings.missing,
            copied: Vec::new(),
            endings: Vec::new(),
            failed: Vec::new(),
            edition: 0,
        };
        let Some(mut map) = map else {
            return Ok(Some(copies));
        };
        if let Some(store) = map.store().await? {
            let settings = settings.clone().seen_under(&store.public);
            copies.scope = settings.scope();
            copies.public = settings.public_text().unwrap_or(store.public);
        }
        for (key, sha256, ending) in map.copied().await? {
            let place = copies.endings.iter().position(|known| *known == ending);
            let place = place.unwrap_or_else(|| {
                copies.endings.push(ending);
                copies.endings.len() - 1
            });
            let place = u16::try_from(place).unwrap_or(u16::MAX);
            copies.copied.push((key, sha256, place));
        }
        copies.failed = map.failed().await?;
        copies.edition = map.edition().await?;
        map.close().await?;
        Ok(Some(copies))
    }

    /// A number that changes whenever other files are copied.
    #[must_use]
    pub const fn edition(&self) -> u64 {
        self.edition
    }

    /// How many files are copied.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.copied.len()
    }

    fn url(&self, key: Key) -> Option<String> {
        let place = self.copied.binary_search_by(|(known, ..)| known.cmp(&key));
        let (_, sha256, ending) = self.copied.get(place.ok()?)?;
        let ending = self.endings.get(usize::from(*ending))?;
        Some(format!("{}/{}", self.public, name::of(sha256, ending)))
    }
}

impl Files for Copies {
    fn whereabouts(&self, url: &str, _declared: &Declared<'_>) -> Whereabouts {
        if !matches!(self.scope.concern(url), Concern::Web | Concern::Path) {
            return Whereabouts::AsWritten;
        }
        let key = Key::of(url);
        if let Some(url) = self.url(key) {
            return Whereabouts::At(url);
        }
        if self.missing == Missing::Keep {
            return Whereabouts::Left;
        }
        let failed = self.failed.binary_search_by(|(known, _)| known.cmp(&key));
        let why = failed.ok().and_then(|place| self.failed.get(place));
        Whereabouts::Lacking(why.map_or("never-tried", |(_, reason)| reason.name()))
    }
}
