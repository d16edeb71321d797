//! What stands in for CometChat: the simulator over HTTP, in the test's own process.

use chatferry_simulator::{Counts, Settings, Simulator};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// A simulator that listens on a port of its own for as long as this lives.
pub struct Served {
    /// The simulator: its counts, its dump, more faults.
    pub simulator: Simulator,
    url: String,
    runtime: Runtime,
}

/// Everything that was stored, each entity in the order in which it was.
#[derive(Debug, Default)]
pub struct Stored {
    /// The users.
    pub users: Vec<Value>,
    /// The groups.
    pub groups: Vec<Value>,
    /// The members.
    pub members: Vec<Value>,
    /// The messages.
    pub messages: Vec<Value>,
}

/// A service without a limit that takes messages of any age.
#[must_use]
pub fn unlimited() -> Settings {
    Settings {
        requests_per_minute: None,
        retention: None,
        ..Settings::default()
    }
}

/// The switches of the simulator that refuse the most.
pub const STRICT: [&str; 8] = [
    "joined-at=after",
    "key-mismatch=refuse",
    "duplicates=refuse",
    "missing-reference=refuse",
    "inline-missing=refuse",
    "unknown-keys=refuse",
    "poison=abort",
    "attachment-url=rewrite",
];

/// The same that refuses whatever it may.
///
/// # Panics
///
/// When a switch is gone.
#[must_use]
pub fn strict() -> Settings {
    let mut settings = unlimited();
    for switch in STRICT {
        let (name, value) = switch.split_once('=').expect("a name and a value");
        settings.switch(name, value).expect("there is this switch");
    }
    settings
}

impl Served {
    /// Serves a simulator with these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let simulator = Simulator::new(settings).expect("a temporary file can be made");
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("a thread can be started");
        let listener = runtime
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        runtime.spawn(simulator.clone().serve(listener, std::future::pending()));
        Self {
            simulator,
            url: format!("http://{address}/v3"),
            runtime,
        }
    }

    /// Where it is, for `base_url`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// How much it has stored and seen.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.simulator.counts()
    }

    /// The arguments that send a ready-made pipeline there, as fast as it goes.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        vec![
            "--set".into(),
            format!("cometchat.base_url={}", self.url),
            "--set".into(),
            "cometchat.requests_per_minute=off".into(),
        ]
    }

    /// Asks it for something, below its base URL and as anybody may.
    ///
    /// # Panics
    ///
    /// When the answer is no JSON.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Value {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("apikey", "any")
            .body(body.to_owned().into())
            .expect("a sound request");
        let answer = self.runtime.block_on(self.simulator.answer(request));
        let answer = answer.expect("an answer");
        serde_json::from_slice(answer.body()).expect("an answer is JSON")
    }

    /// Everything it has stored.
    #[must_use]
    pub fn stored(&self) -> Stored {
        let mut lines = Vec::new();
        self.simulator
            .dump(&mut lines)
            .expect("the dump can be written to memory");
        let mut stored = Stored::default();
        for line in lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let mut line: Value = serde_json::from_slice(line).expect("a dump is JSON lines");
            let of = match line["entity"].as_str() {
                Some("users") => &mut stored.users,
                Some("groups") => &mut stored.groups,
                Some("members") => &mut stored.members,
                Some("messages") => &mut stored.messages,
                other => panic!("{other:?} is no entity"),
            };
            of.push(line["record"].take());
        }
        stored
    }
}

/// The texts under this key, in the order of the records.
impl Stored {
    /// The muids of the messages in the order in which they were stored.
    #[must_use]
    pub fn muids(&self) -> Vec<&str> {
        self.messages
            .iter()
            .filter_map(|message| message["muid"].as_str())
            .collect()
    }
}
