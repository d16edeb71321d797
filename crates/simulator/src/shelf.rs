//! How what was stored is found again by its id, in little memory.
//!
//! Ids are kept as hashes of 64 bits. Among ten million ids, two share one with a chance of one in
//! 400,000.

use std::collections::HashMap;

use chatferry_keys::AsTheyAre;
use twox_hash::XxHash3_64;

/// The hash an id is kept as.
pub(crate) fn hash(id: &[u8]) -> u64 {
    XxHash3_64::oneshot(id)
}

/// A map from hashes, which need not be hashed again.
pub(crate) type ByHash<T> = HashMap<u64, T, AsTheyAre>;

/// Things by their id, in the order in which they were first put there.
///
/// What is taken away leaves its place empty, so that the others keep theirs.
pub(crate) struct Shelf<T> {
    places: ByHash<usize>,
    things: Vec<Option<T>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            places: ByHash::default(),
            things: Vec::new(),
        }
    }
}

impl<T> Shelf<T> {
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.at(self.place(id)?)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let place = self.place(id)?;
        self.things.get_mut(place)?.as_mut()
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.places.contains_key(&hash(id.as_bytes()))
    }

    /// The place of the thing with that id.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(&hash(id.as_bytes())).copied()
    }

    /// Puts a thing there, in the place of the one with the same id, and tells its place.
    pub(crate) fn put(&mut self, id: &str, thing: T) -> usize {
        let place = *self
            .places
            .entry(hash(id.as_bytes()))
            .or_insert(self.things.len());
        match self.things.get_mut(place) {
            Some(old) => *old = Some(thing),
            None => self.things.push(Some(thing)),
        }
        place
    }

    /// Takes a thing away.
    pub(crate) fn take(&mut self, id: &str) -> Option<T> {
        let place = self.places.remove(&hash(id.as_bytes()))?;
        self.things.get_mut(place)?.take()
    }

    /// How many things there are.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// How many places there are, empty ones included.
    pub(crate) fn places(&self) -> usize {
        self.things.len()
    }

    /// The thing at a place, from 0 on.
    pub(crate) fn at(&self, place: usize) -> Option<&T> {
        self.things.get(place)?.as_ref()
    }

    /// All things in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.things.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Shelf;

    #[test]
    fn a_thing_put_again_keeps_its_place() {
        let mut shelf = Shelf::default();
        shelf.put("a", 1);
        shelf.put("b", 2);
        shelf.put("a", 3);
        assert_eq!(shelf.iter().collect::<Vec<_>>(), [&3, &2]);
        assert_eq!(shelf.get("a"), Some(&3));
        assert_eq!(shelf.get("c"), None);
        assert!(shelf.contains("b"));
    }

    #[test]
    fn a_thing_taken_away_leaves_the_others_where_they_are() {
        let mut shelf = Shelf::default();
        shelf.put("a", 1);
        shelf.put("b", 2);
        assert_eq!(shelf.take("a"), Some(1));
        assert_eq!(shelf.take("a"), None);
        assert_eq!((shelf.len(), shelf.places()), (1, 2));
        assert_eq!((shelf.at(0), shelf.at(1)), (None, Some(&2)));
        assert_eq!(shelf.put("a", 3), 2, "it comes last when it comes again");
    }
}
