//! Runs programs and reads what they print.
//!
//! A [`Program`] says what to run. Started, it is [`Running`]: what it prints can be read like a
//! file, only as fast as somebody reads. What it says on standard error goes to the log, and its
//! `last_words` into the error when it fails. A [`Switch`] ends it from elsewhere; letting go of it
//! ends it, too, and nothing of it is left behind.
//!
//! `settings` says what a person may write of a program. Everything here blocks, and belongs on a
//! thread that may.

mod last_words;
mod program;
mod running;
mod settings;
mod signal;

pub use program::Program;
pub use running::{Hand, Running, Switch};
pub use settings::Surroundings;
