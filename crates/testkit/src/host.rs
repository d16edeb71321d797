//! A host that gives files as it is told to: byte for byte, so that it can lie and break off.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a host answers to one question.
type Answering = dyn Fn(&Asked) -> Vec<u8> + Send + Sync;

/// One question.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The path with its query.
    pub path: String,
    /// The headers, as they came.
    pub head: String,
    /// How often this path was asked for before.
    pub before: usize,
}

/// A host of files.
#[derive(Debug)]
pub struct Host {
    port: u16,
    asked: Arc<Mutex<Vec<Asked>>>,
    count: watch::Receiver<usize>,
    server: tokio::task::JoinHandle<()>,
}

impl Host {
    /// A host that answers so.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub async fn new(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let answer: Arc<Answering> = Arc::new(answer);
        let (counted, count) = watch::channel(0);
        let counted = Arc::new(counted);
        let seen = Arc::clone(&asked);
        let server = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    serve(connection, &*answer, &seen, &counted).await;
                });
            }
        });
        Self {
            port,
            asked,
            count,
            server,
        }
    }

    /// A host that gives each of these files.
    pub async fn of(files: &[(&str, &[u8])]) -> Self {
        let files: BTreeMap<String, Vec<u8>> = files
            .iter()
            .map(|(path, contents)| ((*path).to_owned(), contents.to_vec()))
            .collect();
        Self::new(move |asked| {
            let path = asked.path.split('?').next().unwrap_or_default();
            files.get(path).map_or_else(|| status(404), |it| file(it))
        })
        .await
    }

    /// Its name, as pipelines have it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// A URL of it.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it was asked so far.
    ///
    /// # Panics
    ///
    /// When it has panicked.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no holder panics").clone()
    }

    /// Waits until it was asked so often.
    ///
    /// # Panics
    ///
    /// When it is gone before.
    pub async fn asked_times(&self, times: usize) {
        let mut count = self.count.clone();
        count
            .wait_for(|count| *count >= times)
            .await
            .expect("the host is there");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(
    mut connection: TcpStream,
    answer: &Answering,
    seen: &Mutex<Vec<Asked>>,
    counted: &watch::Sender<usize>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let asked = {
        let mut seen = seen.lock().expect("no holder panics");
        let before = seen.iter().filter(|asked| asked.path == path).count();
        let asked = Asked { path, head, before };
        seen.push(asked.clone());
        asked
    };
    let answer = answer(&asked);
    counted.send_modify(|count| *count += 1);
    // Whoever asked may have gone.
    let _ = connection.write_all(&answer).await;
    let _ = connection.shutdown().await;
}

/// An answer with these headers and these contents.
#[must_use]
pub fn answer(status: u16, headers: &[(&str, &str)], contents: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    for (name, value) in headers {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    let has_length = headers.iter().any(|(name, _)| *name == "Content-Length");
    if !has_length {
        answer.push_str(&format!("Content-Length: {}\r\n", contents.len()));
    }
    let mut answer = format!("{answer}\r\n").into_bytes();
    answer.extend_from_slice(contents);
    answer
}

/// A file.
#[must_use]
pub fn file(contents: &[u8]) -> Vec<u8> {
    answer(
        200,
        &[("Content-Type", "application/octet-stream")],
        contents,
    )
}

/// A page, such as one to sign in.
#[must_use]
pub fn page() -> Vec<u8> {
    let page = b"<!DOCTYPE html><html>Sign in to your workspace</html>";
    answer(200, &[("Content-Type", "text/html; charset=utf-8")], page)
}

/// Nothing but a status.
#[must_use]
pub fn status(status: u16) -> Vec<u8> {
    answer(status, &[], b"")
}
