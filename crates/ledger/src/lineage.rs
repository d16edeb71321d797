//! What the records of each flow come from and what their ids are made of, as of the last run.

use chatferry_core::{Entity, Lineage};
use sqlx::{Connection, Row};

use crate::{Ledger, LedgerError};

impl Ledger {
    /// What the flows of the last run came from; none in a ledger that no run has written.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn lineages(&mut self) -> Result<Vec<Lineage>, LedgerError> {
        if !self.has_table("flows").await? {
            return Ok(Vec::new());
        }
        let rows = sqlx::query("SELECT flow, entity, reads, id FROM flows ORDER BY entity, flow")
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        let lineage = |row: &sqlx::sqlite::SqliteRow| {
            Some(Lineage {
                flow: row.get(0),
                entity: Entity::from_number(u8::try_from(row.get::<i64, _>(1)).ok()?)?,
                reads: serde_json::from_str(row.get(2)).ok()?,
                id: row.get(3),
            })
        };
        Ok(rows.iter().filter_map(lineage).collect())
    }

    /// Writes down what the flows of a run come from, in the place of those of the run before.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be written; then nothing has changed.
    pub async fn keep_lineages(&mut self, lineages: &[Lineage]) -> Result<(), LedgerError> {
        let result = self.try_keep_lineages(lineages).await;
        result.map_err(|error| LedgerError::sqlite("write", &self.path, &error))
    }

    async fn try_keep_lineages(&mut self, lineages: &[Lineage]) -> Result<(), sqlx::Error> {
        let mut transaction = self.connection.begin().await?;
        sqlx::query("DELETE FROM flows")
            .execute(&mut *transaction)
            .await?;
        for lineage in lineages {
            sqlx::query("INSERT INTO flows (flow, entity, reads, id) VALUES (?, ?, ?, ?)")
                .bind(&lineage.flow)
                .bind(i64::from(lineage.entity.number()))
                .bind(serde_json::to_string(&lineage.reads).expect("texts become JSON"))
                .bind(&lineage.id)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }
}
