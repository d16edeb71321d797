//! Records of all kinds, for tests of what holds for all.

use proptest::prelude::*;

/// Something like a record, sound or not, of the fields `a`, `b` and `c`.
pub(crate) fn record() -> impl Strategy<Value = String> {
    prop::collection::vec((key(), value()), 0..4).prop_map(|fields| object(&fields))
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "null",
        "true",
        "1",
        "7",
        "9007199254740993",
        "1.5",
        "1e400",
        "\"a\"",
        "\"b\"",
        "\"",
        "{\"$oid\":\"5f\"}",
        "{\"$date\":\"2020-01-01T00:00:00Z\"}",
    ]);
    leaf.prop_map(str::to_owned)
        .prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3)
                    .prop_map(|items| format!("[{}]", items.join(","))),
                prop::collection::vec((key(), inner), 0..3).prop_map(|fields| object(&fields)),
            ]
        })
}

fn key() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c"])
}

fn object(fields: &[(&str, String)]) -> String {
    let fields = fields
        .iter()
        .map(|(key, value)| format!("\"{key}\":{value}"));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}
