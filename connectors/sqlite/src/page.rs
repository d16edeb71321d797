//! The SQL of one page: the rows after the last one that was read, in order, and not too many.

use sqlx::Sqlite;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;

/// Rows of a page at most.
///
/// With more, a page of short rows takes longer to hand over than to read; with fewer, finding the
/// place again for each page shows.
pub(crate) const MOST_ROWS: usize = 8_192;
/// Bytes of a table that is read as one page, because it has no key.
pub(crate) const ONE_PAGE_BYTES: u64 = 64 << 20;
/// Bytes that a page should have, roughly.
const PAGE_BYTES: u64 = 8 << 20;
/// Bytes that a page may have even if all its rows are as long as the longest.
const WORST_BYTES: u64 = 64 << 20;

/// How many rows a page may have whose rows have so many bytes on average, and at most.
pub(crate) fn rows_of(average: u64, longest: u64) -> usize {
    let fitting = (PAGE_BYTES / average.max(1)).min(WORST_BYTES / longest.max(1));
    usize::try_from(fitting).map_or(MOST_ROWS, |rows| rows.clamp(1, MOST_ROWS))
}

/// Whether two keys are one to SQLite, to which `1` and `1.0` are equal.
pub(crate) fn are_alike(one: &[Bound], other: &[Bound]) -> bool {
    let alike = |(one, other): (&Bound, &Bound)| match (one, other) {
        (Bound::Whole(whole), Bound::Real(real)) | (Bound::Real(real), Bound::Whole(whole)) => {
            // Exactly, so that no large number is taken for its neighbour; + 0.0 for -0.0.
            real.fract() == 0.0 && format!("{:.0}", real + 0.0) == whole.to_string()
        }
        _ => one == other,
    };
    one.len() == other.len() && one.iter().zip(other).all(alike)
}

/// A value as it is kept, to be compared with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Bound {
    Null,
    Whole(i64),
    Real(f64),
    Text(String),
    /// Text that is not UTF-8.
    BadText(Vec<u8>),
    Bytes(Vec<u8>),
}

impl Bound {
    /// What stands for it in SQL.
    const fn sql(&self) -> &'static str {
        match self {
            // SQLite makes text of a blob without looking at it.
            Self::BadText(_) => "CAST(? AS TEXT)",
            _ => "?",
        }
    }
}

/// A column that rows are ordered by.
#[derive(Clone, Debug)]
pub(crate) struct Sort {
    /// The column as SQL compares it.
    pub(crate) sql: String,
    /// Where it stands among those selected.
    pub(crate) place: usize,
    /// Whether a collation is said.
    pub(crate) is_collated: bool,
}

/// The rows whose first sort column has a value come first, then those where it is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// All rows: the first sort column is never null.
    All,
    Values,
    Nulls,
}

/// A condition, and the values in it.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) sql: String,
    pub(crate) values: Vec<Bound>,
}

/// All pages of a scan.
#[derive(Clone, Debug)]
pub(crate) struct Pages {
    pub(crate) from: String,
    pub(crate) select: Vec<String>,
    /// What must hold for every row.
    pub(crate) conditions: Vec<Condition>,
    /// What must hold for the first row, and then holds for all others.
    pub(crate) beginning: Vec<Condition>,
    /// What the rows are ordered by; none is null but perhaps the first. Nothing when all rows are
    /// one page.
    pub(crate) sorts: Vec<Sort>,
}

impl Pages {
    /// Selects something, once; gives its place.
    pub(crate) fn select(&mut self, sql: String) -> usize {
        let known = self.select.iter().position(|selected| *selected == sql);
        known.unwrap_or_else(|| {
            self.select.push(sql);
            self.select.len() - 1
        })
    }

    /// What the rows of a part are ordered by.
    pub(crate) fn sorts(&self, part: Part) -> &[Sort] {
        match part {
            Part::All | Part::Values => &self.sorts,
            Part::Nulls => &self.sorts[1..],
        }
    }

    /// The statement that reads so many rows of a part after one with these values in its sort
    /// columns, and the values to be bound.
    pub(crate) fn statement(
        &self,
        part: Part,
        after: Option<&[Bound]>,
        limit: Option<usize>,
    ) -> (String, Vec<Bound>) {
        let sorts = self.sorts(part);
        let first = self.sorts.first().map_or("", |sort| &sort.sql);
        let beginning = self.beginning.iter().filter(|_| after.is_none());
        let all: Vec<&Condition> = self.conditions.iter().chain(beginning).collect();
        let mut conditions: Vec<String> = all.iter().map(|one| format!("({})", one.sql)).collect();
        let mut values: Vec<Bound> = all.iter().flat_map(|one| one.values.clone()).collect();
        match part {
            Part::All => {}
            // Where there is a last row, only values come after it anyway.
            Part::Values if after.is_some() => {}
            Part::Values => conditions.push(format!("{first} IS NOT NULL")),
            Part::Nulls => conditions.push(format!("{first} IS NULL")),
        }
        let names = sorts.iter().map(|sort| sort.sql.as_str());
        let names = names.collect::<Vec<_>>().join(", ");
        match after {
            None | Some([]) => {}
            Some([only]) => conditions.push(format!("{names} > {}", only.sql())),
            Some(several) => {
                // SQLite finds the place in an index for several columns at once, but not when a
                // collation is said.
                if sorts.iter().any(|sort| sort.is_collated) {
                    conditions.push(format!("{} >= {}", sorts[0].sql, several[0].sql()));
                    values.push(several[0].clone());
                }
                let marks = several
                    .iter()
                    .map(Bound::sql)
                    .collect::<Vec<_>>()
                    .join(", ");
                conditions.push(format!("({names}) > ({marks})"));
            }
        }
        values.extend(after.into_iter().flatten().cloned());
        // Rows may only be wanted to be counted.
        let selected = match self.select.as_slice() {
            [] => "1".to_owned(),
            selected => selected.join(", "),
        };
        let mut statement = format!("SELECT {selected} FROM {}", self.from);
        if !conditions.is_empty() {
            statement.push_str(" WHERE ");
            statement.push_str(&conditions.join(" AND "));
        }
        if !names.is_empty() {
            statement.push_str(" ORDER BY ");
            statement.push_str(&names);
        }
        if let Some(limit) = limit {
            statement.push_str(" LIMIT ?");
            values.push(Bound::Whole(i64::try_from(limit).unwrap_or(i64::MAX)));
        }
        (statement, values)
    }
}

/// The query with a value bound.
pub(crate) fn bind(
    query: Query<'_, Sqlite, SqliteArguments>,
    value: Bound,
) -> Query<'_, Sqlite, SqliteArguments> {
    match value {
        Bound::Null => query.bind(None::<i64>),
        Bound::Whole(whole) => query.bind(whole),
        Bound::Real(real) => query.bind(real),
        Bound::Text(text) => query.bind(text),
        Bound::BadText(bytes) | Bound::Bytes(bytes) => query.bind(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(sorts: &[&str]) -> Pages {
        let mut pages = Pages {
            from: "`t`".into(),
            select: vec!["`a`".into()],
            conditions: vec![Condition {
                sql: "`b` = ? OR `b` IS NULL".into(),
                values: vec![Bound::Whole(1)],
            }],
            beginning: Vec::new(),
            sorts: Vec::new(),
        };
        for sort in sorts {
            let place = pages.select((*sort).to_owned());
            pages.sorts.push(Sort {
                sql: (*sort).to_owned(),
                place,
                is_collated: sort.contains("COLLATE"),
            });
        }
        pages
    }

    #[test]
    fn a_page_begins_after_the_last_row_of_the_one_before() {
        let one = pages(&["`a`"]);
        assert_eq!(
            one.statement(Part::All, None, Some(9)),
            (
                "SELECT `a` FROM `t` WHERE (`b` = ? OR `b` IS NULL) ORDER BY `a` LIMIT ?".into(),
                vec![Bound::Whole(1), Bound::Whole(9)]
            )
        );
        assert_eq!(
            one.statement(Part::All, Some(&[Bound::Whole(7)]), Some(9)),
            (
                "SELECT `a` FROM `t` WHERE (`b` = ? OR `b` IS NULL) AND `a` > ? ORDER BY `a` LIMIT ?"
                    .into(),
                vec![Bound::Whole(1), Bound::Whole(7), Bound::Whole(9)]
            )
        );
        let two = pages(&["`c`", "`a`"]);
        let last = [Bound::BadText(vec![255]), Bound::Whole(7)];
        assert_eq!(
            two.statement(Part::All, Some(&last), None),
            (
                "SELECT `a`, `c` FROM `t` WHERE (`b` = ? OR `b` IS NULL) AND (`c`, `a`) > (CAST(? AS \
                 TEXT), ?) ORDER BY `c`, `a`"
                    .into(),
                vec![Bound::Whole(1), last[0].clone(), last[1].clone()]
            )
        );
    }

    #[test]
    fn where_a_collation_is_said_the_place_in_an_index_is_said_too() {
        let two = pages(&["`c` COLLATE `X`", "`a`"]);
        let last = [Bound::Text("c".into()), Bound::Whole(7)];
        let (statement, values) = two.statement(Part::All, Some(&last), None);
        assert!(statement.contains("`c` COLLATE `X` >= ? AND (`c` COLLATE `X`, `a`) > (?, ?)"));
        assert_eq!(values.len(), 4);
        assert_eq!(values[1], values[2]);
    }

    #[test]
    fn nulls_are_a_part_of_their_own() {
        let two = pages(&["`c`", "`a`"]);
        assert_eq!(
            two.statement(Part::Values, None, Some(9)).0,
            "SELECT `a`, `c` FROM `t` WHERE (`b` = ? OR `b` IS NULL) AND `c` IS NOT NULL ORDER BY \
             `c`, `a` LIMIT ?"
        );
        assert_eq!(
            two.statement(Part::Nulls, Some(&[Bound::Whole(7)]), Some(9))
                .0,
            "SELECT `a`, `c` FROM `t` WHERE (`b` = ? OR `b` IS NULL) AND `c` IS NULL AND `a` > ? \
             ORDER BY `a` LIMIT ?"
        );
    }

    #[test]
    fn numbers_are_alike_only_where_they_are_equal() {
        let alike = |one, other| are_alike(&[one], &[other]);
        assert!(alike(Bound::Whole(1), Bound::Real(1.0)));
        assert!(alike(Bound::Real(-0.0), Bound::Whole(0)));
        assert!(!alike(Bound::Whole(1), Bound::Real(1.5)));
        let large = (1_i64 << 53) + 1;
        assert!(!alike(
            Bound::Whole(large),
            Bound::Real(9_007_199_254_740_992.0)
        ));
        assert!(!alike(Bound::Text("1".into()), Bound::Whole(1)));
    }

    #[test]
    fn a_page_has_fewer_rows_the_longer_they_are() {
        assert_eq!(rows_of(100, 1_000), MOST_ROWS);
        assert_eq!(rows_of(1 << 20, 1 << 20), 8);
        assert_eq!(rows_of(100, 32 << 20), 2);
        assert_eq!(rows_of(1 << 30, 1 << 30), 1);
    }
}
