//! Which connectors this program has.

use std::fmt;

use chatferry_core::{Entity, Field, SourceSettings};

use crate::section::Section;

/// Reads a source's settings from its table in the pipeline file.
///
/// `None` when they cannot be used; the section has then noted why.
pub type PlanSource = fn(&mut Section<'_>) -> Option<Box<dyn SourceSettings>>;

/// What is read in the place of the sources that a pipeline file describes, such as copies of them.
///
/// What the file says of a source but its name is not looked at then: its variables need not be set.
pub trait StandIn: fmt::Debug {
    /// The name of the connector that reads them.
    fn connector(&self) -> &'static str;

    /// What is read in the place of the source of that name.
    fn source(&self, name: &str) -> Box<dyn SourceSettings>;
}

/// The connectors this program has: one destination and any number of sources.
#[derive(Debug)]
pub struct Registry<D> {
    destination: DestinationKind<D>,
    sources: Vec<SourceKind>,
    /// Connectors that this program could have and has not, each with how to get it.
    absent: Vec<(&'static str, &'static str)>,
    stand_in: Option<Box<dyn StandIn>>,
}

/// What there is to know of the destination before its settings are read.
#[derive(Debug)]
pub struct DestinationKind<D> {
    /// Its name, which is also the name of its table in the pipeline file.
    pub name: &'static str,
    /// The fields that it takes for an entity.
    pub fields: fn(Entity) -> &'static [Field],
    /// Reads its settings; `None` when they cannot be used, and then the section has noted why.
    pub plan: fn(&mut Section<'_>) -> Option<D>,
}

/// A kind of source: what may stand behind `connector =`.
#[derive(Clone, Copy, Debug)]
pub struct SourceKind {
    /// Its name.
    pub name: &'static str,
    /// What it reads, in one line.
    pub about: &'static str,
    /// Reads the settings of one such source.
    pub plan: PlanSource,
}

impl<D> Registry<D> {
    /// A registry with this destination and no sources.
    #[must_use]
    pub fn new(destination: DestinationKind<D>) -> Self {
        Self {
            destination,
            sources: Vec::new(),
            absent: Vec::new(),
            stand_in: None,
        }
    }

    /// Adds a kind of source. `about` says in one line what it reads.
    ///
    /// # Panics
    ///
    /// When the name is taken.
    pub fn source(&mut self, name: &'static str, about: &'static str, plan: PlanSource) {
        assert!(
            self.kind(name).is_none(),
            "two connectors are called {name}"
        );
        self.sources.push(SourceKind { name, about, plan });
    }

    /// Notes a connector that this program has not, and how to get one that has it.
    pub fn absent(&mut self, name: &'static str, how: &'static str) {
        self.absent.push((name, how));
    }

    /// How to get a program that has this connector, where this one could have it and has not.
    #[must_use]
    pub fn how_to_get(&self, name: &str) -> Option<&'static str> {
        let mut absent = self.absent.iter();
        absent.find_map(|(absent, how)| (*absent == name).then_some(*how))
    }

    /// Has this read in the place of the sources.
    pub fn stand_in(&mut self, stand_in: Box<dyn StandIn>) {
        self.stand_in = Some(stand_in);
    }

    /// What is read in the place of the sources, if that is not they themselves.
    pub(crate) fn standing_in(&self) -> Option<&dyn StandIn> {
        self.stand_in.as_deref()
    }

    /// The kinds of sources, each with the line that says what it reads, in the order in which
    /// they were added.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sources.iter().map(|kind| (kind.name, kind.about))
    }

    /// The destination.
    #[must_use]
    pub fn destination(&self) -> &DestinationKind<D> {
        &self.destination
    }

    /// The kind of source of that name.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&SourceKind> {
        self.sources.iter().find(|kind| kind.name == name)
    }
}
