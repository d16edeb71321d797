//! Settings that the tests of this connector begin with.

use std::num::NonZeroUsize;
use std::time::Duration;

use chatferry_cometchat::{Retention, Settings};
use chatferry_core::{Delivery, MessageOrder, Secret};

/// An app that nobody serves, without a limit or a retention window.
pub(crate) fn settings() -> Settings {
    Settings {
        base_url: "http://127.0.0.1:1/v3".parse().expect("it is a URL"),
        api_key: Secret::Value(String::new()),
        delivery: Delivery {
            requests_per_minute: None,
            records_per_request: NonZeroUsize::MIN,
            bytes_per_request: NonZeroUsize::MIN,
            in_flight: NonZeroUsize::MIN,
            message_order: MessageOrder::Conversation,
            failure_budget: None,
            message_allowance: None,
        },
        other_requests_per_minute: None,
        retention: Retention::Off,
        timeout: Duration::from_secs(1),
    }
}
