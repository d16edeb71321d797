//! What a person may write in the table `[cometchat]`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use chatferry_config::{Section, Shape};
use chatferry_core::{Delivery, FailureBudget, MessageOrder, Mistake, Secret};
use chrono::{DateTime, Months, Utc};
use url::Url;

/// The settings of the destination.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the API is, without `/data_import`.
    pub base_url: Url,
    /// The REST API key, of the scope fullAccess.
    pub api_key: Secret,
    /// How fast, how many at once, in which order.
    pub delivery: Delivery,
    /// How many requests a minute the rest of the API takes: what verifies and undoes an import.
    /// `None` for as many as the machine can.
    pub other_requests_per_minute: Option<NonZeroU32>,
    /// How far back messages are taken.
    pub retention: Retention,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// How far back the app takes messages ("Migrate with skills": six months, unless extended
/// storage was arranged).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// As far back as there are messages.
    Off,
    /// So many calendar months.
    Months(u32),
    /// So many days.
    Days(u64),
}

impl Retention {
    /// The oldest time that is surely taken, in UNIX seconds.
    ///
    /// How the app counts months is not documented, so a day is kept as a margin.
    #[must_use]
    pub fn oldest(self, now: i64) -> Option<i64> {
        const DAY: i64 = 86_400;
        match self {
            Self::Off => None,
            Self::Days(days) => Some(now - i64::try_from(days).ok()?.checked_mul(DAY)? + DAY),
            Self::Months(months) => {
                let now: DateTime<Utc> = DateTime::from_timestamp(now, 0)?;
                Some(now.checked_sub_months(Months::new(months))?.timestamp() + DAY)
            }
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self::Off);
        }
        let (number, unit) = text.trim().split_once(' ')?;
        let unit = unit.trim();
        match unit {
            "month" | "months" => Some(Self::Months(number.parse().ok()?)),
            "year" | "years" => Some(Self::Months(number.parse::<u32>().ok()?.checked_mul(12)?)),
            "day" | "days" => Some(Self::Days(number.parse().ok()?)),
            _ => None,
        }
    }
}

/// Records a request carries at most ("Data migration: constraints").
const RECORDS_PER_REQUEST: usize = 50;
/// Bytes a body has at most unless told otherwise. The API's own limit is not documented; ten
/// times this was never needed for 50 records.
const BYTES_PER_REQUEST: u64 = 512 * 1024;

/// Import requests a minute ("Data migration: constraints").
const REQUESTS: u32 = 60;
/// Other requests a minute that every plan allows ("Rate limits": the free one; others allow
/// 10,000 and more).
const OTHER_REQUESTS: u32 = 500;

/// How slow answers may be before slots are lost because too many requests are under way.
const SLOW: Duration = Duration::from_secs(15);
/// How many requests may be under way, unless told otherwise: at least and at most.
///
/// Eight keep the machine busy where nothing limits. Each carries some 50 records that wait in
/// memory and may be in doubt, so a faster pace than the API's own does not make them many more.
const IN_FLIGHT: (NonZeroUsize, NonZeroUsize) = (
    NonZeroUsize::new(8).expect("some"),
    NonZeroUsize::new(64).expect("some"),
);

/// What may be refused unless told otherwise. When every second record is, the rest of the quota is
/// better spent after a look at the reason.
const BUDGET: FailureBudget = FailureBudget {
    percent: 50,
    of: NonZeroUsize::new(500).expect("some"),
};

impl Settings {
    /// Reads them from the table.
    pub(crate) fn plan(section: &mut Section<'_>) -> Option<Self> {
        let base_url = base_url(section);
        let api_key = section.required_secret("api_key", "the REST API key of the app");

        let requests_per_minute = pace(section, "requests_per_minute", REQUESTS);
        let others = pace(section, "other_requests_per_minute", OTHER_REQUESTS);
        let records = section.count("records_per_request");
        let bytes = section
            .bytes("bytes_per_request")
            .map_or(BYTES_PER_REQUEST, |set| set.value);
        let in_flight = section.count("in_flight").map(|set| set.value.get());
        let order = section.choice("message_order", &["conversation", "strict"]);
        let budget = budget(section);
        let allowance = section.count("message_allowance");
        let retention = retention(section);
        let timeout = section
            .duration("timeout")
            .map_or(Duration::from_secs(60), |set| set.value);

        let records_per_request = match records {
            Some(set) if set.value.get() > RECORDS_PER_REQUEST as u64 => {
                section.mistake(
                    Mistake::error(
                        "cometchat::too-many-records",
                        "a request carries at most 50 records",
                        set.at,
                    )
                    .label("more than the API takes")
                    .help("leave it out, or write 50 or less"),
                );
                RECORDS_PER_REQUEST
            }
            Some(set) => usize::try_from(set.value.get()).unwrap_or(RECORDS_PER_REQUEST),
            None => RECORDS_PER_REQUEST,
        };
        Some(Self {
            base_url: base_url?,
            api_key: api_key?.value,
            delivery: Delivery {
                requests_per_minute: requests_per_minute?,
                records_per_request: NonZeroUsize::new(records_per_request)?,
                bytes_per_request: NonZeroUsize::new(usize::try_from(bytes).ok()?)?,
                in_flight: match in_flight {
                    Some(written) => NonZeroUsize::new(usize::try_from(written).ok()?)?,
                    None => in_flight_at(requests_per_minute?),
                },
                message_order: match order.map(|set| set.value) {
                    Some("strict") => MessageOrder::Strict,
                    _ => MessageOrder::Conversation,
                },
                failure_budget: budget?,
                message_allowance: allowance.map(|set| set.value.get()),
            },
            other_requests_per_minute: others?,
            retention: retention?,
            timeout,
        })
    }
}

/// How many requests may be under way at once at that pace.
fn in_flight_at(pace: Option<NonZeroU32>) -> NonZeroUsize {
    let begun = pace.map_or(0, |pace| u64::from(pace.get()) * SLOW.as_secs() / 60);
    let begun = usize::try_from(begun).unwrap_or(usize::MAX);
    let within = begun.clamp(IN_FLIGHT.0.get(), IN_FLIGHT.1.get());
    NonZeroUsize::new(within).unwrap_or(IN_FLIGHT.0)
}

/// Where the API is: as written, or made of the app's id and region.
fn base_url(section: &mut Section<'_>) -> Option<Url> {
    // Asked for in any case, so that none of them is an unknown key.
    let written = [section.get("app_id"), section.get("region")];
    if section.get("base_url").is_some() {
        let text = section.text("base_url")?;
        let url = Url::parse(text.value.trim_end_matches('/')).ok();
        let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if url.is_none() {
            section.mistake(
                Mistake::error(
                    "cometchat::invalid-url",
                    "this is not a URL of an API",
                    text.at,
                )
                .label("not a URL")
                .help("such as https://APPID.api-eu.cometchat.io/v3"),
            );
        }
        return url;
    }
    for (node, (key, about)) in written.iter().zip([
        ("app_id", "the id of the app, from the dashboard"),
        ("region", "where the app lives: us, eu or in"),
    ]) {
        if node.is_none() {
            section.missing(key, about);
        }
    }
    let app_id = section.text("app_id");
    let region = section.choice("region", &["us", "eu", "in"]);
    let (app_id, region) = (app_id?, region?);
    let id = app_id.value.trim();
    let is_plain = !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let url = Url::parse(&format!(
        "https://{id}.api-{}.cometchat.io/v3",
        region.value
    ))
    .ok();
    let url = url.filter(|_| is_plain);
    if url.is_none() {
        section.mistake(
            Mistake::error(
                "cometchat::invalid-app-id",
                "this is not an app id",
                app_id.at,
            )
            .label("not an app id")
            .help("the dashboard shows it under \"API & Auth Keys\", such as 2536f2a1e8c3a7b"),
        );
    }
    url
}

/// Requests a minute; the outer `None` is a mistake, the inner one no limit.
fn pace(section: &mut Section<'_>, key: &str, unless_written: u32) -> Option<Option<NonZeroU32>> {
    let Some(node) = section.get(key) else {
        return Some(NonZeroU32::new(unless_written));
    };
    if node.kind() == Shape::Text && node.text()?.value == "off" {
        return Some(None);
    }
    let count = section.count(key)?;
    Some(NonZeroU32::new(
        u32::try_from(count.value.get()).unwrap_or(u32::MAX),
    ))
}

/// What may be refused; the outer `None` is a mistake, the inner one everything.
fn budget(section: &mut Section<'_>) -> Option<Option<FailureBudget>> {
    let Some(text) = section.text("failure_budget") else {
        return Some(Some(BUDGET));
    };
    if text.value == "off" {
        return Some(None);
    }
    let budget = budget_of(&text.value);
    if budget.is_none() {
        section.mistake(
            Mistake::error(
                "cometchat::invalid-budget",
                "this is not a share of the last records",
                text.at,
            )
            .label("not a share")
            .help("write such as \"5 % of 1000\"; \"off\" goes on whatever is refused"),
        );
    }
    budget.map(Some)
}

fn budget_of(text: &str) -> Option<FailureBudget> {
    let (percent, of) = text.split_once('%')?;
    Some(FailureBudget {
        percent: percent
            .trim()
            .parse()
            .ok()
            .filter(|percent| *percent < 100)?,
        of: of.trim().strip_prefix("of ")?.trim().parse().ok()?,
    })
}

fn retention(section: &mut Section<'_>) -> Option<Retention> {
    let Some(text) = section.text("retention") else {
        return Some(Retention::Months(6));
    };
    let retention = Retention::parse(&text.value);
    if retention.is_none() {
        section.mistake(
            Mistake::error(
                "cometchat::invalid-retention",
                "this is not a retention window",
                text.at,
            )
            .label("not a number of days, months or years")
            .help("write such as \"6 months\" or \"90 days\"; \"off\" sends messages of any age"),
        );
    }
    retention
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_keeps_a_day_as_a_margin() {
        let now = 1_750_000_000; // 2025-06-15
        let oldest = Retention::Months(6).oldest(now).unwrap();
        assert_eq!(oldest, 1_734_275_200 + 86_400); // 2024-12-15 at the same time of day
        assert_eq!(Retention::Days(10).oldest(now), Some(now - 9 * 86_400));
        assert_eq!(Retention::Off.oldest(now), None);
    }

    #[test]
    fn slow_answers_cost_no_slots() {
        let at = |pace| in_flight_at(NonZeroU32::new(pace)).get();
        assert_eq!([0, 1, 60, 120, 600].map(at), [8, 8, 15, 30, 64]);
    }

    #[test]
    fn a_budget_is_a_share_of_the_last_records() {
        assert_eq!(budget_of("50 % of 500"), Some(BUDGET));
        let none = budget_of("0% of 1").map(|budget| (budget.percent, budget.of.get()));
        assert_eq!(none, Some((0, 1)));
        for wrong in [
            "",
            "5 %",
            "5 of 10",
            "100 % of 10",
            "5 % of 0",
            "-1 % of 9",
            "5 % of ten",
        ] {
            assert_eq!(budget_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn windows_are_written_in_words() {
        assert_eq!(Retention::parse("6 months"), Some(Retention::Months(6)));
        assert_eq!(Retention::parse("1 year"), Some(Retention::Months(12)));
        assert_eq!(Retention::parse("off"), Some(Retention::Off));
        assert_eq!(Retention::parse("soon"), None);
    }
}
