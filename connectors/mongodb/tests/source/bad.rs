//! What is said when it cannot be read.

use std::net::TcpListener;
use std::sync::Arc;

use chatferry_core::source::{Scan, Source};
use chatferry_testkit::reading::{error_shown, scanned};
use chatferry_testkit::source::Contract;
use mongodb::bson::doc;

use crate::server::Workshop;
use crate::stand_in::{Fault, PASSWORD, StandIn, State, opened};

/// An error without the port, which changes.
async fn shown(source: &Arc<dyn Source>, port: u16) -> String {
    let error = source.tables().await.expect_err("an error");
    let shown = error_shown(&error);
    let all = format!("{shown}{error:?}{source:?}");
    assert!(!all.contains(PASSWORD) && !all.contains("ada"), "{all}");
    shown.replace(&port.to_string(), "PORT")
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_an_error_with_advice() {
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    let options = "serverSelectionTimeoutMS=300";
    let nobody = opened(&format!(
        "url = \"mongodb://ada:{PASSWORD}@127.0.0.1:{port}/chat?{options}\""
    ));
    insta::assert_snapshot!(shown(&nobody, port).await);

    let server = StandIn::with(vec![doc! {"_id": 1}]).await;
    let port = server.port;
    let stranger = opened(&format!(
        "url = \"mongodb://ada:{PASSWORD}@127.0.0.1:{port}/chat?authMechanism=SCRAM-SHA-256\""
    ));
    insta::assert_snapshot!(shown(&stranger, port).await);

    let tls = opened(&format!(
        "url = \"mongodb://ada:{PASSWORD}@127.0.0.1:{port}/chat?tls=true&{options}\""
    ));
    let tls = shown(&tls, port).await;
    assert!(tls.contains("help: "), "{tls}");

    let set = opened(&format!(
        "url = \"mongodb://127.0.0.1:{port}/chat?replicaSet=rs0&{options}\""
    ));
    insta::assert_snapshot!(shown(&set, port).await);
}

#[tokio::test]
async fn what_is_not_there_is_an_error_with_what_is() {
    let mut state = State::default();
    for name in [
        "rocketchat_message",
        "rocketchat_room",
        "users",
        "system.views",
    ] {
        state.collections.insert(name.into(), vec![doc! {"_id": 1}]);
    }
    state.collections.insert("recent".into(), Vec::new());
    state.about.insert("recent".into(), doc! {"type": "view"});
    let server = StandIn::having(state).await;
    let source = server.source("");
    let tables = source.tables().await.expect("tables");
    assert_eq!(tables, ["rocketchat_message", "rocketchat_room", "users"]);
    let error = source.describe("user").await.expect_err("an error");
    let mut all = error_shown(&error);
    for settings in [
        "tables.messages = \"rocketchat_messages\"",
        "tables = [\"nothing\"]",
        "tables = [\"recent\"]",
    ] {
        all += &shown(&server.source(settings), server.port).await;
    }
    let empty = StandIn::having(State::default()).await;
    all += &shown(&empty.source(""), empty.port).await;
    let url = format!("url = \"mongodb://127.0.0.1:{}/chta\"", empty.port);
    all += &shown(&opened(&url), empty.port).await;
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn what_the_server_refuses_ends_the_reading_after_what_came_before() {
    let documents = (0..40).map(|n| doc! {"_id": n, "n": n}).collect();
    let server = StandIn::with(documents).await;
    let source = server.source("");
    let table = source.describe("c").await.expect("a table");
    let mut all = String::new();
    for (code, name) in [
        (13, "Unauthorized"),
        (50, "MaxTimeMSExpired"),
        (2, "BadValue"),
    ] {
        server.state().faults.push_back(Fault::Error(code, name));
        let read = scanned(&source, Scan::of(Arc::clone(&table), vec![0], 10)).await;
        all +=
            &error_shown(&read.failed.expect("an error")).replace(&server.port.to_string(), "PORT");
    }
    insta::assert_snapshot!(all);
}

#[tokio::test]
async fn a_document_that_does_not_fit_any_more_is_rejected_with_its_place() {
    let documents = vec![doc! {"_id": 1, "n": 1}, doc! {"_id": 2, "n": 2}];
    let server = StandIn::with(documents).await;
    let source = server.source("");
    let table = source.describe("c").await.expect("a table");
    server.state().collections.get_mut("c").expect("c")[0].insert("n", "one");
    let read = scanned(&source, Scan::of(table, vec![0, 1], 10)).await;
    assert_eq!(read.rows.num_rows(), 1);
    insta::assert_snapshot!(format!("{:#?}", read.rejected));
}

#[tokio::test]
async fn no_secret_is_in_any_message_of_a_server_of_others() {
    let workshop = Workshop::new().await;
    workshop
        .insert("c", &[doc! {"_id": 1}, doc! {"_id": 2}])
        .await;
    let options = format!("appName={PASSWORD}");
    let url = match workshop.url.contains('?') {
        true => format!("{}&{options}", workshop.url),
        false => format!("{}?{options}", workshop.url),
    };
    let source = opened(&format!("url = \"{url}\""));
    Contract::of(source, "c").secrets([PASSWORD]).check().await;
}
