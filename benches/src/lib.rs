//! Generated chats and the questions asked of them.
//!
//! Each question is a file beside `src`: how fast are lines read, rows shaped, records encoded,
//! requests put together, outcomes written down; how fast does the simulator answer; and how fast
//! is all of it together. Each opens with what its number means and where the time goes.
//!
//! ```sh
//! cargo bench -p chatferry-benches                          # all of them, 100,000 messages
//! cargo bench -p chatferry-benches --bench whole_flow       # one of them
//! CHATFERRY_BENCH_MESSAGES=1000000 cargo bench -p chatferry-benches --bench whole_flow
//! cargo test -p chatferry-benches --benches                 # whether they still work
//! ```
//!
//! [`generate`] makes the chat, from [`random`] numbers and a [`vocabulary`]; [`setup`] opens its
//! pipeline. The program `generate-chat` writes the same chat and pipeline to a folder, to repeat
//! a measurement with `chatferry` itself or with another program.
//!
//! [`legacy`] makes another chat, as dirty as a real one, and fills a database with it; the program
//! `generate-legacy` does so.

pub mod generate;
pub mod legacy;
mod popularity;
pub mod random;
pub mod setup;
pub mod vocabulary;
