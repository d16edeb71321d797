//! How the memory of one plan is shared between its steps.

use std::fmt;

use datafusion::common::{Result, resources_datafusion_err};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};

/// What of `memory` DataFusion may count.
///
/// It counts rows once and copies them while it sorts and merges, and what it has freed is not with the
/// system at once. With five eighths a sort takes no more than `memory` and what reading takes beside it;
/// it is no slower, since what it works on fits into the processor's caches sooner.
pub(crate) const fn counted(memory: usize) -> usize {
    memory / 8 * 5
}

/// What a sort sets aside for the merge at its end: so little that a few of them fit beside each
/// other, and no more than DataFusion's own default.
pub(crate) const fn set_aside(memory: usize) -> usize {
    let (share, most) = (memory / 16, 10 * 1024 * 1024);
    if share < most { share } else { most }
}

/// What DataFusion calls the merge at the end of a sort.
const MERGE: &str = "ExternalSorterMerge";

/// DataFusion's fair pool, but no merge at the end of a sort takes more than half of what is left.
///
/// A merge takes as much as it can get and keeps it until its last row is read. The steps after
/// it, such as another sort, would be left with nothing and fail. With less, a merge goes on in
/// more rounds.
#[derive(Debug)]
pub(crate) struct SharedMemory {
    fair: FairSpillPool,
    bytes: usize,
}

impl SharedMemory {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            fair: FairSpillPool::new(bytes),
            bytes,
        }
    }
}

impl MemoryPool for SharedMemory {
    fn name(&self) -> &str {
        "shared"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.fair.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.fair.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.fair.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.fair.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        let is_merge = reservation.consumer().name().starts_with(MERGE);
        let others = self.fair.reserved().saturating_sub(reservation.size());
        let left = self.bytes.saturating_sub(others);
        if is_merge && reservation.size() + additional > left / 2 {
            return Err(resources_datafusion_err!(
                "a merge has its share of memory already"
            ));
        }
        self.fair.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.fair.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.fair.memory_limit()
    }
}

impl fmt::Display for SharedMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fair.fmt(f)
    }
}
