//! When a run ends although there is more to send: too much of the last is refused, or all that
//! may be imported is.

use std::collections::VecDeque;

use chatferry_core::{Delivery, Entity, FailureBudget};

/// What was used up so far.
#[derive(Debug)]
pub(crate) struct Limits {
    budget: Option<FailureBudget>,
    /// Whether each of the records answered last was refused.
    answered: VecDeque<bool>,
    refused: usize,
    allowance: Option<u64>,
    /// Messages that were delivered, in earlier runs too.
    delivered: u64,
    /// Messages that were sent and have no outcome.
    open: u64,
}

impl Limits {
    /// Limits of which so many delivered messages have used up their part.
    pub(crate) fn new(delivery: &Delivery, delivered: u64) -> Self {
        Self {
            budget: delivery.failure_budget,
            answered: VecDeque::new(),
            refused: 0,
            allowance: delivery.message_allowance,
            delivered,
            open: 0,
        }
    }

    /// How many more records may be sent.
    pub(crate) fn left(&self, entity: Entity) -> usize {
        match self.allowance {
            Some(allowance) if entity == Entity::Messages => {
                let left = allowance.saturating_sub(self.delivered + self.open);
                usize::try_from(left).unwrap_or(usize::MAX)
            }
            _ => usize::MAX,
        }
    }

    /// Notes records that are sent for the first time.
    pub(crate) fn sent(&mut self, entity: Entity, records: usize) {
        if entity == Entity::Messages {
            self.open += records as u64;
        }
    }

    /// Notes what became of a record that was sent.
    pub(crate) fn settled(&mut self, entity: Entity, delivered: bool) {
        if entity == Entity::Messages {
            self.open = self.open.saturating_sub(1);
            self.delivered += u64::from(delivered);
        }
        let Some(budget) = self.budget else {
            return;
        };
        self.answered.push_back(!delivered);
        self.refused += usize::from(!delivered);
        if self.answered.len() > budget.of.get() && self.answered.pop_front() == Some(true) {
            self.refused -= 1;
        }
    }

    /// How many of the records answered last were refused, if that is more than may be.
    pub(crate) fn overdrawn(&self) -> Option<(usize, usize)> {
        let budget = self.budget?;
        let of = budget.of.get();
        let is_full = self.answered.len() == of;
        // More than the share, and not only as much: 0 % means that not one may be refused.
        let too_many = self.refused * 100 > usize::from(budget.percent) * of;
        (is_full && too_many).then_some((self.refused, of))
    }
}

#[cfg(test)]
mod tests {
    use chatferry_core::MessageOrder;

    use super::*;

    fn limits(percent: u8, of: usize, allowance: Option<u64>) -> Limits {
        let one = std::num::NonZeroUsize::MIN;
        let delivery = Delivery {
            requests_per_minute: None,
            records_per_request: one,
            bytes_per_request: one,
            in_flight: one,
            message_order: MessageOrder::Conversation,
            failure_budget: Some(FailureBudget {
                percent,
                of: of.try_into().expect("some"),
            }),
            message_allowance: allowance,
        };
        Limits::new(&delivery, 3)
    }

    #[test]
    fn only_the_last_count_and_only_when_there_are_enough() {
        let mut limits = limits(50, 4, None);
        for (delivered, overdrawn) in [
            (false, None),
            (false, None),
            (false, None),
            (false, Some((4, 4))),
            (true, Some((3, 4))),
            (true, None),
            (true, None),
            (false, None),
        ] {
            limits.settled(Entity::Users, delivered);
            assert_eq!(limits.overdrawn(), overdrawn);
        }
    }

    #[test]
    fn what_is_open_is_not_left_and_what_is_refused_is_left_again() {
        let mut limits = limits(100, 10, Some(10));
        assert_eq!(limits.left(Entity::Groups), usize::MAX);
        assert_eq!(limits.left(Entity::Messages), 7);
        limits.sent(Entity::Messages, 5);
        assert_eq!(limits.left(Entity::Messages), 2);
        limits.settled(Entity::Messages, true);
        limits.settled(Entity::Messages, false);
        assert_eq!(limits.left(Entity::Messages), 3);
    }
}
