//! What is noticed of the times at which a source works.

use crate::noticed;

noticed! {
    work_that_needs_a_runtime_to_be_begun: NeedsRuntimeToBegin, "a scan needs no runtime";
    a_task_before_the_first_poll: BeginsTask, "no task is begun";
    a_row_that_is_read_before_the_first_poll: ReadsBeforePoll, "no row is read";
    rows_in_another_order_each_time: RandomRows, "two scans give the same rows";
    another_end_each_time: RandomEnd, "two scans end alike";
    a_cursor_that_all_scans_share: OneCursorForAll, "scans that are open at once do not meet";
    a_scan_that_may_not_be_left: LeavingLosesRow, "a scan that was left changes nothing for others";
    reading_ahead_without_end: ReadsAhead, "a source is not ahead of who pulls";
    reading_on_for_nobody: ReadsOnWhenDropped, "no work is done after a stream is dropped";
}
