//! What holds for every mailbox.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use proptest::prelude::*;

use crate::workshop::{Workshop, rows};

/// Lines as people write them, some of which look as if a message began there.
fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = prop_oneof![
        "[ -~]{0,20}",
        "\\PC{0,8}",
        Just("From here".to_owned()),
        Just(">From there".to_owned()),
        Just(String::new()),
    ];
    prop::collection::vec(line, 0..6)
}

/// The mailbox with these texts, written as mail programs write it.
fn written(texts: &[Vec<String>]) -> String {
    let quoted = |line: &String| match line.trim_start_matches('>').starts_with("From ") {
        true => format!(">{line}\n"),
        false => format!("{line}\n"),
    };
    let message = |lines: &Vec<String>| {
        let text: String = lines.iter().map(quoted).collect();
        format!("From somebody\nContent-Type: text/plain; charset=utf-8\n\n{text}\n")
    };
    texts.iter().map(message).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.build().expect("a runtime")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_text_arrives_as_it_was_written(texts in prop::collection::vec(lines(), 1..5)) {
        let workshop = Workshop::with(&[("list.mbox", written(&texts).as_bytes())]);
        let source = workshop.source("");
        let read = runtime().block_on(rows(&source, "list")).expect("a mailbox");
        prop_assert!(read.failed.is_none() && read.rejected.is_empty());
        let found = read.rows.column_by_name("text").expect("a column").as_string::<i32>();
        let found: Vec<&str> = found.iter().flatten().collect();
        let sent: Vec<String> = texts
            .iter()
            .map(|lines| lines.iter().map(|line| format!("{line}\n")).collect())
            .collect();
        prop_assert_eq!(found, sent);
    }

    #[test]
    fn every_message_of_any_bytes_is_a_row_or_rejected(
        messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..4),
        header in prop::sample::select(vec!["Date", "From", "References", "Content-Type", "Subject"]),
    ) {
        let mut text = Vec::new();
        let mut begun = 0;
        for message in &messages {
            let mut bytes = format!("From x\n{header}: ").into_bytes();
            bytes.extend(message);
            bytes.extend(b"\n\n");
            // Now and then the bytes themselves begin a message.
            begun += 1 + bytes.windows(7).filter(|seven| seven.ends_with(b"\n\nFrom ")).count();
            text.extend(bytes);
        }
        let workshop = Workshop::with(&[("list.mbox", text.as_slice())]);
        let source = workshop.source("");
        let read = runtime().block_on(rows(&Arc::clone(&source), "list")).expect("a mailbox");
        prop_assert!(read.failed.is_none(), "{:?}", read.failed);
        prop_assert_eq!(read.rows.num_rows() + read.rejected.len(), begun);
        let texts = read.rows.column_by_name("text").expect("a column");
        prop_assert_eq!(texts.len(), read.rows.num_rows());
    }
}
