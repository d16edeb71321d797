//! Where the program runs: a folder of its own, in an environment that nobody has touched.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything that a test waits for may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// A folder that goes away with the test, and the program run in it.
#[derive(Debug)]
pub struct Folder(TempDir);

/// What the program said, and how it ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// How long it took.
    pub took: Duration,
}

/// The program at work.
#[derive(Debug)]
pub struct Running {
    child: Child,
    out: JoinHandle<String>,
    err: JoinHandle<String>,
    started: Instant,
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder can be made"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// A file in it, as an argument.
    #[must_use]
    pub fn file(&self, name: &str) -> String {
        text_of(&self.path().join(name))
    }

    /// Writes a file in it, and gives its path as an argument.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> String {
        let path = self.path().join(name);
        let above = path.parent().expect("a file is in a folder");
        std::fs::create_dir_all(above).expect("a folder can be made");
        std::fs::write(&path, contents).expect("a file can be written");
        text_of(&path)
    }

    /// Runs the program to its end.
    pub fn run<S: AsRef<str>>(&self, arguments: &[S]) -> Ended {
        self.run_with(&[], arguments)
    }

    /// Runs the program to its end with these variables.
    pub fn run_with<S: AsRef<str>>(&self, variables: &[(&str, &str)], arguments: &[S]) -> Ended {
        self.start_with(variables, arguments).ended()
    }

    /// Starts the program.
    pub fn start<S: AsRef<str>>(&self, arguments: &[S]) -> Running {
        self.start_with(&[], arguments)
    }

    /// Starts the program with this for its standard input.
    pub fn start_fed<S: AsRef<str>>(&self, input: impl Into<Stdio>, arguments: &[S]) -> Running {
        self.start_between(input.into(), Stdio::piped(), &[], arguments)
    }

    /// Starts the program with these for its standard input and output.
    pub fn start_piped<S: AsRef<str>>(
        &self,
        input: impl Into<Stdio>,
        out: impl Into<Stdio>,
        arguments: &[S],
    ) -> Running {
        self.start_between(input.into(), out.into(), &[], arguments)
    }

    /// Starts the program with a file for its standard output, to be read meanwhile.
    pub fn start_into<S: AsRef<str>>(&self, file: &Path, arguments: &[S]) -> Running {
        let out = std::fs::File::create(file).expect("a file can be made");
        self.start_to(out.into(), &[], arguments)
    }

    fn start_with<S: AsRef<str>>(&self, variables: &[(&str, &str)], arguments: &[S]) -> Running {
        self.start_to(Stdio::piped(), variables, arguments)
    }

    fn start_to<S: AsRef<str>>(
        &self,
        out: Stdio,
        variables: &[(&str, &str)],
        arguments: &[S],
    ) -> Running {
        self.start_between(Stdio::null(), out, variables, arguments)
    }

    fn start_between<S: AsRef<str>>(
        &self,
        input: Stdio,
        out: Stdio,
        variables: &[(&str, &str)],
        arguments: &[S],
    ) -> Running {
        let program = std::env::var_os("CARGO_BIN_EXE_chatferry-under-test")
            .expect("cargo runs the tests, and tells them where the program is");
        let mut child = Command::new(program)
            .args(arguments.iter().map(AsRef::as_ref))
            .current_dir(self.path())
            .env_clear()
            .envs([("LANG", "C.UTF-8"), ("TERM", "dumb"), ("COLUMNS", "100")])
            .envs(variables.iter().copied())
            .stdin(input)
            .stdout(out)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        Running {
            out: gather(child.stdout.take()),
            err: gather(child.stderr.take()),
            child,
            started: Instant::now(),
        }
    }
}

impl Running {
    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still at work.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    /// Waits until `there` is true while it works.
    ///
    /// # Panics
    ///
    /// When it ends before.
    pub fn until(&mut self, what: &str, there: impl Fn() -> bool) {
        let patience = Instant::now() + PATIENCE;
        while !there() {
            assert!(self.is_running(), "it ended before {what}");
            assert!(Instant::now() < patience, "waited too long until {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks it to stop, as Ctrl-C does.
    pub fn interrupt(&self) {
        let sent = Command::new("kill")
            .args(["-INT", &self.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|sent| sent.success()), "it can be signalled");
    }

    /// Ends it in the middle of whatever it does, as `kill -9` does.
    pub fn kill(mut self) -> Ended {
        self.child.kill().expect("it can be killed");
        self.ended()
    }

    /// Waits for its end.
    pub fn ended(self) -> Ended {
        self.ended_within(PATIENCE)
    }

    /// Waits for its end for so long.
    pub fn ended_within(mut self, patience: Duration) -> Ended {
        let status = self.wait(patience);
        if status.is_none() {
            let _ = self.child.kill();
        }
        let ended = Ended {
            code: status.and_then(|status| status.code()),
            out: self.out.join().expect("its output can be read"),
            err: self.err.join().expect("its output can be read"),
            took: self.started.elapsed(),
        };
        assert!(status.is_some(), "it does not end: {}", ended.said());
        ended
    }

    /// How it ended; `None` when it does not.
    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let patience = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return Some(status);
            }
            if Instant::now() > patience {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Ended {
    /// Makes sure that it ended so, and shows what it said if not.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Everything it said.
    #[must_use]
    pub fn said(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// The folder that holds everything of ours.
#[must_use]
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("the tests are in the repository")
        .to_owned()
}

/// A ready-made pipeline, as an argument.
#[must_use]
pub fn pipeline(name: &str) -> String {
    text_of(&repository().join("pipelines").join(name))
}

fn text_of(path: &Path) -> String {
    path.to_str().expect("paths of tests are text").to_owned()
}

/// What is said there to the end; nothing where that goes elsewhere.
fn gather(from: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut from) = from {
            let _ = from.read_to_end(&mut bytes);
        }
        String::from_utf8(bytes).expect("the program says nothing but text")
    })
}
