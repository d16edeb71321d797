//! One transaction, whose statements all see one moment.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};

/// How long the server is given to take leave.
const LEAVE: Duration = Duration::from_secs(5);

/// A transaction that is read in by one after the other. It ends when it is dropped.
#[derive(Default)]
pub(crate) struct Moment {
    transaction: Arc<Mutex<Transaction>>,
    /// Whether rows of it were given, so that another transaction cannot take its place.
    settled: AtomicBool,
}

/// The connection in which it is open; none before it begins, and after it is lost.
#[derive(Default)]
struct Transaction(Option<PgConnection>);

impl Moment {
    /// The transaction, as soon as nobody else reads in it. It is begun where there is none.
    pub(crate) async fn part<B>(
        moment: &Arc<Self>,
        begin: impl Fn() -> B,
    ) -> Result<Part, sqlx::Error>
    where
        B: Future<Output = Result<PgConnection, sqlx::Error>>,
    {
        let mut place = Arc::clone(&moment.transaction).lock_owned().await;
        let connection = match place.0.take() {
            Some(connection) => connection,
            None if moment.is_settled() => return Err(ended()),
            None => begin().await?,
        };
        Ok(Part { connection, place })
    }

    /// From now on no other transaction can take its place.
    pub(crate) fn settle(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Relaxed)
    }
}

fn ended() -> sqlx::Error {
    let what = "the transaction that everything is read in has ended";
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, what).into()
}

/// The transaction, for one question. It is lost unless the question is [done](Part::done): what is
/// left of an answer stands in the way of the next one, and an error ends a transaction.
pub(crate) struct Part {
    connection: PgConnection,
    place: OwnedMutexGuard<Transaction>,
}

impl Part {
    /// Gives it back, for the next question.
    pub(crate) fn done(self) {
        let Self {
            connection,
            mut place,
        } = self;
        place.0 = Some(connection);
    }
}

impl Deref for Part {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Part {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // Who only goes away, stands in the server's log as a failure.
        if let (Some(connection), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move {
                let _left = tokio::time::timeout(LEAVE, connection.close()).await;
            });
        }
    }
}
