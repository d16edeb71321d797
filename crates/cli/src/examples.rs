//! What a few rows of each flow look like, as far as they come at once.

use std::time::Duration;

use chatferry_cometchat::{CometChat, ShapedRows};
use chatferry_core::{Destination, Flow, OutcomeKind, Prepared, Variables};
use chatferry_engine::{Choice, FlowPlan, Rewritten};
use chrono::Utc;
use futures::{StreamExt, TryStreamExt};
use serde_json::Value;
use tokio::time::Instant;

use crate::trouble::Trouble;

/// Rows of a flow that are looked at.
///
/// Enough to meet what half of a per cent of the rows have with some luck, and few enough that a
/// source gives them in one batch.
const ROWS: usize = 100;

/// A few rows of a flow, the first ones that came.
#[derive(Debug, Default)]
pub struct Examples {
    /// The records, as JSON, also those that break rules.
    pub records: Vec<Value>,
    /// How many rows were looked at.
    pub rows: usize,
    /// The rules by which some would be rejected: each with how many, and what exactly was found
    /// in the first of them.
    pub rejected: Vec<(String, usize, String)>,
    /// Ids that are changed to make the records' own ids.
    pub rewritten: Vec<Rewritten>,
    /// Whether they did not come in time.
    pub late: bool,
}

/// Looks at a few rows of each of these flows, for so long; at none where that is no time.
///
/// # Errors
///
/// When a source cannot be read.
pub async fn of(
    flows: &[&(Flow, std::sync::Arc<FlowPlan>)],
    destination: &CometChat,
    variables: &Variables,
    patience: Duration,
) -> Result<Vec<Examples>, Trouble> {
    if patience.is_zero() {
        return Ok(flows.iter().map(|_| Examples::none()).collect());
    }
    let deadline = Instant::now() + patience;
    let looks = flows.iter().map(|(flow, plan)| async move {
        let look = look(flow, plan, destination, variables);
        match tokio::time::timeout_at(deadline, look).await {
            Ok(examples) => examples,
            Err(_late) => Ok(Examples::none()),
        }
    });
    futures::future::try_join_all(looks).await
}

async fn look(
    flow: &Flow,
    plan: &FlowPlan,
    destination: &CometChat,
    variables: &Variables,
) -> Result<Examples, Trouble> {
    let choice = Choice {
        any: Some(ROWS),
        ..Choice::default()
    };
    let seen = plan.look(&choice, variables);
    // More rows than are wanted may come where some cannot be read.
    let mut seen = seen.expect("there is no condition").take(2 * ROWS);
    let now = Utc::now().timestamp();
    let mut examples = Examples::default();
    while let Some(seen) = seen.try_next().await? {
        examples.rows += 1;
        for row in &seen.shaped.rejected {
            examples.reject(&row.rule, &row.detail);
        }
        if seen.shaped.rows.num_rows() == 0 {
            continue;
        }
        let json = ShapedRows::new(&seen.shaped.rows).json(0);
        examples.records.extend(serde_json::from_str(&json));
        for prepared in destination.prepare(flow.entity, &seen.shaped.rows, now) {
            if let Prepared::Rejected(row) = prepared {
                examples.reject(&row.rule, &row.detail);
            }
        }
        examples.rewritten.extend(seen.rewritten);
    }
    Ok(examples)
}

impl Examples {
    /// Those that did not come.
    fn none() -> Self {
        Self {
            late: true,
            ..Self::default()
        }
    }

    fn reject(&mut self, rule: &str, detail: &str) {
        match self.rejected.iter_mut().find(|(known, ..)| known == rule) {
            Some((_, rows, _)) => *rows += 1,
            None => self.rejected.push((rule.to_owned(), 1, detail.to_owned())),
        }
    }

    /// The values of a field, by its dotted name, of those records that have one.
    pub fn values(&self, field: &str) -> impl Iterator<Item = &Value> {
        self.records.iter().filter_map(move |record| {
            let value = field.split('.').try_fold(record, |at, name| at.get(name))?;
            (!value.is_null()).then_some(value)
        })
    }
}

/// What a person can do about the rows that a rule would reject.
#[must_use]
pub fn advice(rule: &str) -> Option<&'static str> {
    crate::account::advice(OutcomeKind::Rejected, rule)
}
