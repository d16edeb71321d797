//! Work that is done beside reading, on all processors, with its results in order.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, Scope};

/// Parcels of work that a worker has: one in its hands, and one to go on with.
const EACH: usize = 2;

/// Takes work and gives its results, in the order in which it was given.
///
/// Its threads start when they are needed first, and end with [`beside`].
pub struct Workers<'scope, 'env, W, R> {
    scope: &'scope Scope<'scope, 'env>,
    work: &'env (dyn Fn(W) -> R + Sync),
    /// Each takes its turn.
    lanes: Vec<Lane<W, R>>,
    most: usize,
    given: usize,
    taken: usize,
}

struct Lane<W, R> {
    work: SyncSender<W>,
    results: Receiver<R>,
}

/// Reads with workers at hand that do this work.
pub fn beside<W: Send, R: Send, T>(
    work: impl Fn(W) -> R + Sync,
    read: impl for<'scope, 'env> FnOnce(&mut Workers<'scope, 'env, W, R>) -> T,
) -> T {
    thread::scope(|scope| {
        read(&mut Workers {
            scope,
            work: &work,
            lanes: Vec::new(),
            most: thread::available_parallelism().map_or(1, NonZeroUsize::get),
            given: 0,
            taken: 0,
        })
    })
}

impl<'scope, W: Send + 'scope, R: Send + 'scope> Workers<'scope, '_, W, R> {
    /// Gives work. When all have enough to do, the earliest result is waited for and given back.
    pub fn give(&mut self, parcel: W) -> Option<R> {
        let result = match self.given - self.taken < self.most * EACH {
            true => None,
            false => self.earliest(),
        };
        let turn = self.given % self.most;
        if self.lanes.len() == turn {
            self.start();
        }
        let gone = self.lanes[turn].work.send(parcel).is_err();
        assert!(!gone, "a worker has panicked");
        self.given += 1;
        result
    }

    /// Waits for the earliest result that was not given back; `None` when there is none.
    pub fn earliest(&mut self) -> Option<R> {
        if self.taken == self.given {
            return None;
        }
        let result = self.lanes[self.taken % self.most].results.recv();
        self.taken += 1;
        Some(result.expect("a worker has panicked"))
    }

    fn start(&mut self) {
        let (give, take) = sync_channel::<W>(EACH);
        let (tell, told) = sync_channel::<R>(EACH);
        let work = self.work;
        self.scope.spawn(move || {
            for parcel in take {
                // Nobody listens any more: reading was broken off.
                if tell.send(work(parcel)).is_err() {
                    return;
                }
            }
        });
        self.lanes.push(Lane {
            work: give,
            results: told,
        });
    }
}

/// What each worker needs for itself while it works, made when there are too few.
pub struct Tools<'m, T> {
    idle: Mutex<Vec<T>>,
    make: &'m (dyn Fn() -> T + Sync),
}

impl<'m, T> Tools<'m, T> {
    /// None yet.
    pub fn new(make: &'m (dyn Fn() -> T + Sync)) -> Self {
        Self {
            idle: Mutex::default(),
            make,
        }
    }

    /// Works with one of them.
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        let idle = || self.idle.lock().expect("no holder of this lock panics");
        let waiting = idle().pop();
        let mut tool = waiting.unwrap_or_else(self.make);
        let result = work(&mut tool);
        idle().push(tool);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_work() {
        let results = beside(
            |number: u64| number * 2,
            |workers| {
                let mut results = Vec::new();
                for number in 0..1_000 {
                    results.extend(workers.give(number));
                }
                while let Some(result) = workers.earliest() {
                    results.push(result);
                }
                results
            },
        );
        let expected: Vec<u64> = (0..1_000).map(|number| number * 2).collect();
        assert_eq!(results, expected);
    }

    #[test]
    fn work_that_is_broken_off_ends() {
        let given = beside(
            |text: String| text.len(),
            |workers| workers.give("a".to_owned()),
        );
        assert_eq!(given, None);
    }
}
