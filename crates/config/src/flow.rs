//! One entity fed from one table or view.

use chatferry_core::{Entity, Field, Flow};

use crate::section::Section;

/// The names that a flow may read from.
pub(crate) struct Known<'a> {
    pub(crate) sources: &'a [&'a str],
    pub(crate) views: &'a [&'a str],
}

/// The flows of the file that could be read.
pub(crate) fn flows(
    root: &mut Section<'_>,
    _fields: fn(Entity) -> &'static [Field],
    _known: &Known<'_>,
) -> Vec<Flow> {
    root.get("flow");
    Vec::new()
}
