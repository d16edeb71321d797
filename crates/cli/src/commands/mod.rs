//! The commands, one file each.

pub mod check;
pub mod lists;
pub mod preview;
pub mod rehearse;
pub mod run;
pub mod simulate;
pub mod status;
pub mod tables;
