//! What becomes of messages.

use std::io::Write as _;

use chatferry_testkit::source::assert_contract;

use crate::workshop::{Workshop, file_shown, mailbox, titled};

/// A conversation as a mailing list keeps it.
const CONVERSATION: &str = "\
From ada@example.org Mon Jan  1 10:00:00 2024
Message-ID: <1@example.org>
Date: Mon, 1 Jan 2024 11:00:00 +0100
From: Ada Lovelace <ada@example.org>
To: team@lists.example.org
Subject: =?utf-8?q?The_engine_=E2=9C=93?=

It works.
>From here on it is easy.

From charles@example.org Mon Jan  1 10:05:00 2024
Message-ID: <2@example.org>
In-Reply-To: <1@example.org>
References: <1@example.org>
Date: Mon, 1 Jan 2024 10:05:00 GMT
From: charles@example.org (Charles)
Subject: Re: The engine
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=\"outer\"

This is for readers that know no parts.
--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Tr=E8s bien!
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PHA+VHLDqHMgYmllbiE8L3A+
--inner--
--outer
Content-Type: text/plain
Content-Disposition: attachment; filename=notes.txt

Not the message.
--outer--

From nobody Mon Jan  1 10:06:00 2024
Date: some day
From: \"List, the\" <list@example.org>

";

#[tokio::test]
async fn a_conversation_is_read_with_its_threads_texts_and_times() {
    insta::assert_snapshot!(mailbox(CONVERSATION).await);
}

#[tokio::test]
async fn line_breaks_of_either_kind_give_the_same_messages() {
    let shown = mailbox(CONVERSATION).await;
    let dos = mailbox(CONVERSATION.replace('\n', "\r\n")).await;
    assert_eq!(dos, shown);
}

#[tokio::test]
async fn a_line_begins_a_message_only_behind_an_empty_line() {
    let text = "From a\n\none\nFrom b\n\n>>From c\n\nFrom d\n\ntwo\n";
    insta::assert_snapshot!(mailbox(text).await);
}

#[tokio::test]
async fn paths_make_columns_and_files_may_be_compressed() {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer
        .write_all(b"From a\nMessage-ID: <a>\n\none\n")
        .expect("bytes");
    let packed = packer.finish().expect("bytes");
    let workshop = Workshop::with(&[
        ("dev/2023.mbox.gz", &packed),
        ("users/2024.mbox", b"From b\nMessage-ID: <b>\n\ntwo\n"),
    ]);
    let source = workshop.source("path = \"{list}/{year}.mbox*\"");
    assert_contract(source.clone(), "records").await;
    insta::assert_snapshot!(file_shown(&source, "records").await);
}

#[tokio::test]
async fn mailboxes_without_messages_or_headers_are_tables_nevertheless() {
    insta::assert_snapshot!(titled(vec![
        ("nothing", mailbox("").await),
        ("a line", mailbox("From a").await),
        ("a text alone", mailbox("From a\n\nwhat?\n").await),
    ]));
}
