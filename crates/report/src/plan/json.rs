//! A plan as JSON. Keys may come to be; none changes its meaning or goes away within a major
//! version.

use chatferry_core::OutcomeKind;
use chatferry_runtime::plan::{Example, Most};
use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::{Plan, named};
use crate::account::flows;

impl Plan<'_> {
    /// The plan as JSON, for programs.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let forecast = self.forecast;
        let delivery = &forecast.delivery;
        let mut flows = flows(&forecast.account, |place, kind, reason| {
            let is_reason = kind != OutcomeKind::Imported;
            let examples = self.examples(place, kind, reason).iter().map(example);
            is_reason.then(|| ("examples", examples.collect()))
        });
        for (place, rows) in forecast.not_read_again.iter().enumerate() {
            flows[place]["notReadAgain"] = json!(rows);
            flows[place]["onlyChanges"] = json!(forecast.only_changes.contains(&place));
        }
        let needs = forecast.needs.iter().map(|(entity, need)| {
            json!({ "entity": entity.name(), "records": need.records, "requests": need.requests,
                    "bytes": need.bytes })
        });
        let months = forecast.months.iter().map(|(month, messages)| {
            json!({ "month": named(*month), "due": messages.due, "earlier": messages.earlier })
        });
        let alike = forecast.collisions.examples.iter();
        let alike = alike.map(|(entity, id)| json!({ "entity": entity.name(), "id": id }));
        json!({
            "pipeline": self.pipeline,
            "addsUp": forecast.account.adds_up(),
            "ledger": forecast.has_ledger,
            "flows": flows,
            "needs": needs.collect::<Vec<_>>(),
            "records": forecast.records(),
            "requests": forecast.requests(),
            "requestsPerMinute": delivery.requests_per_minute,
            "recordsPerRequest": delivery.records_per_request,
            "secondsNeeded": forecast.time().map(|time| time.as_secs()),
            "ends": self.ends().map(|ends| ends.to_rfc3339_opts(SecondsFormat::Secs, true)),
            "months": months.collect::<Vec<_>>(),
            "conversations": most(&forecast.conversations),
            "unknown": most(&forecast.unknown),
            "blocking": most(&forecast.blocking),
            "duplicates": most(&forecast.duplicates),
            "capitals": { "count": forecast.collisions.count, "examples": alike.collect::<Vec<_>>() },
            "retention": {
                "oldest": self.oldest.map(|oldest| oldest.timestamp()),
                "skipped": self.too_old(),
            },
            "allowance": {
                "messages": delivery.message_allowance,
                "delivered": forecast.messages_before,
                "beyond": forecast.beyond_allowance().unwrap_or_default(),
            },
            "seconds": forecast.took.as_secs_f64(),
        })
    }
}

fn example(example: &Example) -> Value {
    let place = example.place.as_ref().map(ToString::to_string);
    json!({ "id": example.id, "place": place, "detail": example.detail })
}

fn most(most: &Most) -> Value {
    let top = most
        .top
        .iter()
        .map(|it| json!({ "name": it.name, "count": it.count, "unseen": it.unseen }));
    json!({ "different": most.different, "exact": most.exact, "top": top.collect::<Vec<_>>() })
}
