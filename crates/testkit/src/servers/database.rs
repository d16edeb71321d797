//! A database of one's own on a server.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection};

/// A database of one's own on a server.
#[derive(Clone, Debug)]
pub struct Database {
    name: String,
    url: String,
}

impl Database {
    pub(super) fn new(name: String, url: String) -> Self {
        Self { name, url }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL, with the user and the password of an account that may do everything.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs a script: any number of statements.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    pub async fn execute(&self, script: &str) {
        execute(&self.url, script).await;
    }
}

/// Runs a script at the database of that URL.
pub(super) async fn execute(url: &str, script: &str) {
    let script = AssertSqlSafe(script.to_owned());
    let done = if url.starts_with("postgres") {
        Box::pin(async {
            let mut connection = PgConnection::connect(url).await?;
            sqlx::raw_sql(script).execute(&mut connection).await?;
            connection.close().await
        })
        .await
    } else {
        Box::pin(async {
            let mut connection = MySqlConnection::connect(url).await?;
            sqlx::raw_sql(script).execute(&mut connection).await?;
            connection.close().await
        })
        .await
    };
    done.expect("the server runs the script");
}

/// A name that no other database has.
pub(super) fn unused_name() -> String {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    // A server that is not ours may have databases of earlier processes with our number.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let second = now.expect("it is after 1970").as_secs();
    format!("test_{second}_{}_{number}", std::process::id())
}
