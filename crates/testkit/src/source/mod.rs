//! The promises that every source makes, as one suite.
//!
//! What is checked here stands in `chatferry_core::source`; a source's own tests need not repeat
//! it. [`assert_contract`] checks what can be seen of any source, [`Contract`] takes what else there
//! is to know of one: its secrets, and how many rows it has read.
//!
//! 1. `outcome` reads a scan and checks each of its batches; `rows` compares rows and orders;
//! 2. `listed` is about what a source tells of its tables, `chosen` about columns and limits,
//!    `filters` and `orders` about what it does in the engine's place;
//! 3. `read_on` is about tables that can be read on from where they ended;
//! 4. `pulled` is about when it works, and who may stop it; `errors` about what it says when it
//!    cannot go on, and what it must never say.

mod chosen;
mod errors;
mod filters;
mod listed;
mod orders;
mod outcome;
mod pulled;
mod read_on;
mod rows;

use std::fmt;
use std::sync::Arc;

use chatferry_core::source::Source;

pub(crate) use errors::Secrets;
pub(crate) use listed::TAKEN_BACK;
use outcome::read;
pub(crate) use pulled::polled;
use pulled::{Leave, Watch};
pub use read_on::assert_reads_on;

/// Checks all promises with one table of a source. The table should have a few rows.
///
/// # Panics
///
/// When a promise is broken, with what was promised.
pub async fn assert_contract(source: Arc<dyn Source>, table: &str) {
    Contract::of(source, table).check().await;
}

/// The contract between a source and those who read it, to be checked with one of its tables.
///
/// # Example: a source that has a password, and counts what it reads
///
/// ```no_run
/// # use std::sync::Arc;
/// # use std::sync::atomic::{AtomicU64, Ordering};
/// # use chatferry_core::source::Source;
/// # use chatferry_testkit::source::Contract;
/// # async fn check(source: Arc<dyn Source>, read: Arc<AtomicU64>) {
/// Contract::of(source, "users")
///     .secrets(["hunter2"])
///     .watched(2, move || read.load(Ordering::SeqCst))
///     .check()
///     .await;
/// # }
/// ```
#[must_use = "nothing is checked before `check`"]
pub struct Contract {
    source: Arc<dyn Source>,
    table: String,
    secrets: Secrets,
    watch: Option<Watch>,
    leave: Leave,
}

impl Contract {
    /// With this table. It should have a few rows.
    pub fn of(source: Arc<dyn Source>, table: &str) -> Self {
        Self {
            source,
            table: table.to_owned(),
            secrets: Secrets::default(),
            watch: None,
            leave: Leave::Anywhere,
        }
    }

    /// With this table of a source as it is at one moment. A moment may be held by a transaction,
    /// which ends where somebody who waits for its answer goes away.
    pub(crate) fn of_moment(moment: Arc<dyn Source>, table: &str) -> Self {
        Self {
            leave: Leave::BetweenBatches,
            ..Self::of(moment, table)
        }
    }

    /// These are secrets, which no error and no `Debug` output shows.
    pub fn secrets<S: Into<String>>(mut self, secrets: impl IntoIterator<Item = S>) -> Self {
        self.secrets = Secrets::of(secrets);
        self
    }

    /// `rows_read` tells how many rows the source has ever read, for whomever. While nobody pulls
    /// it may be so many rows `ahead` of those that were taken, in batches of one row; the table
    /// should have far more.
    pub fn watched(
        mut self,
        ahead: u64,
        rows_read: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        self.watch = Some(Watch::new(ahead, rows_read));
        self
    }

    /// Checks all promises.
    ///
    /// # Panics
    ///
    /// When a promise is broken, with what was promised.
    pub async fn check(self) {
        let Self {
            source,
            table,
            secrets,
            watch,
            leave,
        } = &self;
        secrets.are_not_in(&format!("{source:?}"), "`Debug` output");
        if *leave == Leave::Anywhere {
            listed::asking_can_be_broken_off(source, table).await;
        }
        let described = listed::tables_are_listed_and_described(source, table).await;
        secrets.are_not_in(&format!("{described:?}"), "a description");

        let all: Vec<usize> = (0..described.schema.fields().len()).collect();
        let whole = read(source, &described, &all, 1_000).await;
        whole.shows_no(secrets);
        let gave = whole.rows.num_rows() + whole.rejected.len();
        assert!(
            gave > 0 || whole.failed.is_none(),
            "a table that is described can be read: {}",
            whole.failed.as_deref().unwrap_or_default()
        );
        listed::the_rows_are_as_described(&described, &whole);
        pulled::two_scans_are_equal(source, &described, &all, &whole).await;
        chosen::batches_have_at_most_so_many_rows(source, &described, &all, &whole).await;
        pulled::scans_do_not_meet(source, &described, &all, &whole).await;
        chosen::any_columns_can_be_had_in_any_order(source, &described, &whole).await;
        chosen::a_limit_takes_no_row_that_is_wanted(source, &described, &all, &whole).await;
        filters::what_is_not_there_is_not_honoured(source, &described);
        filters::filters_leave_out_what_they_should(source, &described, &whole).await;
        orders::orders_asked_for_are_given(source, &described, &whole).await;
        pulled::nothing_is_done_before_the_first_poll(source, &described, &all, watch.as_ref())
            .await;
        pulled::a_scan_can_be_left(source, &described, &all, &whole, *leave).await;
        if let Some(watch) = watch {
            pulled::nothing_is_read_for_nobody(source, &described, &all, watch).await;
        }
        errors::what_is_not_there_is_an_error(source, &described, secrets).await;
        secrets.are_not_in(&format!("{source:?}"), "`Debug` output");
    }
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
