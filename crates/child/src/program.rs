//! What to run.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chatferry_core::Secret;
use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::running::{Running, Switch};

/// A secret shorter than this is not looked for in what a program says: it would be found everywhere.
const SHORTEST_SECRET: usize = 4;

/// A program with its arguments, and where it runs. Its values are secrets, and are not shown.
#[derive(Clone)]
pub struct Program {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// The same as a person knows it: as it is written, without what the environment put in.
    pub(crate) written: String,
    /// What its environment has besides ours.
    pub(crate) environment: Vec<(String, Secret)>,
    /// Where it runs.
    pub(crate) folder: PathBuf,
    /// What it is told besides and may not be repeated.
    pub(crate) secrets: Vec<String>,
}

impl Program {
    /// How a person knows it.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The same with more arguments, which hold no secrets.
    #[must_use]
    pub fn with(mut self, arguments: impl IntoIterator<Item = String>) -> Self {
        self.command.extend(arguments);
        self
    }

    /// The same, and these are not to be repeated of what it says.
    #[must_use]
    pub fn hiding(mut self, secrets: impl IntoIterator<Item = String>) -> Self {
        self.secrets.extend(secrets);
        self
    }

    /// Starts it. The switch ends it.
    ///
    /// # Errors
    ///
    /// When it is not there, may not be run, or a secret for its environment cannot be read.
    pub fn start(&self, switch: &Switch) -> Result<Running, SourceError> {
        let mut hidden = self.secrets.clone();
        let mut command = Command::new(self.path());
        command
            .args(&self.command[1..])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, secret) in &self.environment {
            let value = secret
                .reveal()
                .map_err(|error| self.failed(SourceErrorKind::Denied, error.to_string()))?;
            command.env(name, &value);
            hidden.push(value);
        }
        hidden.retain(|secret| secret.len() >= SHORTEST_SECRET);
        // Programs that it starts itself belong to it, so that all can be ended together.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| self.unstarted(error))?;
        Ok(Running::of(child, self, hidden, switch))
    }

    /// The program's file. A path is relative to the folder where it runs, and a mere name is
    /// looked for in `PATH`.
    fn path(&self) -> PathBuf {
        let program = Path::new(&self.command[0]);
        match program.components().count() {
            1 => program.to_owned(),
            _ => self.folder.join(program),
        }
    }

    fn unstarted(&self, error: std::io::Error) -> SourceError {
        let (kind, reason, help) = match error.kind() {
            _ if !self.folder.is_dir() => (
                SourceErrorKind::NotFound,
                "the folder it is to run in is not there".to_owned(),
                "`folder` is relative to the pipeline file",
            ),
            std::io::ErrorKind::NotFound => (
                SourceErrorKind::NotFound,
                "it is not there".to_owned(),
                "the first word of `command` is a program in `PATH`, or a path relative to the \
                 folder where it runs; there is no shell in between",
            ),
            std::io::ErrorKind::PermissionDenied => (
                SourceErrorKind::Denied,
                "permission denied".to_owned(),
                "give this user the right to run it: `chmod +x`",
            ),
            kind => (
                SourceErrorKind::Failed,
                kind.to_string(),
                "try to run it by itself",
            ),
        };
        self.failed(kind, reason).help(help).cause(error)
    }

    pub(crate) fn failed(&self, kind: SourceErrorKind, reason: impl Into<String>) -> SourceError {
        SourceError::new(kind, format!("run `{}`", self.written), reason)
    }
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("written", &self.written)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
