//! What is noticed of batches, columns, limits, filters and orders.

use crate::noticed;

noticed! {
    a_table_that_gives_nothing_but_an_error: NothingButAnError, "a table that is described can be read";
    a_batch_without_rows: EmptyBatch, "no batch is empty";
    a_batch_that_is_too_long: BatchTooLong, "a batch has at most so many rows";
    a_batch_of_another_schema: OtherSchema, "each batch fits the schema of the scan";
    a_row_lost_between_batches: RowLostBetweenBatches, "the size of batches changes no row";
    rows_rejected_for_the_size_of_batches: RejectedByBatch, "the size of batches rejects no other row";
    an_end_that_depends_on_the_size_of_batches: EndsByBatch, "the size of batches changes no end";
    a_rejected_row_without_a_reason: RejectedWithoutReason, "a rejected row says why";
    a_rejected_row_without_a_place: RejectedWithoutPlace, "a rejected row says where it stands";
    rows_that_are_not_counted_without_columns: CountNeedsColumns, "no batch is empty";
    a_value_that_depends_on_the_columns: ValueDependsOnColumns, "a column is the same whichever others are wanted";
    a_limit_that_takes_too_much: LimitTooLow, "a limit takes no row that is wanted";
    a_limit_that_repeats_rows: LimitMakesRows, "a limit makes no other rows";
    a_filter_that_is_not_applied: FilterIgnored, "only rows where";
    a_comparison_that_keeps_nulls: FilterKeepsNulls, "only rows where";
    a_filter_that_needs_its_column_to_be_wanted: FilterNeedsItsColumn, "only rows where";
    a_filter_on_an_unknown_column: FilterOnUnknownColumn, "no condition on an unknown column is honoured";
    an_order_that_is_not_given: OrderIgnored, "come last";
    an_order_that_loses_a_row: OrderLosesRow, "changes no row: as many rows";
    going_on_after_the_row_instead_of_with_it: GoesOnTooLate, "going on where";
}
