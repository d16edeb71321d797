//! How many values were how large, in fixed steps.

/// How many values were at most as large as each bound, and larger than the one before it.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    bounds: &'static [f64],
    /// One more than there are bounds: the last is of all that are larger.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// Empty, with these bounds from the smallest to the largest.
    pub(crate) fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    pub(crate) fn add(&mut self, value: f64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        self.counts[place] += 1;
        self.sum += value;
    }

    /// Each bound with the number of values that are at most as large; infinity is the last.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        bounds.zip(self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        }))
    }

    pub(crate) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    pub(crate) const fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn each_bucket_holds_what_is_at_most_as_large(values in prop::collection::vec(0.0_f64..10.0, 0..50)) {
            let mut histogram = Histogram::new(&[0.5, 1.0, 5.0]);
            for value in &values {
                histogram.add(*value);
            }
            for (bound, count) in histogram.buckets() {
                let expected = values.iter().filter(|value| **value <= bound).count();
                prop_assert_eq!(count, expected as u64);
            }
            prop_assert_eq!(histogram.count(), values.len() as u64);
        }
    }
}
