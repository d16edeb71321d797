//! The named queries, and whether they can be built from one another.

use chatferry_core::View;

use crate::section::Section;

/// The views of the file that could be read, and the names of all.
pub(crate) fn views<'a>(root: &mut Section<'a>, sources: &[&str]) -> (Vec<View>, Vec<&'a str>) {
    let _ = (root.get("views"), sources);
    (Vec::new(), Vec::new())
}
