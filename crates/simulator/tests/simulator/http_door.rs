//! Over HTTP, everything is as in process.

use std::net::SocketAddr;

use chatferry_simulator::{Fault, Simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::{peopled, send, text, with};

/// A server, and what stops it.
struct Served {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<std::io::Result<()>>,
}

async fn serve(simulator: &Simulator) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        stopped.await.ok();
    };
    let task = tokio::spawn(simulator.clone().serve(listener, shutdown));
    Served {
        address,
        stop,
        task,
    }
}

impl Served {
    /// Posts a body on a connection of its own, and gives all that comes back.
    async fn post(&self, path: &str, body: &[u8]) -> Vec<u8> {
        let mut connection = TcpStream::connect(self.address)
            .await
            .expect("a connection");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\napikey: key\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        connection
            .write_all(head.as_bytes())
            .await
            .expect("a server that reads");
        connection
            .write_all(body)
            .await
            .expect("a server that reads");
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.ok();
        answer
    }

    async fn stop(self) {
        self.stop.send(()).expect("a server that runs");
        self.task
            .await
            .expect("no panic")
            .expect("a server that ran to its end");
    }
}

/// The status and the body of an answer.
fn parts(answer: &[u8]) -> (u16, &[u8]) {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .expect("a head");
    let head = std::str::from_utf8(&answer[..end]).expect("ASCII");
    (head[9..12].parse().expect("a status"), &answer[end + 4..])
}

#[tokio::test]
async fn both_doors_give_the_same_bytes() {
    let change = |settings: &mut chatferry_simulator::Settings| settings.max_body = 2_000;
    let (inside, outside) = (peopled(change).await, peopled(change).await);
    let served = serve(&outside).await;
    let old = with(text("old"), json!({"sentAt": 1_000_000_000}));
    let bodies = [
        json!({"messages": {"a": text("a"), "b": {"muid": "b"}}}).to_string(),
        json!({"messages": {"a": text("a"), "c": text("c")}}).to_string(),
        json!({"messages": {"old": old, "d": text("d")}}).to_string(),
        "[]".to_owned(),
        "no json".to_owned(),
        String::new(),
        " ".repeat(2_001),
    ];
    for body in bodies {
        let direct = send(&inside, "messages", body.clone()).await;
        let answer = served
            .post("/v3/data_import/messages", body.as_bytes())
            .await;
        let (status, bytes) = parts(&answer);
        assert_eq!(status, direct.status().as_u16());
        assert_eq!(bytes, direct.body());
    }
    assert_eq!(inside.counts(), outside.counts());
    served.stop().await;
}

#[tokio::test]
async fn an_unknown_path_is_answered_like_any_other() {
    let simulator = peopled(|_| {}).await;
    let served = serve(&simulator).await;
    let answer = served.post("/v3/nothing", b"{}").await;
    let (status, body) = parts(&answer);
    assert_eq!(status, 404);
    let body: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(body["error"]["code"], "ERR_API_NOT_FOUND");
    served.stop().await;
}

#[tokio::test]
async fn a_reset_closes_the_connection_without_a_byte() {
    let simulator = peopled(|_| {}).await;
    let served = serve(&simulator).await;
    simulator.inject(Fault::ConnectionReset { stored: true });
    let body = json!({"messages": {"a": text("a")}}).to_string();
    let answer = served.post("/data_import/messages", body.as_bytes()).await;
    assert_eq!(answer, b"");
    assert_eq!(simulator.counts().messages, 1);
    let again = served.post("/data_import/messages", body.as_bytes()).await;
    assert_eq!(parts(&again).0, 200);
    served.stop().await;
}

#[tokio::test]
async fn a_body_far_too_long_is_answered_before_its_end() {
    let simulator = super::simulator(|settings| settings.max_body = 10);
    let served = serve(&simulator).await;
    let mut connection = TcpStream::connect(served.address).await.unwrap();
    let head = "POST /data_import/users HTTP/1.1\r\nhost: localhost\r\napikey: key\r\n\
                content-length: 1000000000000\r\n\r\n";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    connection.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
    drop(connection);
    served.stop().await;
}

#[tokio::test]
async fn a_slow_body_comes_whole_and_a_broken_one_half() {
    let simulator = peopled(|_| {}).await;
    let served = serve(&simulator).await;
    let body = json!({"messages": {"m": text("m")}}).to_string();
    let path = "/v3/data_import/messages";
    simulator.inject(Fault::SlowBody(std::time::Duration::from_millis(50)));
    let answer = served.post(path, body.as_bytes()).await;
    let text_of = |answer: &[u8]| String::from_utf8_lossy(answer).into_owned();
    assert!(text_of(&answer).ends_with("\r\n0\r\n\r\n"), "all pieces");
    simulator.inject(Fault::BrokenBody);
    let answer = served.post(path, body.as_bytes()).await;
    let (status, half) = parts(&answer);
    assert_eq!(status, 200);
    assert!(!half.is_empty() && !text_of(half).contains("}}}"));
    served.stop().await;
}

#[tokio::test]
async fn the_clock_of_the_service_shows_in_date() {
    let clock = chatferry_simulator::Clock::stopped_at(1_625_143_200);
    let simulator = super::simulator(|settings| settings.clock = clock);
    let served = serve(&simulator).await;
    let answer = served.post("/v3/data_import/users", b"{}").await;
    let head = String::from_utf8_lossy(&answer).to_lowercase();
    assert!(
        head.contains("date: thu, 01 jul 2021 12:40:00 gmt"),
        "{head}"
    );
    served.stop().await;
}
