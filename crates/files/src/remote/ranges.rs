//! Any part of an object, at any time.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use chatferry_core::source::SourceError;
use object_store::{OBJECT_STORE_COALESCE_DEFAULT, coalesce_ranges};

use super::connect::Trouble;
use super::failure::failed;
use super::wait::wait;
use super::{Object, fetch};
use crate::blob::Mark;
use crate::ranges::Ranges;

/// Any part of an object, at any time.
#[derive(Debug)]
pub(crate) struct Parts {
    object: Object,
    mark: Mark,
    name: Arc<str>,
}

impl Parts {
    pub(crate) fn new(object: Object, mark: Mark, name: &Arc<str>) -> Self {
        let name = Arc::clone(name);
        Self { object, mark, name }
    }

    fn told(&self, trouble: Trouble) -> SourceError {
        match trouble {
            Trouble::Store(error) => {
                let bucket = &self.object.bucket;
                failed(&error, &self.name, &bucket.shown, bucket.store.scheme())
            }
            Trouble::Known(error) => error,
        }
    }
}

impl Ranges for Parts {
    fn len(&self) -> u64 {
        self.mark.size
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes, SourceError> {
        let mut all = self.read_all(std::slice::from_ref(&range))?;
        Ok(all.swap_remove(0))
    }

    fn read_all(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, SourceError> {
        let (object, mark) = (self.object.clone(), self.mark.clone());
        assert!(
            ranges.iter().all(|range| range.end <= mark.size),
            "a range ends within its file"
        );
        // What is empty needs no answer, and a server has none.
        let is_asked = |range: &&Range<u64>| range.start < range.end;
        let asked: Vec<Range<u64>> = ranges.iter().filter(is_asked).cloned().collect();
        let read = wait(async move {
            let part = |range| {
                let (object, mark) = (object.clone(), mark.clone());
                async move { fetch::part(&object, &mark, range).await }
            };
            coalesce_ranges(&asked, part, OBJECT_STORE_COALESCE_DEFAULT).await
        });
        let mut read = read.map_err(|trouble| self.told(trouble))?.into_iter();
        let bytes = |range| match is_asked(&range) {
            true => read.next().expect("as many answers as ranges"),
            false => Bytes::new(),
        };
        Ok(ranges.iter().map(bytes).collect())
    }
}
