//! What ends a server, whatever happens to the test.
//!
//! A shell runs the server. It takes its orders from a pipe whose other end only this process
//! holds. When this process ends, even by `kill -9`, so does the pipe, and with it the shell: on
//! its way out it kills the server and removes the folder.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::account::Account;

/// The lines of a log that are worth showing.
const LAST_LINES: usize = 30;

/// A shell that runs a server in a temporary folder, and outlives neither it nor us.
pub(super) struct Keeper {
    folder: PathBuf,
    account: Option<Account>,
    shell: Arc<Mutex<Shell>>,
}

struct Shell {
    child: Child,
    /// `None` when it was told to leave.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Keeper {
    /// A keeper with an empty folder, who runs everything as that user, or as ourselves, and
    /// sends the server that signal in the end.
    pub(super) fn new(account: Option<Account>, last_signal: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("chatferry-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let mut command = Command::new("sh");
        command
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own, so that Ctrl-C does not reach it before the pipe ends.
            .process_group(0);
        if let Some(Account { uid, gid }) = account {
            chown(&folder, Some(uid), Some(gid)).expect("root may give a folder away");
            command.uid(uid).gid(gid);
        }
        let mut child = command.spawn().expect("every machine has a shell");
        let mut orders = child.stdin.take().expect("its input is piped");
        let answers = BufReader::new(child.stdout.take().expect("its output is piped"));
        let name = word(&folder);
        writeln!(
            orders,
            r#"
            server=
            end() {{
                if [ -n "$server" ]; then
                    kill -{last_signal} "$server"
                    wait "$server"
                fi
                cd /
                rm -rf {name}
            }}
            trap end EXIT
            cd {name}
            "#
        )
        .expect("the shell reads");
        let shell = Arc::new(Mutex::new(Shell {
            child,
            orders: Some(orders),
            answers,
        }));
        Self {
            folder,
            account,
            shell,
        }
    }

    /// The folder that goes away with the server.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a file into the folder that only the server may read.
    pub(super) fn write(&self, name: &str, contents: &str) {
        let path = self.folder.join(name);
        fs::write(&path, contents).expect("a file is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        if let Some(Account { uid, gid }) = self.account {
            chown(&path, Some(uid), Some(gid)).expect("root may give a file away");
        }
    }

    /// Runs a command of the shell to its end; whether it succeeded. What it says is in the log.
    pub(super) async fn run(&self, command: String) -> bool {
        let shell = Arc::clone(&self.shell);
        let order = move || shell.lock().expect("no order panics").run(&command);
        tokio::task::spawn_blocking(order)
            .await
            .expect("no order panics")
    }

    /// Starts the server.
    pub(super) async fn start(&self, command: &str) {
        self.run(format!("{command} & server=$!")).await;
    }

    /// Sends the server a signal and waits until it has ended.
    pub(super) async fn stop(&self, signal: &str) {
        let command = format!("kill -{signal} \"$server\"\nwait \"$server\"\nserver=");
        self.run(command).await;
    }

    /// Whether the server runs.
    pub(super) async fn runs(&self) -> bool {
        // `jobs` makes the shell notice who has ended.
        self.run("jobs\nkill -0 \"$server\"".to_owned()).await
    }

    /// The last lines of all that the server and other commands have said.
    pub(super) fn log(&self) -> String {
        let log = fs::read(self.folder.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Shell {
    fn run(&mut self, command: &str) -> bool {
        let Some(orders) = &mut self.orders else {
            return false;
        };
        let order = format!("{{ {command}\n}} </dev/null >>log 2>&1; echo $?\n");
        let mut answer = String::new();
        orders.write_all(order.as_bytes()).is_ok()
            && self.answers.read_line(&mut answer).is_ok()
            && answer.trim() == "0"
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        self.orders = None;
        // Its end is the end of the server and of the folder; how it ended is no matter.
        let _ = self.child.wait();
    }
}

/// A path as one word of the shell.
pub(super) fn word(path: &Path) -> String {
    let path = path.to_str().expect("paths of programs are UTF-8");
    format!("'{}'", path.replace('\'', r"'\''"))
}
