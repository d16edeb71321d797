//! Rows that fail, and sources that do: what is rejected, what comes anyway, what ends the stream.

use chatferry_core::SourceErrorKind;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use crate::stage::{Given, numbers, over, place, rows, run, texts};

#[tokio::test]
async fn a_row_that_fails_is_rejected_with_its_field_and_without_its_contents() {
    for (expression, secret, reason) in [
        (
            "CAST(body AS BIGINT)",
            "it's a 'secret'",
            "a value cannot be read as a whole number of this size",
        ),
        (
            "CAST(body AS DOUBLE)",
            "secret",
            "a value cannot be read as a number",
        ),
        (
            "CAST(body AS BOOLEAN)",
            "secret",
            "a value cannot be read as true or false",
        ),
        (
            "CAST(body AS DATE)",
            "secret",
            "a value cannot be read as a date",
        ),
        (
            "to_timestamp(body)",
            "secret",
            "a value cannot be read as a time",
        ),
        (
            "CAST(body AS TIMESTAMP)",
            "secret",
            "a value cannot be read as a time",
        ),
        (
            "unix_seconds(body)",
            "secret",
            "the text is not a time in ISO 8601; \
             give its format, as in unix_seconds(value, '%d.%m.%Y %H:%M')",
        ),
        (
            "unix_seconds('2020-01-01', body)",
            "secret",
            "what is given beside the value is neither a unit (s, ms, us, ns) nor a time zone nor \
             a format",
        ),
        (
            "json(body)",
            "{\"secret",
            "the text is not JSON at its column 8",
        ),
        ("json_text(body)", "{\"secret", "the text is not JSON"),
        ("1 / CAST(body AS BIGINT)", "0", "division by zero"),
        (
            "CAST(CAST(body AS BIGINT) AS TINYINT)",
            "1234",
            "a value cannot be read as a whole number of this size",
        ),
        (
            "CAST(body AS DECIMAL(3, 1))",
            "1234.5",
            "a number is too large",
        ),
    ] {
        let table = rows(vec![
            ("id", numbers(&[Some(1), Some(2), Some(3)])),
            ("body", texts(&[None, Some(secret), None])),
        ]);
        let run = over(table)
            .field("uid", "id")
            .field("metadata.x", expression)
            .run()
            .await;
        assert_eq!(run.column("uid"), ["1", "3"], "{expression}");
        let detail = format!("expression-failed: metadata.x: {reason}");
        assert_eq!(run.details(), [detail], "{expression}");
        assert_eq!(run.rows_read, 3);
    }
}

#[tokio::test]
async fn what_fails_for_every_row_rejects_every_row() {
    let table = rows(vec![("id", numbers(&[Some(1), Some(2)]))]);
    let run = over(table)
        .field("uid", "id")
        .field("createdAt", "1 / 0")
        .run()
        .await;
    assert_eq!(run.rows.num_rows(), 0);
    assert_eq!(
        run.details(),
        ["expression-failed: createdAt: division by zero"; 2]
    );
}

#[tokio::test]
async fn a_reason_to_skip_may_fail_as_well() {
    let table = rows(vec![(
        "body",
        texts(&[Some("1"), Some("x"), Some("0"), Some("2")]),
    )]);
    let run = over(table)
        .skip("none", "CAST(body AS INT) = 0")
        .field("uid", "body")
        .run()
        .await;
    assert_eq!(run.column("uid"), ["1", "2"]);
    assert_eq!(run.skipped, [("none".to_owned(), 1)]);
    assert_eq!(
        run.details(),
        ["expression-failed: skip \"none\": a value cannot be read as a whole number of this size"]
    );
    assert_eq!(run.rows_read, 4);
}

#[tokio::test]
async fn a_skipped_row_is_not_evaluated_further() {
    let table = rows(vec![("body", texts(&[Some("x"), Some("1")]))]);
    let run = over(table)
        .skip("words", "body = 'x'")
        .field("createdAt", "CAST(body AS BIGINT)")
        .run()
        .await;
    assert_eq!(
        (run.rejected.len(), run.column("createdAt")),
        (0, vec!["1".to_owned()])
    );
}

#[tokio::test]
async fn a_key_that_fails_puts_its_row_last_and_does_not_end_the_stream() {
    for time in [
        "unix_seconds(sent)",
        "CAST(sent AS BIGINT)",
        "100 / CAST(sent AS BIGINT)",
    ] {
        let table = rows(vec![
            ("id", numbers(&[Some(1), Some(2), Some(3), Some(4)])),
            (
                "sent",
                texts(&[
                    Some("1433558330"),
                    Some("nonsense"),
                    Some("1433558310"),
                    None,
                ]),
            ),
        ]);
        let plan = over(table)
            .messages()
            .field("muid", "id")
            .field("sentAt", time)
            .plan()
            .await
            .unwrap();
        assert!(plan.explain().contains("SortExec"));
        let run = run(&plan).await;
        assert!(run.error.is_none());
        assert_eq!(run.rejected.len(), 1, "{time}");
        assert_eq!((run.rows.num_rows(), run.rows_read), (3, 4));
        assert_eq!(run.column("muid").last().unwrap(), "4");
    }
}

#[tokio::test]
async fn rows_that_the_source_cannot_read_are_counted_once() {
    let table = rows(vec![("id", numbers(&[Some(1), Some(2)]))]);
    let table = table.then(Given::Rejected(2)).then(Given::Rejected(1));
    let run = over(table.clone()).field("uid", "id").run().await;
    assert_eq!((run.rejected.len(), run.rows_read), (3, 5));
    assert_eq!(run.rejected[0].place, Some(place()));
    let twice = over(table)
        .view(
            "twice",
            "SELECT a.id FROM legacy.rows a JOIN legacy.rows b ON a.id = b.id",
        )
        .from("twice")
        .field("uid", "id")
        .run()
        .await;
    assert_eq!((twice.rejected.len(), twice.rows.num_rows()), (3, 2));
}

#[tokio::test]
async fn a_sources_error_comes_out_as_it_is_and_last() {
    let table = rows(vec![("id", numbers(&[Some(1), Some(2)]))]);
    let table = table
        .then(Given::Rejected(1))
        .then(Given::Error)
        .then(Given::Rejected(1));
    for order in ["id", "rows.id + 0"] {
        let run = over(table.clone())
            .field("uid", "id")
            .order_by(order)
            .run()
            .await;
        let error = run.error.expect("the source fails");
        assert_eq!(error.kind, SourceErrorKind::Failed);
        assert_eq!(
            error.to_string(),
            "cannot read rows.jsonl: the disk is gone (rows.jsonl, line 7)"
        );
        assert_eq!(error.help.as_deref(), Some("bring it back"));
        assert_eq!(
            run.rejected.len(),
            1,
            "what was rejected before is not forgotten"
        );
    }
}

#[tokio::test]
async fn a_condition_of_the_flow_that_fails_says_how_to_go_on() {
    let table = rows(vec![("body", texts(&[Some("1"), Some("secret")]))]);
    let run = over(table)
        .filter("CAST(body AS INT) = 1")
        .field("uid", "body")
        .run()
        .await;
    let error = run.error.expect("the condition fails");
    assert_eq!(error.kind, SourceErrorKind::Pipeline);
    assert_eq!(
        error.to_string(),
        "cannot evaluate the flow's view or condition: \
         a value cannot be read as a whole number of this size"
    );
    assert!(error.help.unwrap().contains("try_cast"));

    let table = rows(vec![("body", texts(&[Some("2020-01-01"), Some("secret")]))]);
    let stage = over(table).view("times", "SELECT unix_seconds(body) AS at FROM legacy.rows");
    let run = stage.from("times").field("uid", "at").run().await;
    let error = run.error.expect("the view fails").to_string();
    let function = "unix_seconds(...) fails: the text is not a time in ISO 8601";
    assert!(error.contains(function), "{error}");
    assert!(!error.contains("secret"), "{error}");
}

/// What a row of the property holds.
#[derive(Clone, Debug)]
enum Row {
    Good(i64),
    Skipped,
    Failing,
    Unread,
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_is_accounted_for(
        given in proptest::collection::vec(
            prop_oneof![
                5 => any::<i64>().prop_map(Row::Good),
                1 => Just(Row::Skipped),
                1 => Just(Row::Failing),
                1 => Just(Row::Unread),
            ],
            0..60,
        ),
        batch in 1_usize..9,
        sorted in any::<bool>(),
    ) {
        let texts_of = |row: &Row| match row {
            Row::Good(number) => Some(number.to_string()),
            Row::Skipped => Some("skip".to_owned()),
            Row::Failing => Some("nonsense".to_owned()),
            Row::Unread => None,
        };
        let written: Vec<Option<String>> =
            given.iter().map(texts_of).filter(Option::is_some).collect();
        let written: Vec<Option<&str>> = written.iter().map(Option::as_deref).collect();
        let unread = given.iter().filter(|row| matches!(row, Row::Unread)).count();
        let mut table = rows(vec![("n", texts(&written))]).in_batches_of(batch);
        for _ in 0..unread {
            table = table.then(Given::Rejected(1));
        }
        let stage = over(table)
            .skip("asked", "n = 'skip'")
            .field("uid", "n")
            .field("createdAt", "CAST(n AS BIGINT)");
        let stage = if sorted { stage.order_by("CAST(n AS BIGINT)") } else { stage };
        let run = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(stage.run());

        let mut good: Vec<i64> = given.iter().filter_map(|row| match row {
            Row::Good(number) => Some(*number),
            _ => None,
        }).collect();
        if sorted {
            good.sort_unstable();
        }
        let good: Vec<String> = good.iter().map(i64::to_string).collect();
        assert!(run.error.is_none());
        assert_eq!(run.rows_read, given.len() as u64);
        assert_eq!(run.column("createdAt"), good);
        let failing = given.iter().filter(|row| matches!(row, Row::Failing)).count();
        assert_eq!(run.rejected.len(), failing + unread);
    }
}
