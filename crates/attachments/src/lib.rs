//! Copies the files that records refer to into a store, and knows where they are then.
//!
//! A file goes through these modules in this order:
//!
//! 1. `found` notes the URLs that records hold, those that are its `scope`'s concern, each once;
//!    `key` is what stands for a URL where a URL must not stand;
//! 2. `copying` has several copied at once, each by a `worker`: `fetch` asks a host for it, who may only
//!    be one that `guard` lets through, with what is only for that host; `answer` says what came back,
//!    `checksum` whether it came whole; `beside` reads those that are no URLs but paths; what arrives
//!    waits in a `spool`;
//! 3. when it fails, `reason` says why and `patience` when to try again, with `hosts` keeping the
//!    pace of all and the troubles of each;
//! 4. the `map` keeps what became of it, so that nothing is copied twice, and `account` counts it;
//! 5. `copies` tells records where their files are by now.
//!
//! `settings` is what a person may say of all this.

mod account;
mod answer;
mod beside;
mod checksum;
mod copies;
mod copying;
mod fetch;
mod found;
mod guard;
mod hosts;
mod key;
mod map;
mod name;
mod patience;
mod reason;
mod scope;
mod settings;
mod spool;
mod worker;

pub use account::{Account, Example, Failed};
pub use copies::Copies;
pub use copying::{Copying, Ended, Look};
pub use found::{Found, OfHost, Summary, Wanted};
pub use key::shown;
pub use map::{Known, Map, MapError};
pub use patience::Patience;
pub use reason::Reason;
pub use settings::{Said, Settings};
