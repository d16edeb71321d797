//! The program from outside: what its tests share.
//!
//! [`Folder`] is where the program runs, [`Served`] what stands in for CometChat, [`Chat`] a chat to
//! move, [`Scenario`] one in which much goes wrong, [`homegrown`] one that a database has,
//! [`account`] what the program says became of it, [`id`] the ids it must have, worked out a
//! second time, and [`page`] what a person sees, without what differs from run to run.

pub mod account;
mod chance;
mod chat;
mod folder;
pub mod homegrown;
pub mod id;
pub mod page;
mod scenario;
mod served;

pub use chat::{Chat, KEY};
pub use folder::{Ended, Folder, Running, pipeline, repository};
pub use scenario::Scenario;
pub use served::{STRICT, Served, Stored, strict, unlimited};
