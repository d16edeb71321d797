//! `count-messages`: takes import requests and counts the messages in them, to compare senders
//! (`benches/rivals/import.py`).
//!
//! It says yes to everything, and does no more than find the ids that it must answer with.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use clap::Parser;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Takes import requests and counts the messages in them.
#[derive(Parser)]
#[command(name = "count-messages")]
struct Arguments {
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8099")]
    listen: SocketAddr,
    /// Sends one request to itself again and again for some seconds, and prints how many messages a
    /// second it counts then
    #[arg(long)]
    ceiling: bool,
}

#[derive(Default)]
struct Seen {
    requests: AtomicU64,
    messages: AtomicU64,
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the result of a program")]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let seen = Arc::new(Seen::default());
    let router = Router::new()
        .route("/v3/data_import/messages", post(count))
        .route("/counts", get(tell))
        .layer(DefaultBodyLimit::disable())
        .with_state(Arc::clone(&seen));
    let listener = TcpListener::bind(arguments.listen).await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move { axum::serve(listener, router).await });
    if !arguments.ceiling {
        println!("listening on {address}");
        return serving.await?;
    }
    let start = Instant::now();
    futures::future::try_join_all((0..SENDERS).map(|_| send(address))).await?;
    let messages = seen.messages.load(Ordering::Relaxed);
    let seconds = start.elapsed().as_secs_f64();
    println!("{{\"messages\": {messages}, \"seconds\": {seconds:.3}}}");
    Ok(())
}

async fn count(State(seen): State<Arc<Seen>>, body: Bytes) -> impl axum::response::IntoResponse {
    let mut answer = Vec::with_capacity(body.len() / 4);
    answer.extend_from_slice(b"{\"data\":{");
    let ids = ids(&body);
    for (place, id) in ids.iter().enumerate() {
        if place > 0 {
            answer.push(b',');
        }
        answer.push(b'"');
        answer.extend_from_slice(id);
        answer.extend_from_slice(b"\":{\"success\":true}");
    }
    answer.extend_from_slice(b"}}");
    seen.requests.fetch_add(1, Ordering::Relaxed);
    seen.messages.fetch_add(ids.len() as u64, Ordering::Relaxed);
    ([(CONTENT_TYPE, "application/json")], answer)
}

async fn tell(State(seen): State<Arc<Seen>>) -> String {
    let (requests, messages) = (&seen.requests, &seen.messages);
    format!(
        "{{\"requests\": {}, \"messages\": {}}}",
        requests.load(Ordering::Relaxed),
        messages.load(Ordering::Relaxed)
    )
}

/// The keys of the objects two braces deep: of `{"messages":{"1":{},"2":{}}}` they are 1 and 2. Some senders
/// can make nothing but lists: of those each object counts, and what its id is does not matter.
fn ids(body: &[u8]) -> Vec<&[u8]> {
    let (mut ids, mut depth, mut at) = (Vec::with_capacity(50), 0_usize, 0);
    let counted = if body.starts_with(b"[") { 0 } else { 2 };
    let mut text: &[u8] = b"";
    while let Some(byte) = body.get(at) {
        match byte {
            b'"' => {
                let start = at + 1;
                at = start;
                while let Some(byte) = body.get(at) {
                    match byte {
                        b'"' => break,
                        b'\\' => at += 2,
                        _ => at += 1,
                    }
                }
                text = body.get(start..at).unwrap_or_default();
            }
            b'{' => {
                if depth == counted {
                    ids.push(text);
                }
                depth += 1;
            }
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    ids
}

/// Who sends at once, to find out what the counting can bear.
const SENDERS: usize = 8;
/// For how long.
const SENDING: Duration = Duration::from_secs(3);

/// Sends the same request again and again, and reads the same answer.
async fn send(to: SocketAddr) -> std::io::Result<()> {
    let message = |id| {
        format!(
            "\"{id}\":{{\"muid\":\"{id}\",\"text\":\"{}\"}}",
            "x".repeat(320)
        )
    };
    let messages: Vec<String> = (0..50).map(message).collect();
    let body = format!("{{\"messages\":{{{}}}}}", messages.join(","));
    let length = body.len();
    let request = format!(
        "POST /v3/data_import/messages HTTP/1.1\r\nhost: {to}\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let mut connection = TcpStream::connect(to).await?;
    connection.set_nodelay(true)?;
    let mut answer = vec![0; 1 << 16];
    let start = Instant::now();
    while start.elapsed() < SENDING {
        connection.write_all(request.as_bytes()).await?;
        let mut read = 0;
        while !answer[..read].ends_with(b"}}}") {
            read += connection.read(&mut answer[read..]).await?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn ids_are_found_whatever_stands_in_the_messages() {
        let body =
            br#"{"messages": {"a": {"data": {"text": "{\"x\": {"}}, "b":{}, "c":{"t":["}"]}}}"#;
        assert_eq!(ids(body), [b"a", b"b", b"c"]);
        assert_eq!(ids(br#"[{"a": {"b": {}}}, {}]"#).len(), 2);
        assert!(ids(b"{\"messages\": {}}").is_empty() && ids(b"\"\\").is_empty());
    }
}
