//! Somebody who asks for the page.

use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An answer: its status, its headers in lower case, and what it gives.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    connection: BufReader<TcpStream>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// All that it gives, until the connection is closed.
    pub(crate) async fn text(mut self) -> String {
        let mut text = String::new();
        self.connection.read_to_string(&mut text).await.unwrap();
        text
    }

    /// The next event that it gives; `None` at the end.
    pub(crate) async fn event(&mut self) -> Option<serde_json::Value> {
        let mut line = String::new();
        loop {
            line.clear();
            if self.connection.read_line(&mut line).await.unwrap() == 0 {
                return None;
            }
            if let Some(data) = line.strip_prefix("data: ") {
                return Some(serde_json::from_str(data).unwrap());
            }
        }
    }
}

/// Asks for a path by a method, as a host, in HTTP/1.0 so that the answer is not in pieces.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, host: &str) -> Answer {
    let mut connection = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.0\r\nhost: {host}\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut connection = BufReader::new(connection);
    let mut line = String::new();
    connection.read_line(&mut line).await.unwrap();
    let status = line.split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers = Vec::new();
    loop {
        line.clear();
        connection.read_line(&mut line).await.unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    Answer {
        status,
        headers,
        connection,
    }
}

/// What is found at a path.
pub(crate) async fn get(address: SocketAddr, path: &str) -> String {
    let answer = ask(address, "GET", path, "localhost").await;
    assert_eq!(answer.status, 200, "{path}");
    answer.text().await
}
