//! Rows beside what becomes of them, and what is known of a flow before it is read.

use arrow::datatypes::{DataType, Field};
use chatferry_core::{Sql, Value, Variables};
use chatferry_engine::{Choice, FlowPlan, Rewritten, Seen};
use futures::TryStreamExt;

use crate::stage::{Given, marked, numbers, over, rows, texts, values};

async fn look(plan: &FlowPlan, choice: &Choice<'_>) -> Vec<Seen> {
    let variables = Variables::from([("kind".to_owned(), Value::Text("bot".into()))]);
    let seen = plan.look(choice, &variables).unwrap();
    seen.try_collect().await.unwrap()
}

/// The text of a column of the row as it was read.
fn read(seen: &Seen, column: &str) -> String {
    let row = seen.row.as_ref().unwrap();
    values(row.column_by_name(column).unwrap()).remove(0)
}

fn condition(text: &str) -> Sql {
    Sql {
        text: text.to_owned(),
        at: Some(0..text.len()),
        verbatim: true,
    }
}

async fn people() -> FlowPlan {
    over(rows(vec![
        ("age", numbers(&[Some(9), Some(3), Some(7), None])),
        (
            "id",
            texts(&[Some("Ann"), Some("bo"), Some("cy"), Some("dee")]),
        ),
        ("kind", texts(&[None, Some("bot"), None, None])),
        ("seen", texts(&[Some("1"), Some("2"), Some("x"), Some("4")])),
    ]))
    .field("uid", "cometchat_id(id)")
    .field("createdAt", "CAST(seen AS BIGINT)")
    .skip("a bot", "kind = 'bot'")
    .order_by("age")
    .plan()
    .await
    .unwrap()
}

#[tokio::test]
async fn each_row_stands_beside_what_becomes_of_it() {
    let plan = people().await;
    let seen = look(&plan, &Choice::default()).await;
    let ids: Vec<_> = seen.iter().map(|seen| read(seen, "id")).collect();
    assert_eq!(ids, ["bo", "cy", "Ann", "dee"], "in the flow's order");
    let columns = seen[0].row.as_ref().unwrap().schema();
    let columns: Vec<_> = columns.fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(columns, ["age", "id", "kind", "seen"], "as they are read");
    assert_eq!(&*seen[0].shaped.skipped[0].reason, "a bot");
    assert_eq!(seen[1].shaped.rejected[0].rule, "expression-failed");
    let uid = seen[2].shaped.rows.column_by_name("uid").unwrap();
    let uid = values(uid).remove(0);
    let rewritten = Rewritten {
        from: "Ann".into(),
        to: uid,
    };
    assert_eq!(seen[2].rewritten, [rewritten]);
    assert_eq!(seen[3].rewritten, []);
}

#[tokio::test]
async fn rows_are_chosen_by_a_condition_or_by_the_id_of_the_record() {
    let plan = people().await;
    let filter = condition("kind = $kind");
    let choice = Choice {
        filter: Some(&filter),
        ..Choice::default()
    };
    let seen = look(&plan, &choice).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(read(&seen[0], "id"), "bo");
    let choice = Choice {
        id: Some("dee"),
        ..Choice::default()
    };
    let seen = look(&plan, &choice).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(read(&seen[0], "seen"), "4");
}

#[tokio::test]
async fn a_condition_that_is_none_is_a_mistake_in_it() {
    let plan = people().await;
    for (text, message) in [
        ("kidn = 'bot'", "there is no column called `kidn`"),
        ("age + 1", "this is not a condition"),
    ] {
        let filter = condition(text);
        let choice = Choice {
            filter: Some(&filter),
            ..Choice::default()
        };
        let mistakes = plan.look(&choice, &Variables::new()).err().unwrap();
        assert_eq!(mistakes[0].message, message);
        assert!(mistakes[0].at.is_some());
    }
}

#[tokio::test]
async fn some_rows_are_read_without_reading_and_sorting_all() {
    let ids: Vec<String> = (0..1_000).map(|n| n.to_string()).collect();
    let ids: Vec<Option<&str>> = ids.iter().map(|id| Some(id.as_str())).collect();
    let table = rows(vec![("id", texts(&ids))]).in_batches_of(10);
    // The stream would fail if it was read to its end.
    let table = table.then(Given::Error);
    let plan = over(table).field("uid", "id").order_by("id").plan().await;
    let choice = Choice {
        any: Some(25),
        ..Choice::default()
    };
    assert_eq!(look(&plan.unwrap(), &choice).await.len(), 25);
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_told_of() {
    let table = rows(vec![("id", texts(&[Some("a")]))]).then(Given::Rejected(2));
    let plan = over(table).field("uid", "id").plan().await.unwrap();
    for _ in 0..2 {
        let seen: Vec<_> = look(&plan, &Choice::default()).await;
        let unread: Vec<_> = seen.iter().filter(|seen| seen.row.is_none()).collect();
        assert_eq!((seen.len(), unread.len()), (3, 2));
        assert_eq!(unread[0].shaped.rejected[0].rule, "malformed");
    }
}

#[tokio::test]
async fn the_columns_that_a_flow_reads_are_known() {
    let table = rows(vec![
        ("id", texts(&[Some("a")])),
        ("name", texts(&[None])),
        ("kind", texts(&[None])),
        ("unused", texts(&[None])),
    ]);
    let stage = over(table).view("people", "SELECT * FROM legacy.rows WHERE kind = 'person'");
    let plan = stage.from("people").field("uid", "id").order_by("name");
    let read = plan.plan().await.unwrap().reads().unwrap();
    let columns = read
        .iter()
        .map(|(table, column)| (table.as_str(), column.as_str()));
    let columns = columns.collect::<Vec<_>>();
    let of = |column| ("legacy.rows", column);
    assert_eq!(columns, [of("id"), of("kind"), of("name")]);
}

#[tokio::test]
async fn a_required_field_that_may_be_missing_is_known() {
    let column = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    for (expression, filter, may_be_missing) in [
        ("maybe", "true", true),
        ("cometchat_id(maybe)", "true", true),
        ("cometchat_id(always)", "true", false),
        ("'u-' || always", "true", false),
        ("'u-' || maybe", "true", true),
        ("coalesce(maybe, 'nobody')", "true", false),
        ("nullif(always, '')", "true", true),
        ("maybe", "always <> '' AND maybe IS NOT NULL", false),
    ] {
        let table = marked(vec![
            (column("always", false), texts(&[Some("a")])),
            (column("maybe", true), texts(&[None])),
        ]);
        let plan = over(table).field("uid", expression).filter(filter).plan();
        let plan = plan.await.unwrap();
        assert_eq!(
            plan.columns()[0].may_be_missing,
            may_be_missing,
            "{expression} {filter}"
        );
    }
    let table = || rows(vec![("maybe", texts(&[None]))]);
    let skipped = over(table()).field("uid", "maybe");
    let skipped = skipped.skip("no id", "maybe IS NULL OR maybe = ''").plan();
    assert!(!skipped.await.unwrap().columns()[0].may_be_missing);
    let optional = over(table())
        .field("uid", "'a'")
        .field("name", "maybe")
        .plan();
    assert!(!optional.await.unwrap().columns()[1].may_be_missing);
}

/// The engine gave two fields of objects one name: `__datafusion_extracted_1`.
#[tokio::test]
async fn fields_of_objects_are_taken_out_of_views_with_joins() {
    let object = "named_struct('id', id, 'kind', kind)";
    let table = || {
        rows(vec![
            ("id", texts(&[Some("a")])),
            ("kind", texts(&[Some("x")])),
        ])
    };
    let run = over(table())
        .table("legacy", "others", table())
        .variable("kind", Value::Text("x".into()))
        .view("one", &format!("SELECT {object} AS o FROM legacy.rows"))
        .view("two", &format!("SELECT {object} AS o FROM legacy.others"))
        .view(
            "both",
            "SELECT a.o AS a, b.o AS b FROM one a JOIN two b ON a.o['id'] = b.o['id'] \
             WHERE a.o['kind'] = $kind AND b.o['kind'] = $kind",
        )
        .from("both")
        .field("uid", "a['id']")
        .field("name", "b['id']")
        .order_by("a['kind']")
        .run()
        .await;
    assert_eq!(run.column("uid"), ["a"]);
}
