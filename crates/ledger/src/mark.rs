//! From where flows are read on: how far those of an interrupted run were settled without a gap,
//! and by what others know rows that have changed.

use std::collections::BTreeMap;

use chatferry_core::{Entity, FlowAccount, OutcomeKind};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::{Ledger, LedgerError, RunId};

/// How far a flow is settled: every row before a position in its order has its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The flow.
    pub flow: String,
    /// The run that read it from its first row on.
    pub begun_in: i64,
    /// Where the rows begin that are not known to be settled.
    pub position: String,
    /// Of the records that were delivered since the reading began, the number of the last before,
    /// and of the last that is surely of a row before the position.
    pub records: (i64, i64),
    /// What became of the rows before.
    pub before: FlowAccount,
}

/// A flow's account as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    entity: u8,
    read: u64,
    settled_before: u64,
    #[serde(default)]
    differing: u64,
    outcomes: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Kept {
    fn of(account: &FlowAccount) -> Self {
        let mut outcomes: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for ((kind, reason), rows) in &account.outcomes {
            let reasons = outcomes.entry(kind.name().to_owned()).or_default();
            reasons.insert(reason.clone(), *rows);
        }
        Self {
            entity: account.entity.number(),
            read: account.read,
            settled_before: account.settled_before,
            differing: account.differing,
            outcomes,
        }
    }

    fn account(self, flow: String) -> Option<FlowAccount> {
        let mut account = FlowAccount::new(flow, Entity::from_number(self.entity)?);
        account.read = self.read;
        account.settled_before = self.settled_before;
        account.differing = self.differing;
        for (kind, reasons) in self.outcomes {
            let kind = OutcomeKind::from_name(&kind)?;
            for (reason, rows) in reasons {
                account.add(kind, &reason, rows);
            }
        }
        Some(account)
    }
}

impl Mark {
    pub(crate) fn kept(&self) -> String {
        serde_json::to_string(&Kept::of(&self.before)).expect("numbers and texts become JSON")
    }

    fn read(row: &SqliteRow) -> Option<Self> {
        let flow: String = row.get(0);
        let kept: Kept = serde_json::from_str(row.get(5)).ok()?;
        Some(Self {
            begun_in: row.get(1),
            position: row.get(2),
            records: (row.get(3), row.get(4)),
            before: kept.account(flow.clone())?,
            flow,
        })
    }
}

impl Ledger {
    /// The marks that the last run left behind, if it ran the same pipeline and was interrupted.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn marks(&mut self, pipeline: u64) -> Result<Vec<Mark>, LedgerError> {
        let rows = sqlx::query(
            "SELECT m.flow, m.begun_in, m.position, m.first_record, m.last_record, m.before \
             FROM marks m JOIN runs r ON r.run = m.run \
             WHERE r.run = (SELECT max(run) FROM runs) AND r.pipeline = ? \
             AND r.ended IS NOT 'complete' ORDER BY m.flow",
        )
        .bind(crate::write::stored(pipeline))
        .fetch_all(&mut self.connection)
        .await
        .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        Ok(rows.iter().filter_map(Mark::read).collect())
    }

    /// By what each flow of this pipeline knows rows that have changed since it was read, as
    /// [`keep_changes`](Self::keep_changes) was told.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be read.
    pub async fn changes(
        &mut self,
        pipeline: u64,
    ) -> Result<BTreeMap<String, String>, LedgerError> {
        let rows = sqlx::query_as("SELECT flow, changed FROM changes WHERE pipeline = ?")
            .bind(crate::write::stored(pipeline))
            .fetch_all(&mut self.connection)
            .await
            .map_err(|error| LedgerError::sqlite("read", &self.path, &error))?;
        Ok(rows.into_iter().collect())
    }

    /// Writes down by what flows of this pipeline, which were read to their ends, know rows that
    /// have changed since.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be written.
    pub async fn keep_changes(
        &mut self,
        pipeline: u64,
        changes: &[(String, String)],
    ) -> Result<(), LedgerError> {
        for (flow, changed) in changes {
            let written = sqlx::query("INSERT OR REPLACE INTO changes VALUES (?, ?, ?)")
                .bind(flow)
                .bind(crate::write::stored(pipeline))
                .bind(changed)
                .execute(&mut self.connection)
                .await;
            written.map_err(|error| LedgerError::sqlite("write", &self.path, &error))?;
        }
        Ok(())
    }

    /// Takes over the marks of the run before, of the flows that this run goes on with, and
    /// forgets all others.
    ///
    /// # Errors
    ///
    /// When the ledger cannot be written.
    pub async fn keep_marks(&mut self, run: RunId, flows: &[String]) -> Result<(), LedgerError> {
        let flows = serde_json::to_string(flows).expect("texts become JSON");
        let forget =
            sqlx::query("DELETE FROM marks WHERE flow NOT IN (SELECT value FROM json_each(?))");
        let keep = sqlx::query("UPDATE marks SET run = ?");
        for statement in [forget.bind(flows), keep.bind(run.0)] {
            let written = statement.execute(&mut self.connection).await;
            written.map_err(|error| LedgerError::sqlite("write", &self.path, &error))?;
        }
        Ok(())
    }
}
