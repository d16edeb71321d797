//! A legacy system's database, made for a test.

use std::collections::BTreeMap;

use chatferry_testkit::servers::{self, Database, PASSWORD};
use chatferry_tests::account::{self, Rows};
use chatferry_tests::{Folder, pipeline};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

/// Functions that populations throw their dice with.
const DICE: &str = include_str!("dice.sql");

/// A database with a schema and a population.
pub(crate) struct Legacy(Database);

impl Legacy {
    /// A new one on a PostgreSQL server.
    pub(crate) async fn new(schema: &str, population: &str) -> Self {
        let database = servers::postgres().await.database().await;
        database
            .execute(&[schema, DICE, population].join("\n"))
            .await;
        Self(database)
    }

    /// What a query says that a run must come to, by flow: it gives flows, outcomes and numbers of
    /// rows. Variables of the pipeline are there as settings: `current_setting('test.bots', true)`.
    pub(crate) async fn counted(
        &self,
        query: &str,
        variables: &[(&str, &str)],
    ) -> BTreeMap<String, Rows> {
        let mut connection = PgConnection::connect(self.0.url()).await.unwrap();
        for (name, value) in variables {
            sqlx::query("SELECT set_config('test.' || $1, $2, false)")
                .bind(name)
                .bind(value)
                .execute(&mut connection)
                .await
                .unwrap();
        }
        let query = sqlx::query(AssertSqlSafe(query.to_owned()));
        let mut account = BTreeMap::<String, Rows>::new();
        for row in query.fetch_all(&mut connection).await.unwrap() {
            let (flow, outcome, count): (String, String, i64) =
                (row.get(0), row.get(1), row.get(2));
            let count = u64::try_from(count).unwrap();
            let rows = account.entry(flow).or_default();
            for name in ["read".to_owned(), outcome] {
                *rows.entry(name).or_default() += count;
            }
        }
        for rows in account.values_mut() {
            rows.retain(|_, count| *count > 0);
        }
        account
    }

    /// The account of a rehearsal with the strictest simulator, with these variables.
    pub(crate) fn rehearsed(
        &self,
        name: &str,
        variables: &[(&str, &str)],
    ) -> BTreeMap<String, Rows> {
        let set: Vec<String> = variables
            .iter()
            .flat_map(|(name, value)| ["--set".to_owned(), format!("variables.{name}={value}")])
            .collect();
        let set: Vec<&str> = set.iter().map(String::as_str).collect();
        crate::rehearsed_with(&self.environment(), name, &set)
    }

    /// The first records of each flow as they would be sent.
    pub(crate) fn golden(&self, name: &str, arguments: &[&str]) -> String {
        let pipeline = pipeline(name);
        let mut all = vec!["preview", &pipeline];
        all.extend(arguments);
        let shown = Folder::new().run_with(&self.environment(), &all).expect(0);
        assert!(!shown.said().contains(PASSWORD), "the password got out");
        shown.out
    }

    /// Which system `init` takes it for.
    pub(crate) fn recognised(&self) -> String {
        let drafted = Folder::new().run(&["init", self.0.url(), "--format", "json"]);
        let drafted = account::json(&drafted.expect(0));
        drafted["system"].as_str().unwrap_or_default().to_owned()
    }

    /// What the program must know to find it.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 1] {
        [("LEGACY_DATABASE_URL", self.0.url())]
    }
}
