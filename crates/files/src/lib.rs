//! Opens files wherever they lie: in folders, archives and object stores, compressed or not.
//!
//! A connector that reads files says where they are by an [`Address`] and which of them by a
//! [`Template`], and finds them below a [`Root`]. It reads a file from its beginning to its end
//! through an [`Opener`], which decompresses it, or any part of it through [`Ranges`].
//!
//! Everything here blocks, and belongs on a thread that may.
//!
//! 1. `address` says where files are; `template` which files a path stands for, and which columns
//!    it makes; `settings` reads both, as a person writes them for any connector;
//! 2. `root` finds the files below an address: in a `folder` or in an `archive`;
//! 3. `opener` reads one of them as a stream, with the help of `compression`; `ranges` reads
//!    parts of one;
//! 4. `deposit` is where files are put;
//! 5. `source` is what the sources of all connectors of files have in common, `inquiry` how they keep
//!    what they have found out, and `order` what they notice of the values that they read; `thread` is where they block; `failure` says what stands in the way, and what to do
//!    about it; `workers` does beside reading what can be done on all processors.

mod address;
mod archive;
mod blob;
mod compression;
mod deposit;
mod failure;
mod folder;
mod inquiry;
mod limits;
mod opener;
mod order;
mod ranges;
mod remote;
mod root;
mod settings;
mod source;
mod template;
mod thread;
mod workers;

pub use address::{Address, AddressError, Rest};
pub use deposit::{Deposit, Served};
pub use failure::{Broken, changed, refused};
pub use inquiry::{Cached, Finding, Inquiry};
pub use limits::Limits;
pub use opener::Opener;
pub use order::Tracker;
pub use ranges::Ranges;
pub use root::{Found, Input, Listing, Root, Roots, stem};
pub use settings::{FileTable, Files, explained, is_setting};
pub use source::{FileSource, Format, NamedTable};
pub use template::{Template, TemplateError};
pub use thread::{Consumer, Gone, found, given};
pub use workers::{Tools, Workers, beside};
