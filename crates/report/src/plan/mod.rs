//! What a run would come to, told.

mod json;
mod text;

pub use text::Style;

use chatferry_core::{Entity, OutcomeKind};
use chatferry_runtime::Forecast;
use chatferry_runtime::plan::{Example, Messages, Month, Why};
use chrono::{DateTime, TimeDelta, Utc};

use crate::Advice;

/// The name under which a destination skips messages that are too old.
pub const TOO_OLD: &str = "older-than-retention";

/// Months that are shown one by one; years are, when there are more.
const MONTHS: usize = 36;

/// A forecast, and what has to be known to tell it.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The pipeline's name.
    pub pipeline: &'a str,
    /// What a run would come to.
    pub forecast: &'a Forecast,
    /// When it was made.
    pub now: DateTime<Utc>,
    /// The oldest time of a message that is taken, if there is one.
    pub oldest: Option<DateTime<Utc>>,
    /// What to do about reasons.
    pub advice: Advice,
}

/// Messages of some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    /// Which time: `2024-11`, or `2024`.
    pub name: String,
    /// How many.
    pub messages: Messages,
}

impl Plan<'_> {
    /// When a run that is started now would end, if a pace is set.
    #[must_use]
    pub fn ends(&self) -> Option<DateTime<Utc>> {
        let time = TimeDelta::from_std(self.forecast.time()?).ok()?;
        self.now.checked_add_signed(time)
    }

    /// How many messages are left out because of their age.
    #[must_use]
    pub fn too_old(&self) -> u64 {
        let flows = self.forecast.account.flows.iter();
        let key = (OutcomeKind::Skipped, TOO_OLD.to_owned());
        flows.filter_map(|flow| flow.outcomes.get(&key)).sum()
    }

    /// A few rows of a reason.
    pub(crate) fn examples(&self, place: usize, kind: OutcomeKind, reason: &str) -> &[Example] {
        let why: Why = (place, kind, reason.to_owned());
        self.forecast.examples.get(&why).map_or(&[], Vec::as_slice)
    }

    /// Messages by month, or by year where there are many months; also of those between that have
    /// none.
    #[must_use]
    pub fn periods(&self) -> Vec<Period> {
        let months = &self.forecast.months;
        let (Some((first, _)), Some((last, _))) =
            (months.first_key_value(), months.last_key_value())
        else {
            return Vec::new();
        };
        let span = (last.year - first.year) * 12 + i64::from(last.month) - i64::from(first.month);
        let by_year = usize::try_from(span).unwrap_or(usize::MAX) >= MONTHS;
        let mut periods: Vec<Period> = Vec::new();
        let mut month = *first;
        while month <= *last {
            let messages = months.get(&month).copied().unwrap_or_default();
            let name = match by_year {
                true => format!("{:04}", month.year),
                false => named(month),
            };
            match periods.last_mut().filter(|period| period.name == name) {
                Some(period) => {
                    period.messages.due += messages.due;
                    period.messages.earlier += messages.earlier;
                }
                None => periods.push(Period { name, messages }),
            }
            month = month.next();
        }
        periods
    }

    /// What should be known before a run is started.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let (Some(beyond), Some(allowance)) = (
            self.forecast.beyond_allowance(),
            self.forecast.delivery.message_allowance,
        ) {
            let delivered = self.forecast.messages_before;
            warnings.push(format!(
                "`message_allowance` is {}: {} delivered already and {} to come are {} too many, so the \
                 run would stop before its end. Have it raised with CometChat, and set it",
                crate::words::count(allowance),
                crate::words::counted(delivered, "message"),
                crate::words::count(self.due(Entity::Messages)),
                crate::words::count(beyond),
            ));
        }
        if self.forecast.collisions.count > 0 {
            warnings.push(
                "some ids differ in capitals alone, which CometChat does not tell apart: lower-casing \
                 them makes one of two; cometchat_id(...) keeps them apart"
                    .into(),
            );
        }
        warnings
    }

    /// How many records of an entity would be sent.
    #[must_use]
    pub fn due(&self, entity: Entity) -> u64 {
        self.forecast
            .needs
            .get(&entity)
            .map_or(0, |need| need.records)
    }
}

fn named(month: Month) -> String {
    format!("{:04}-{:02}", month.year, month.month)
}
