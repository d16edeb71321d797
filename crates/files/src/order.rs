//! Whether the values of a column ever descend.

/// Follows one column through the rows as they are read.
///
/// A row's value is offered while the row is read, and counts once the row is known to be one.
#[derive(Debug, Default)]
pub struct Tracker {
    lost: bool,
    values: u64,
    first: Value,
    last: Value,
    offered: Value,
    /// Room for the next text, kept to be used again.
    room: Vec<u8>,
}

#[derive(Clone, Debug, Default)]
enum Value {
    #[default]
    None,
    Whole(i64),
    Text(Vec<u8>),
}

impl Value {
    fn descends_from(&self, last: &Self) -> bool {
        match (last, self) {
            (Self::None, _) => false,
            (Self::Whole(last), Self::Whole(next)) => next < last,
            (Self::Text(last), Self::Text(next)) => next < last,
            _ => true,
        }
    }
}

impl Tracker {
    /// A tracker for what no order is known of.
    #[must_use]
    pub fn lost() -> Self {
        Self {
            lost: true,
            ..Self::default()
        }
    }

    /// Whether values need still be offered.
    #[must_use]
    #[inline]
    pub fn follows(&self) -> bool {
        !self.lost
    }

    /// The row has this number.
    #[inline]
    pub fn offer_whole(&mut self, value: i64) {
        self.offered = Value::Whole(value);
    }

    /// The row has this text.
    pub fn offer_text(&mut self, value: &[u8]) {
        let mut text = match std::mem::take(&mut self.offered) {
            Value::Text(text) => text,
            _ => std::mem::take(&mut self.room),
        };
        text.clear();
        text.extend_from_slice(value);
        self.offered = Value::Text(text);
    }

    /// The row has something that has no order.
    pub fn lose(&mut self) {
        *self = Self::lost();
    }

    /// The row cannot be read: what it offered does not count.
    pub fn withdraw(&mut self) {
        self.offered = Value::None;
    }

    /// The row counts, and `rows` came before it. Without an offer its value is null.
    #[inline]
    pub fn settle(&mut self, rows: u64) {
        if !matches!(self.offered, Value::None) {
            self.count(rows);
        }
    }

    fn count(&mut self, rows: u64) {
        // Fewer values than rows: a null came before, and nulls may only come last.
        if self.offered.descends_from(&self.last) || self.values < rows {
            return self.lose();
        }
        if self.values == 0 {
            self.first = self.offered.clone();
        }
        self.values += 1;
        let passed = std::mem::replace(&mut self.last, std::mem::take(&mut self.offered));
        if let Value::Text(text) = passed {
            self.room = text;
        }
    }

    /// Adds what was followed in the rows behind these, of which there were `rows`.
    pub fn append(&mut self, later: Self, rows: u64) {
        if self.lost || later.lost {
            return self.lose();
        }
        if later.values == 0 {
            return;
        }
        if later.first.descends_from(&self.last) || self.values < rows {
            return self.lose();
        }
        if self.values == 0 {
            self.first = later.first;
        }
        self.values += later.values;
        self.last = later.last;
    }

    /// Whether there were values and none descended.
    #[must_use]
    pub fn held(&self) -> bool {
        !self.lost && self.values > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(values: &[Option<i64>]) -> Tracker {
        let mut tracker = Tracker::default();
        for (rows, value) in values.iter().enumerate() {
            if let Some(value) = value {
                tracker.offer_whole(*value);
            }
            tracker.settle(rows as u64);
        }
        tracker
    }

    /// Whether it holds, however the rows are parted.
    fn held(values: &[Option<i64>]) -> bool {
        let whole = followed(values).held();
        for part in 0..=values.len() {
            let mut tracker = followed(&values[..part]);
            tracker.append(followed(&values[part..]), part as u64);
            assert_eq!(tracker.held(), whole, "{values:?} parted at {part}");
        }
        whole
    }

    #[test]
    fn an_order_holds_while_nothing_descends_and_nulls_come_last() {
        assert!(held(&[Some(1), Some(1), Some(3), None, None]));
        assert!(!held(&[Some(1), Some(3), Some(2)]));
        assert!(!held(&[None, Some(1)]));
        assert!(!held(&[Some(1), None, Some(2)]));
        assert!(!held(&[None]));
    }
}
