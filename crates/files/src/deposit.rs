//! Where files are put: a folder, or a bucket or a part of one.

use std::fmt;
use std::fs;
use std::sync::Arc;

use chatferry_core::source::{SourceError, SourceErrorKind};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions,
    PutOptions,
};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::address::{Address, Place, percent_decoded};
use crate::failure::unwritten;
use crate::remote::{Store, Trouble, not_put};

/// How much is sent at once. What is larger is sent in parts of this size: stores take up to
/// 10,000 of them, none but the last of less than 5 MiB.
const PART: usize = 8 << 20;

/// Where files are put.
#[derive(Clone)]
pub struct Deposit {
    place: Arc<Whither>,
    /// What names in it begin with.
    prefix: Path,
    /// As a person may see it.
    shown: Arc<str>,
}

enum Whither {
    Folder(LocalFileSystem),
    Bucket(Store),
}

/// How whoever fetches a file is to take it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// As what.
    pub media_type: Option<String>,
    /// Whether a browser is to keep it rather than to show it as a page of its own.
    pub is_download: bool,
}

impl Deposit {
    /// What is at that address; a folder is made where there is none. No store is asked yet.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, the settings of the store cannot be used, or it is a web
    /// server.
    pub fn open(address: &Address) -> Result<Self, SourceError> {
        let (place, prefix) = match address.place() {
            Place::Local(path) => {
                let opened = fs::create_dir_all(path)
                    .map_err(|error| unwritten(address.written(), &error))
                    .and_then(|()| {
                        LocalFileSystem::new_with_prefix(path).map_err(|error| {
                            let error = std::io::Error::other(error);
                            unwritten(address.written(), &error)
                        })
                    });
                (Whither::Folder(opened?), Path::default())
            }
            Place::Remote(url) if url.scheme().starts_with("http") => {
                let doing = format!("put files to {}", address.written());
                let reason = "a web server only gives files";
                return Err(SourceError::new(SourceErrorKind::Pipeline, doing, reason)
                    .help("name a store: s3://bucket/path, gs://…, az://…, or a folder"));
            }
            Place::Remote(url) => {
                let prefix = percent_decoded(url.path());
                let prefix = Path::parse(prefix.trim_matches('/')).map_err(|error| {
                    not_put(
                        &error.into(),
                        address.written(),
                        address.written(),
                        url.scheme(),
                    )
                })?;
                (Whither::Bucket(Store::open(address, url)?), prefix)
            }
        };
        Ok(Self {
            place: Arc::new(place),
            prefix,
            shown: address.written().into(),
        })
    }

    /// As a person may see it.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// How many bytes the file has that is there under this name, if there is one.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    pub async fn size(&self, name: &str) -> Result<Option<u64>, SourceError> {
        let path = self.path(name)?;
        let found = async {
            let store = self.client().await?;
            let found = match store.head(&path).await {
                Ok(meta) => Some(meta.size),
                Err(object_store::Error::NotFound { .. }) => None,
                Err(error) => return Err(Trouble::from(error)),
            };
            self.answered();
            Ok(found)
        };
        found.await.map_err(|error| self.failed(error, name))
    }

    /// Puts a file there, in the place of the one of that name. Nobody sees a part of it: until its
    /// last byte has arrived there is nothing under the name.
    ///
    /// # Errors
    ///
    /// When the contents cannot be read, or the store does not take them. Parts that were sent are
    /// taken away again, as far as that is possible.
    pub async fn put(
        &self,
        name: &str,
        contents: &mut (dyn AsyncRead + Unpin + Send),
        served: &Served,
    ) -> Result<(), SourceError> {
        let path = self.path(name)?;
        let put = async {
            let first = part(contents).await?;
            let store = self.client().await?;
            let attributes = self.attributes(served);
            if first.len() < PART {
                let options = PutOptions {
                    attributes,
                    ..PutOptions::default()
                };
                store.put_opts(&path, first.into(), options).await?;
            } else {
                let options = PutMultipartOptions {
                    attributes,
                    ..PutMultipartOptions::default()
                };
                let mut upload = store.put_multipart_opts(&path, options).await?;
                if let Err(error) = in_parts(&mut *upload, first, contents).await {
                    // What went wrong is worth telling, and not what followed from it.
                    let _ = upload.abort().await;
                    return Err(error);
                }
            }
            self.answered();
            Ok(())
        };
        put.await.map_err(|error| self.failed(error, name))
    }

    async fn client(&self) -> Result<Arc<dyn ObjectStore>, Trouble> {
        match &*self.place {
            Whither::Folder(folder) => Ok(Arc::new(folder.clone())),
            Whither::Bucket(store) => store.client().await,
        }
    }

    fn answered(&self) {
        if let Whither::Bucket(store) = &*self.place {
            store.answered();
        }
    }

    /// What a store is told of a file; a folder has no place for it.
    fn attributes(&self, served: &Served) -> Attributes {
        let mut attributes = Attributes::new();
        if let Whither::Folder(_) = &*self.place {
            return attributes;
        }
        if let Some(media_type) = &served.media_type {
            attributes.insert(Attribute::ContentType, media_type.clone().into());
        }
        if served.is_download {
            attributes.insert(Attribute::ContentDisposition, "attachment".into());
        }
        attributes
    }

    fn path(&self, name: &str) -> Result<Path, SourceError> {
        let whole = match self.prefix.as_ref() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        };
        Path::parse(&whole)
            .map_err(|error| self.failed(Trouble::from(object_store::Error::from(error)), name))
    }

    fn failed(&self, trouble: Trouble, name: &str) -> SourceError {
        match (trouble, &*self.place) {
            (Trouble::Known(error), _) => error,
            (Trouble::Store(error), Whither::Folder(_)) => {
                unwritten(&self.shown, &std::io::Error::other(error))
            }
            (Trouble::Store(error), Whither::Bucket(store)) => {
                not_put(&error, name, &self.shown, store.scheme())
            }
        }
    }
}

/// The next part of some contents: full, unless it is the last.
async fn part(contents: &mut (dyn AsyncRead + Unpin + Send)) -> Result<Vec<u8>, Trouble> {
    let mut part = Vec::new();
    let most = u64::try_from(PART).unwrap_or(u64::MAX);
    let read = contents.take(most).read_to_end(&mut part).await;
    read.map_err(|error| Trouble::Known(unwritten("its temporary copy", &error)))?;
    Ok(part)
}

async fn in_parts(
    upload: &mut dyn MultipartUpload,
    first: Vec<u8>,
    contents: &mut (dyn AsyncRead + Unpin + Send),
) -> Result<(), Trouble> {
    let mut next = first;
    while !next.is_empty() {
        upload.put_part(next.into()).await?;
        next = part(contents).await?;
    }
    upload.complete().await?;
    Ok(())
}

impl fmt::Debug for Deposit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deposit({})", self.shown)
    }
}
