//! Where the scans of a flow begin and end, and which of them may be read on.
//!
//! A [bookmark](chatferry_core::Bookmark) stands for rows of a table and not of the flow. So a
//! table is read on only where what the flow makes of its rows does not depend on others of them,
//! which would not be read again: where it is read once, by steps that look at each row alone, and
//! no other table of the flow is read on.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use chatferry_core::Bookmark;
use datafusion::common::{JoinSide, JoinType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};

use crate::table::SourceScan;

/// The bookmarks of the scans of one reading of a flow.
#[derive(Debug, Default)]
pub(crate) struct Bookmarks {
    /// For each table that the plan reads whether it may be read on.
    may: BTreeMap<String, bool>,
    /// Where the one table begins that is read on.
    since: Option<(String, String)>,
    begun: Mutex<BTreeMap<String, Begun>>,
}

#[derive(Debug)]
struct Begun {
    bookmark: Bookmark,
    ended: bool,
}

impl Bookmarks {
    /// Those of a reading by this plan, which begins there; `None` when it cannot begin there.
    pub(crate) fn of(plan: &dyn ExecutionPlan, since: Option<(String, String)>) -> Option<Self> {
        let mut may = BTreeMap::new();
        look(plan, true, &mut may);
        if let Some((table, _)) = &since
            && may.get(table) != Some(&true)
        {
            return None;
        }
        Some(Self {
            may,
            since,
            begun: Mutex::default(),
        })
    }

    /// The bookmark of a scan of that table, which begins.
    pub(crate) fn begin(&self, table: &str) -> Bookmark {
        let since = self.since.as_ref().filter(|(of, _)| of == table);
        let bookmark = since.map_or_else(Bookmark::default, |(_, at)| Bookmark::since(at));
        let begun = Begun {
            bookmark: bookmark.clone(),
            ended: false,
        };
        self.begun().insert(table.to_owned(), begun);
        bookmark
    }

    /// Notes that the scan of that table has given all its rows.
    pub(crate) fn ended(&self, table: &str) {
        if let Some(begun) = self.begun().get_mut(table) {
            begun.ended = true;
        }
    }

    /// Where the flow, which was read to its end, can be read on from.
    pub(crate) fn left(&self) -> Option<(String, String)> {
        let begun = self.begun();
        let mut left = begun
            .iter()
            .filter_map(|(table, it)| Some((table, it.bookmark.left()?, it.ended)));
        let (table, at, ended) = left.next()?;
        let may = left.next().is_none() && self.may.get(table) == Some(&true);
        (may && ended).then(|| (table.clone(), at))
    }

    fn begun(&self) -> MutexGuard<'_, BTreeMap<String, Begun>> {
        self.begun.lock().expect("no holder of this lock panics")
    }
}

/// Looks for the scans in a plan. `alone` is whether each row is looked at alone by all steps
/// after it.
fn look(plan: &dyn ExecutionPlan, alone: bool, may: &mut BTreeMap<String, bool>) {
    if let Some(scan) = plan.downcast_ref::<SourceScan>() {
        let known = may.contains_key(scan.table());
        may.insert(scan.table().to_owned(), alone && !known);
    }
    for (side, child) in plan.children().into_iter().enumerate() {
        look(child.as_ref(), alone && is_row_by_row(plan, side), may);
    }
}

/// Whether a step makes of each row that this input gives what it would make of it without the
/// others.
fn is_row_by_row(step: &dyn ExecutionPlan, input: usize) -> bool {
    let side = if input == 0 {
        JoinSide::Left
    } else {
        JoinSide::Right
    };
    if let Some(join) = step.downcast_ref::<HashJoinExec>() {
        return gives_each(*join.join_type(), side);
    }
    if let Some(join) = step.downcast_ref::<NestedLoopJoinExec>() {
        return gives_each(*join.join_type(), side);
    }
    if let Some(join) = step.downcast_ref::<SortMergeJoinExec>() {
        return gives_each(join.join_type(), side);
    }
    matches!(
        step.name(),
        "FilterExec"
            | "ProjectionExec"
            | "UnnestExec"
            | "UnionExec"
            | "CrossJoinExec"
            | "SortExec"
            | "PartialSortExec"
            | "SortPreservingMergeExec"
            | "CoalesceBatchesExec"
            | "CoalescePartitionsExec"
            | "RepartitionExec"
            | "CooperativeExec"
            | "BufferExec"
    )
}

/// Whether rows of that side are joined each for itself. The rows of the other side are not, where
/// a join also gives those that find no partner.
const fn gives_each(join: JoinType, side: JoinSide) -> bool {
    match join {
        JoinType::Inner => true,
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
            matches!(side, JoinSide::Left)
        }
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
            matches!(side, JoinSide::Right)
        }
        JoinType::Full => false,
    }
}
