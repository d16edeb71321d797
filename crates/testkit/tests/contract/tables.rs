//! What is noticed of tables and their descriptions.

use crate::noticed;

noticed! {
    tables_out_of_order: TablesUnsorted, "the names of tables are sorted";
    a_table_that_is_listed_twice: TableTwice, "no two tables have the same name";
    a_table_that_is_not_listed: TableUnlisted, "the table is among those listed";
    a_description_that_is_not_kept: DescriptionLost, "asking again costs nothing";
    a_description_that_may_not_be_broken_off: DescriptionBrokenOff, "the table is described";
    a_description_of_another_table: OtherName, "a table knows its name";
    two_columns_of_one_name: ColumnTwice, "no two columns have the same name";
    an_order_by_nothing: OrderOfNothing, "an order has columns";
    an_order_by_a_column_that_is_not_there: OrderOfUnknown, "an order names columns of the table";
    a_note_that_says_nothing: EmptyNote, "a note says something";
    a_description_of_what_is_not_there: KnowsEveryTable, "an unknown table is an error";
    rows_of_what_is_not_there: ReadsEveryTable, "a table that is not there cannot be read";
    a_wrong_number_of_rows: RowsMiscounted, "there are as many rows as described";
    an_order_that_is_not_kept: OrderNotKept, "`id` never descends";
    nulls_that_come_before_the_end: NullsFirst, "nulls of `name` come last";
    json_that_is_none: NoJson, "text that is marked as JSON is JSON";
}
