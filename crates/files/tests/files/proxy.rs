//! A way to a server on which things go wrong.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// The answer breaks off after so many bytes behind its head.
    Cut(usize),
    /// The answer is this, and nobody is asked.
    Answer(&'static str),
    /// That a part is wanted gets lost.
    Whole,
    /// That, and the answer breaks off after so many bytes behind its head.
    CutWhole(usize),
}

/// What goes wrong depends on how many requests there were before, and on the head of the request.
pub(crate) type Faults = fn(usize, &str) -> Fault;

/// A way to a server on which things go wrong. It stays as long as the process does.
pub(crate) struct Proxy {
    host: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// A way to that host.
    pub(crate) fn to(host: &str, fault: Faults) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            host: listener.local_addr().unwrap().to_string(),
            log: Arc::default(),
        };
        let (host, log) = (host.to_owned(), Arc::clone(&proxy.log));
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (host, log) = (host.clone(), Arc::clone(&log));
                // A connection that ends early is what is wanted here.
                thread::spawn(move || pass(connection, &host, fault, &log).ok());
            }
        });
        proxy
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The requests so far: what was asked for, and which part of it.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }
}

fn pass(
    mut client: TcpStream,
    host: &str,
    fault: Faults,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte)? == 0 {
            return Ok(());
        }
        request.push(byte[0]);
    }
    let mut head = String::from_utf8(request).unwrap();
    let fault = {
        let mut log = log.lock().unwrap();
        let method = head.split(' ').next().unwrap_or_default();
        let range = head
            .lines()
            .find_map(|line| line.strip_prefix("range: bytes="));
        log.push(format!("{method} {}", range.unwrap_or("all")));
        fault(log.len() - 1, &head)
    };
    if let Fault::Answer(answer) = fault {
        client.write_all(answer.as_bytes())?;
        return client.shutdown(Shutdown::Both);
    }
    if matches!(fault, Fault::Whole | Fault::CutWhole(_)) {
        let kept = head
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with("range:"));
        head = kept.collect();
    }
    let mut server = TcpStream::connect(host)?;
    server.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    let body = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4;
    let length = match fault {
        Fault::Cut(bytes) | Fault::CutWhole(bytes) => answer.len().min(body + bytes),
        _ => answer.len(),
    };
    client.write_all(&answer[..length])?;
    client.shutdown(Shutdown::Both)
}
