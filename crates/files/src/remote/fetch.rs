//! One request, and the next when it breaks off.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::mpsc::Sender;

use super::connect::Trouble;
use super::failure::{gives_no_parts, is_behind_the_end, passes};
use super::{Object, tag};
use crate::blob::Mark;
use crate::failure::changed;

/// How often to ask again after an answer that broke off without a single byte.
const TRIES: u32 = 6;
/// How long to wait before that at first; twice as long each time.
const PAUSE: Duration = Duration::from_millis(200);

/// The bytes of one part of an object. An answer that breaks off is asked for again from the byte
/// that it reached.
pub(super) async fn part(
    object: &Object,
    mark: &Mark,
    range: Range<u64>,
) -> Result<Bytes, Trouble> {
    let wanted = usize::try_from(range.end - range.start).expect("a part fits in memory");
    let mut bytes = BytesMut::with_capacity(wanted);
    let mut patience = Patience::default();
    while bytes.len() < wanted {
        let from = range.start + bytes.len() as u64;
        let before = bytes.len();
        // A request that fails was tried again already.
        let answer = got(object, mark, Some(from..range.end)).await?;
        let ended = collect(answer, &mut bytes).await;
        bytes.truncate(wanted);
        if bytes.len() < wanted {
            patience.after(ended, bytes.len() > before).await?;
        }
    }
    Ok(bytes.freeze())
}

async fn collect(answer: GetResult, bytes: &mut BytesMut) -> Result<(), Trouble> {
    let mut stream = answer.into_stream();
    while let Some(some) = stream.next().await {
        bytes.extend_from_slice(&some?);
    }
    Ok(())
}

/// Sends the bytes of an object from that place on, of which no parts can be had: when the answer
/// breaks off, it is asked for again from its beginning, and what was sent is passed.
pub(super) async fn whole(
    object: Object,
    mark: Mark,
    from: u64,
    sender: Sender<Result<Bytes, Trouble>>,
) {
    let mut sent = from;
    let mut patience = Patience::default();
    while sent < mark.size {
        let before = sent;
        let answer = match got(&object, &mark, None).await {
            Ok(answer) => answer,
            Err(trouble) => {
                let _ = sender.send(Err(trouble)).await;
                return;
            }
        };
        let mut to_pass = sent;
        let mut stream = answer.into_stream();
        let ended = loop {
            let mut some = match stream.next().await {
                Some(Ok(some)) => some,
                Some(Err(error)) => break Err(error.into()),
                None => break Ok(()),
            };
            let passed = usize::try_from(to_pass)
                .unwrap_or(usize::MAX)
                .min(some.len());
            to_pass -= passed as u64;
            let some = some.split_off(passed);
            if !some.is_empty() {
                sent += some.len() as u64;
                if sender.send(Ok(some)).await.is_err() {
                    return;
                }
            }
        };
        if sent < mark.size
            && let Err(trouble) = patience.after(ended, sent > before).await
        {
            // When nobody takes it, nobody needs it.
            let _ = sender.send(Err(trouble)).await;
            return;
        }
    }
}

/// An answer, if it is still about what was listed.
async fn got(
    object: &Object,
    mark: &Mark,
    range: Option<Range<u64>>,
) -> Result<GetResult, Trouble> {
    let store = object.bucket.store.client().await?;
    let options = GetOptions {
        range: range.map(GetRange::Bounded),
        ..GetOptions::default()
    };
    let answer = match store.get_opts(&object.path, options).await {
        Ok(answer) => answer,
        Err(error @ object_store::Error::NotFound { .. }) => {
            return Err(Trouble::Known(
                changed(&object.name()).cause(error.to_string()),
            ));
        }
        Err(error) if is_behind_the_end(&error) => return Err(has_changed(object)),
        Err(error) => return Err(error.into()),
    };
    object.bucket.store.answered();
    let is_same = answer.meta.size == mark.size
        && match (&mark.tag, answer.meta.e_tag.as_deref().map(tag)) {
            (Some(was), Some(is)) => *was == is,
            _ => seconds(mark.modified) == seconds(Some(answer.meta.last_modified.into())),
        };
    match is_same {
        true => Ok(answer),
        false => Err(has_changed(object)),
    }
}

fn has_changed(object: &Object) -> Trouble {
    Trouble::Known(changed(&object.name()))
}

/// Lists are more exact than answers are.
fn seconds(time: Option<SystemTime>) -> Option<u64> {
    let since = time?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

/// Whether parts of an object can be had.
pub(super) async fn gives_parts(object: &Object) -> Result<bool, Trouble> {
    let store = object.bucket.store.client().await?;
    match store.get_opts(&object.path, first_byte()).await {
        Ok(_) => Ok(true),
        Err(error) if gives_no_parts(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What is known of an object, found out by beginning to read it.
pub(super) async fn meta_by_reading(
    store: &dyn ObjectStore,
    path: &Path,
) -> Result<ObjectMeta, object_store::Error> {
    match store.get_opts(path, first_byte()).await {
        Ok(answer) => Ok(answer.meta),
        Err(error) if gives_no_parts(&error) || is_behind_the_end(&error) => {
            Ok(store.get(path).await?.meta)
        }
        Err(error) => Err(error),
    }
}

fn first_byte() -> GetOptions {
    GetOptions {
        range: Some(GetRange::Bounded(0..1)),
        ..GetOptions::default()
    }
}

/// Patience with what breaks off.
#[derive(Default)]
struct Patience {
    tries: u32,
}

impl Patience {
    /// Waits before the next try; or gives the trouble back, when another try is of no use.
    async fn after(&mut self, ended: Result<(), Trouble>, went_on: bool) -> Result<(), Trouble> {
        self.tries = if went_on { 0 } else { self.tries + 1 };
        match ended {
            Err(Trouble::Store(error)) if !passes(&error) || self.tries >= TRIES => {
                return Err(Trouble::Store(error));
            }
            Err(Trouble::Known(error)) => return Err(Trouble::Known(error)),
            Ok(()) if self.tries >= TRIES => {
                let source: Arc<str> = "the answer ends too early, again and again".into();
                return Err(Trouble::Store(object_store::Error::Generic {
                    store: "files",
                    source: source.to_string().into(),
                }));
            }
            _ => {}
        }
        if self.tries > 0 {
            tokio::time::sleep(PAUSE * 2_u32.pow(self.tries - 1)).await;
        }
        Ok(())
    }
}
