//! Can a run be watched from elsewhere, and does watching leave it alone?

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says where it stands, and figures are for whoever reads them"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use chatferry_simulator::Settings;
use chatferry_tests::{Chat, Folder, KEY, Running, Served, unlimited};
use serde_json::{Value, json};

/// A run that takes some seconds, and where it is shown.
struct Shown {
    chat: Chat,
    served: Served,
    running: Running,
    address: SocketAddr,
    pipeline: String,
}

/// Runs a chat in a folder into a service that takes its time.
fn run(folder: &Folder, more: &[&str]) -> Shown {
    let chat = Chat {
        messages: 3_000,
        ..Chat::default()
    };
    let served = Served::new(Settings {
        latency: Duration::from_millis(150),
        ..unlimited()
    });
    let pipeline = chat.write(folder, served.url());
    let address = free();
    let (port, mut arguments) = (address.port().to_string(), vec!["run", &pipeline]);
    arguments.extend(["--listen", &port]);
    arguments.extend(more);
    let mut running = folder.start(&arguments);
    running.until("it listens", || TcpStream::connect(address).is_ok());
    Shown {
        chat,
        served,
        running,
        address,
        pipeline,
    }
}

/// An address of this machine that nobody listens at.
fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address")
}

/// Asks for a path, and gives what follows the headers.
fn ask(address: SocketAddr, path: &str) -> BufReader<TcpStream> {
    let mut connection = TcpStream::connect(address).expect("it listens");
    connection
        .set_read_timeout(Some(Duration::from_secs(60)))
        .expect("a time");
    let request = format!("GET {path} HTTP/1.0\r\nhost: localhost\r\n\r\n");
    connection.write_all(request.as_bytes()).expect("it reads");
    let mut answer = BufReader::new(connection);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        assert!(
            answer.read_line(&mut line).expect("an answer") > 0,
            "{path}"
        );
    }
    answer
}

fn get(address: SocketAddr, path: &str) -> String {
    let mut text = String::new();
    ask(address, path).read_to_string(&mut text).expect("text");
    text
}

fn status(address: SocketAddr) -> Value {
    serde_json::from_str(&get(address, "/api/status")).expect("JSON")
}

/// The value of a metric without labels.
fn metric(text: &str, name: &str) -> f64 {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let value = value.unwrap_or_else(|| panic!("no {name} in {text}"));
    value.parse().expect("a number")
}

#[test]
fn a_run_is_shown_while_it_is_under_way_and_how_it_ended() {
    let folder = Folder::new();
    let Shown {
        chat,
        served,
        mut running,
        address,
        pipeline,
    } = run(&folder, &[]);
    let mut events = ask(address, "/api/events");
    running.until("messages were sent", || served.counts().messages >= 500);

    let page = get(address, "/");
    assert!(page.contains("page.js"), "{page}");
    let now = status(address);
    assert_eq!(now["state"], "running", "{now}");
    assert_eq!(now["pipeline"], "generated");
    assert!(now["requests"]["sent"].as_u64() > Some(5), "{now}");
    assert!(
        now["latest"]
            .as_array()
            .is_some_and(|latest| latest.len() > 5),
        "{now}"
    );
    let metrics = get(address, "/metrics");
    let sent = metric(&metrics, "chatferry_requests_sent_total");
    assert!(sent > 5.0 && sent >= metric(&metrics, "chatferry_request_duration_seconds_count"));
    for text in [now.to_string(), metrics] {
        assert!(!text.contains(KEY), "a key is shown");
        assert!(!text.contains("message 1"), "what somebody wrote is shown");
    }

    running.interrupt();
    let mut last = Value::Null;
    let mut line = String::new();
    while events.read_line(&mut line).expect("an event") > 0 {
        if let Some(data) = line.strip_prefix("data: ") {
            last = serde_json::from_str(data).expect("JSON");
        }
        line.clear();
    }
    assert_eq!(last["last"], true);
    assert_eq!(last["ended"]["how"], "stopped");
    assert_eq!(last["ended"]["exit"], 130);
    assert_eq!(last["addsUp"], true);
    let ended = running.ended().expect(130);
    let told = format!("the status page is http://{address}/");
    assert!(ended.err.contains(&told), "{}", ended.err);
    // What was shown last is what became of it.
    let flows = last["flows"].as_array().expect("flows");
    let read: u64 = flows.iter().filter_map(|flow| flow["read"].as_u64()).sum();
    assert!(ended.out.contains("total"), "{}", ended.out);
    let digits: String = ended
        .out
        .lines()
        .find(|line| line.starts_with("total"))
        .expect("a sum")
        .split_whitespace()
        .nth(1)
        .expect("rows read")
        .replace(',', "");
    assert_eq!(digits, read.to_string());

    folder.run(&["run", &pipeline]).expect(0);
    assert_eq!(served.stored().messages.len(), chat.messages);
}

#[test]
fn those_who_look_and_do_not_read_hold_nothing_up() {
    let folder = Folder::new();
    let shown = run(&folder, &[]);
    // Connections that ask and never take an answer, and some that never finish asking.
    let silent: Vec<TcpStream> = (0..20)
        .map(|number| {
            let mut connection = TcpStream::connect(shown.address).expect("it listens");
            let request: &[u8] = match number % 2 {
                0 => b"GET /api/events HTTP/1.1\r\nhost: localhost\r\n\r\n",
                _ => b"GET /api/status HTT",
            };
            connection.write_all(request).expect("it is sent");
            connection
        })
        .collect();
    let ended = shown.running.ended().expect(0);
    drop(silent);
    assert_eq!(shown.served.stored().messages.len(), shown.chat.messages);
    assert_eq!(shown.served.counts().order_violations, 0);
    println!("it took {:?}", ended.took);
}

#[test]
fn an_address_that_is_taken_is_said_before_anything_is_sent() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it has an address").to_string();
    let served = Served::new(unlimited());
    let pipeline = Chat::default().write(&folder, served.url());
    let ended = folder
        .run(&["run", &pipeline, "--listen", &address])
        .expect(2);
    assert!(
        ended.err.contains(&format!("cannot listen on {address}")),
        "{}",
        ended.err
    );
    assert!(ended.err.contains("--listen 0"), "{}", ended.err);
    assert_eq!(served.counts().requests, 0);
    let ended = folder
        .run(&["run", &pipeline, "--listen", "example.org:80"])
        .expect(2);
    assert!(ended.err.contains("127.0.0.1:9090"), "{}", ended.err);
}

#[test]
fn an_address_that_others_can_reach_is_warned_of() {
    let folder = Folder::new();
    let pipeline = Chat::default().write(&folder, "http://127.0.0.1:9/v3");
    let ended = folder
        .run(&["rehearse", &pipeline, "--listen", "0.0.0.0:0"])
        .expect(0);
    assert!(
        ended.err.contains("others can reach this address"),
        "{}",
        ended.err
    );
    let ended = folder
        .run(&["rehearse", &pipeline, "--listen", "0"])
        .expect(0);
    assert!(!ended.err.contains("others can reach"), "{}", ended.err);
}

/// A browser that is told what to do through pipes, by its DevTools protocol.
struct Browser {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// The number of the last message to it.
    last: u64,
}

impl Browser {
    /// Starts one, where there is one.
    fn start(folder: &Folder) -> Option<Self> {
        let found = |name: &&str| {
            let asked = Command::new(name).arg("--version").output();
            asked.is_ok_and(|answer| answer.status.success())
        };
        let known = ["chromium", "chromium-browser", "google-chrome"];
        let name = known.into_iter().find(found)?;
        // It reads from 3 and writes to 4.
        let command = format!("exec {name} \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null");
        let mut child = Command::new("sh")
            .args(["-c", &command, "sh", "--headless", "--no-sandbox"])
            .args(["--disable-gpu", "--no-first-run", "--disable-sync"])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .arg("--remote-debugging-pipe")
            .arg(format!("--user-data-dir={}", folder.file("browser")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the browser starts");
        Some(Self {
            to: child.stdin.take().expect("asked for"),
            from: BufReader::new(child.stdout.take().expect("asked for")),
            child,
            last: 0,
        })
    }

    /// Has it do something, and gives what came of it.
    fn call(&mut self, session: Option<&str>, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        write!(self.to, "{message}\0").expect("the browser reads");
        loop {
            let mut answer = Vec::new();
            let read = self.from.read_until(0, &mut answer).expect("an answer");
            assert!(read > 0, "the browser has ended");
            answer.pop();
            let answer: Value = serde_json::from_slice(&answer).expect("JSON");
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_browser_draws_the_page_and_what_it_is_told_later() {
    let folder = Folder::new();
    let Some(mut browser) = Browser::start(&folder) else {
        println!("there is no browser here: not tried");
        return;
    };
    let Shown {
        served,
        mut running,
        address,
        ..
    } = run(&folder, &["--set", "cometchat.requests_per_minute=300"]);
    running.until("messages were sent", || served.counts().messages >= 100);
    let url = json!({ "url": format!("http://{address}/") });
    let tab = browser.call(None, "Target.createTarget", &url);
    let tab = json!({ "targetId": tab["targetId"], "flatten": true });
    let session = browser.call(None, "Target.attachToTarget", &tab);
    let session = session["sessionId"].as_str().expect("a session").to_owned();
    let mut drawn_when = |wanted: &str| {
        let script = json!({ "expression": "document.title + document.documentElement.outerHTML" });
        let patience = Instant::now() + Duration::from_secs(60);
        loop {
            let drawn = browser.call(Some(&session), "Runtime.evaluate", &script);
            let drawn = drawn["result"]["value"].as_str().unwrap_or_default();
            if drawn.starts_with(wanted) {
                return drawn.to_owned();
            }
            assert!(Instant::now() < patience, "not {wanted}: {drawn}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };

    let drawn = drawn_when("running: generated");
    for part in ["20 of 20", "requests of", "Records delivered over time"] {
        assert!(drawn.contains(part), "no {part} in {drawn}");
    }
    assert!(
        drawn.matches("<rect").count() > 10,
        "nothing is drawn: {drawn}"
    );

    running.interrupt();
    let drawn = drawn_when("stopped: generated");
    for part in [
        "ended: stopped",
        "exit code 130",
        "run the same command to go on",
    ] {
        assert!(drawn.contains(part), "no {part} in {drawn}");
    }
    running.ended().expect(130);
}
