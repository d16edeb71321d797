//! Files that are not on this machine: in object stores and on web servers.
//!
//! A file is read in parts, a few of which are asked for ahead, so that nothing stays open while
//! nobody reads, and so that a connection that breaks costs no more than the rest of a part. Every
//! answer says what it is a part of; when that is no longer what was listed, reading ends.

mod connect;
mod failure;
mod fetch;
mod ranges;
mod seek;
mod stream;
mod wait;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use chatferry_core::source::SourceError;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use self::failure::failed;
use self::wait::wait;
use crate::address::{Address, percent_decoded};
use crate::blob::{Blob, Mark};
use crate::root::{Found, Whence};
use crate::template::Template;

pub(crate) use self::connect::{Store, Trouble, is_setting};
pub(crate) use self::failure::not_put;
pub(crate) use self::ranges::Parts;
pub(crate) use self::seek::Seeker;
pub(crate) use self::stream::Stream;

/// A bucket, or a part of one; or a web server.
#[derive(Clone)]
pub(crate) struct Bucket {
    store: Arc<Store>,
    /// What names below it begin with.
    prefix: Path,
    /// As a person may see it.
    shown: Arc<str>,
}

/// One object.
#[derive(Clone, PartialEq)]
pub(crate) struct Object {
    bucket: Bucket,
    path: Path,
}

impl Bucket {
    /// The bucket at that address. Nobody is asked yet.
    pub(crate) fn open(address: &Address, url: &Url) -> Result<Self, SourceError> {
        let store = Store::open(address, url)?;
        let prefix = percent_decoded(url.path());
        let prefix = Path::parse(prefix.trim_matches('/')).map_err(|error| {
            let error = object_store::Error::from(error);
            failed(&error, address.written(), address.written(), url.scheme())
        })?;
        Ok(Self {
            store: Arc::new(store),
            prefix,
            shown: address.written().into(),
        })
    }

    /// The object that is all of it, for one that is an archive.
    pub(crate) fn object(&self) -> Object {
        Object {
            bucket: self.clone(),
            path: self.prefix.clone(),
        }
    }

    /// The objects below it that a template stands for.
    pub(crate) fn matching(&self, template: &Template) -> Result<Vec<Found>, SourceError> {
        let bucket = self.clone();
        let below = match template.is_pattern() {
            true => template.folder(),
            false => template.written(),
        };
        let doing = format!("{}/{below}", self.shown);
        let doing = doing.trim_end_matches('/').to_owned();
        let path = self.below(below, &doing)?;
        if !template.is_pattern() {
            let object = Object { bucket, path };
            return Ok(match object.mark_if_any(template.written())? {
                Some(mark) => vec![found(object, mark, template.written(), Vec::new())],
                None => Vec::new(),
            });
        }
        if self.store.is_web() {
            return Err(failure::no_listing(template.written(), &self.shown));
        }
        let flat = template.depth() == Some(0);
        let listed = wait(async move {
            let prefix = (!path.as_ref().is_empty()).then_some(path);
            let store = bucket.store.client().await?;
            let listed = match flat {
                true => store.list_with_delimiter(prefix.as_ref()).await?.objects,
                false => store.list(prefix.as_ref()).try_collect().await?,
            };
            bucket.store.answered();
            Ok::<Vec<ObjectMeta>, Trouble>(listed)
        });
        let listed = listed.map_err(|error| self.failed(error, "list", &doing))?;
        let matching = |meta: ObjectMeta| {
            let name = self.name(&meta.location)?;
            let parts = template.parts(name)?;
            let object = Object {
                bucket: self.clone(),
                path: meta.location.clone(),
            };
            Some(found(object, mark(&meta), name, parts))
        };
        Ok(listed.into_iter().filter_map(matching).collect())
    }

    fn below(&self, name: &str, doing: &str) -> Result<Path, SourceError> {
        let whole = match self.prefix.as_ref() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        Path::parse(&whole).map_err(|error| {
            let error = object_store::Error::from(error);
            failed(&error, doing, &self.shown, self.store.scheme())
        })
    }

    /// What a person calls an object.
    fn name<'p>(&self, path: &'p Path) -> Option<&'p str> {
        match self.prefix.as_ref() {
            "" => Some(path.as_ref()),
            prefix => path.as_ref().strip_prefix(prefix)?.strip_prefix('/'),
        }
    }

    fn failed(&self, trouble: Trouble, doing: &str, what: &str) -> SourceError {
        match trouble {
            Trouble::Store(error) => {
                let error = failed(&error, what, &self.shown, self.store.scheme());
                let doing = format!("{doing} {what}");
                SourceError { doing, ..error }
            }
            Trouble::Known(error) => error,
        }
    }
}

impl Object {
    /// Its name, without where it is.
    pub(crate) fn name(&self) -> String {
        self.path.filename().unwrap_or_default().to_owned()
    }

    /// What it is now.
    pub(crate) fn mark(&self) -> Result<Mark, SourceError> {
        let name = self.name();
        self.mark_if_any(&name)?
            .ok_or_else(|| failure::missing(&name, &self.bucket.shown))
    }

    /// Whether parts of it can be had.
    pub(crate) fn gives_parts(&self, mark: &Mark) -> Result<bool, SourceError> {
        let (object, mark) = (self.clone(), mark.clone());
        let first = wait(async move {
            match mark.size {
                0 => Ok(true),
                _ => fetch::gives_parts(&object).await,
            }
        });
        first.map_err(|error| self.bucket.failed(error, "read", &self.name()))
    }

    fn mark_if_any(&self, name: &str) -> Result<Option<Mark>, SourceError> {
        let object = self.clone();
        match wait(async move { object.head().await }) {
            Ok(meta) => Ok(Some(mark(&meta))),
            // A bucket that is not there has no objects, and that is worth saying.
            Err(Trouble::Store(error @ object_store::Error::NotFound { .. }))
                if !failure::is_bucket(&error) =>
            {
                let bucket = self.bucket.clone();
                match wait(async move { bucket.check().await }) {
                    Ok(()) => Ok(None),
                    Err(error) => Err(self.bucket.failed(error, "read", name)),
                }
            }
            Err(error) => Err(self.bucket.failed(error, "read", name)),
        }
    }

    async fn head(&self) -> Result<ObjectMeta, Trouble> {
        let store = self.bucket.store.client().await?;
        let meta = match store.head(&self.path).await {
            // What was signed for reading may not be asked about.
            Err(error) if self.bucket.store.is_web() && failure::may_be_read(&error) => {
                fetch::meta_by_reading(&*store, &self.path).await?
            }
            meta => meta?,
        };
        self.bucket.store.answered();
        Ok(meta)
    }
}

impl Bucket {
    /// Fails when the bucket itself is not there.
    async fn check(&self) -> Result<(), Trouble> {
        if self.store.is_web() {
            return Ok(());
        }
        let store = self.store.client().await?;
        // A name that nobody has, so that the answer is short.
        let nothing = Path::from(".chatferry/nothing");
        match store.list_with_delimiter(Some(&nothing)).await {
            Ok(_) => Ok(()),
            Err(error) if failure::is_bucket(&error) => Err(error.into()),
            // Who may read may still not list.
            Err(_) => Ok(()),
        }
    }
}

fn found(object: Object, mark: Mark, name: &str, parts: Vec<String>) -> Found {
    Found {
        name: name.into(),
        parts,
        size: mark.size,
        whence: Whence::Stored(Blob::Object(object), mark),
    }
}

fn mark(meta: &ObjectMeta) -> Mark {
    Mark {
        size: meta.size,
        modified: Some(SystemTime::from(meta.last_modified)),
        tag: meta.e_tag.as_deref().map(tag),
    }
}

/// A tag as it is in lists and in headers alike.
fn tag(written: &str) -> Arc<str> {
    written.trim_start_matches("W/").trim_matches('"').into()
}

impl PartialEq for Bucket {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.store, &other.store)
    }
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket({})", self.shown)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({}: {})", self.bucket.shown, self.path)
    }
}
