//! Mailboxes and messages that cannot be read.

use chatferry_testkit::source::assert_contract;

use crate::workshop::{Workshop, file_shown, mailbox, titled};

#[tokio::test]
async fn a_message_that_cannot_be_read_is_rejected_with_its_place_and_the_others_go_on() {
    let deep: String = (0..40)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
        .collect();
    let text = format!(
        "From a\nMessage-ID: <a>\n\none\n\n\
         From b\nContent-Transfer-Encoding: base64\n\n*\n\n\
         From c\n{deep}\n\n\
         From d\nMessage-ID: <d>\n\ntwo\n"
    );
    insta::assert_snapshot!(mailbox(text).await);
}

#[tokio::test]
async fn a_message_that_is_too_long_is_rejected_and_never_held() {
    let long = "x".repeat(200_000);
    let text = format!("From a\n\none\n\nFrom b\n\n{long}\n\nFrom c\n\ntwo\n");
    let workshop = Workshop::with(&[("list.mbox", text.as_bytes())]);
    let source = workshop.source("max_message = \"1 KiB\"");
    assert_contract(source.clone(), "list").await;
    insta::assert_snapshot!(file_shown(&source, "list").await);
}

#[tokio::test]
async fn what_is_no_mailbox_is_an_error_with_advice() {
    insta::assert_snapshot!(titled(vec![
        ("a message", mailbox("Message-ID: <a>\n\none\n").await),
        ("bytes", mailbox([0, 255, 10]).await),
    ]));
}
