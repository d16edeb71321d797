//! What the program says became of every row, out of its JSON.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::folder::Ended;

/// What became of the rows of one flow: `read`, `earlier`, `pending`, and every outcome, such as
/// `imported` and `skipped: system event`. What is zero is left out.
pub type Rows = BTreeMap<String, u64>;

/// The account of a run, by flow.
///
/// # Panics
///
/// When there is none, or its sums do not agree.
#[must_use]
pub fn of(ended: &Ended) -> BTreeMap<String, Rows> {
    let account = json(ended);
    assert_eq!(account["addsUp"], true, "{account}");
    let flows = account["flows"].as_array().expect("an account has flows");
    let flows = flows.iter().map(|flow| {
        let mut rows = Rows::new();
        for key in ["read", "earlier", "pending"] {
            rows.insert(key.into(), flow[key].as_u64().expect("a number"));
        }
        for outcome in flow["outcomes"].as_array().expect("a flow has outcomes") {
            let [name, reason] =
                ["outcome", "reason"].map(|key| outcome[key].as_str().expect("a text"));
            let name = if reason.is_empty() {
                name.to_owned()
            } else {
                format!("{name}: {reason}")
            };
            rows.insert(name, outcome["rows"].as_u64().expect("a number"));
        }
        let accounted: u64 = rows
            .iter()
            .filter(|(name, _)| *name != "read")
            .map(|(_, rows)| rows)
            .sum();
        assert_eq!(rows["read"], accounted, "the sums do not agree: {flow}");
        rows.retain(|_, rows| *rows > 0);
        (flow["flow"].as_str().expect("a name").to_owned(), rows)
    });
    flows.collect()
}

/// An account written down by hand.
#[must_use]
pub fn rows(rows: &[(&str, usize)]) -> Rows {
    let rows = rows.iter().filter(|(_, rows)| *rows > 0);
    rows.map(|(name, rows)| {
        (
            (*name).to_owned(),
            u64::try_from(*rows).expect("a small number"),
        )
    })
    .collect()
}

/// The JSON on standard output.
///
/// # Panics
///
/// When there is none.
#[must_use]
pub fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out)
        .unwrap_or_else(|error| panic!("{error}: {}{}", ended.out, ended.err))
}
