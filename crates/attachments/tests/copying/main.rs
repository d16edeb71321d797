//! Do files arrive in the store, whatever their hosts do, and do records know where they are then?

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stands"
)]

mod faults;
mod interruptions;
mod paths;
mod secrets;
mod setup;
mod stores;
