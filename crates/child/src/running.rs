//! A program that runs, and what it prints.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use chatferry_core::source::{SourceError, SourceErrorKind};

use crate::last_words::LastWords;
use crate::program::Program;
use crate::signal::{await_end, end};

/// Bytes that are taken out of the pipe at a time: as many as are in it.
const CHUNK: usize = 64 * 1024;
/// Chunks that wait to be read. While these wait, the program waits.
const AHEAD: usize = 4;

/// Ends a program, from wherever that is needed.
#[derive(Clone, Debug, Default)]
pub struct Switch(Arc<Wire>);

#[derive(Debug, Default)]
struct Wire {
    off: AtomicBool,
    /// Wakes who waits for the program.
    wake: Mutex<Option<SyncSender<Printed>>>,
}

/// Turns a switch off when it is dropped.
#[derive(Debug)]
pub struct Hand(Switch);

impl Switch {
    /// Ends the program, now or as soon as it is started.
    pub fn turn_off(&self) {
        self.0.off.store(true, Ordering::Release);
        let wake = self.0.wake.lock().expect("no holder of this lock panics");
        if let Some(wake) = &*wake {
            // When there is no room, there is something to wake up for.
            let _ = wake.try_send(Printed::Nothing);
        }
    }

    /// What turns it off when it is dropped.
    #[must_use]
    pub fn hand(&self) -> Hand {
        Hand(self.clone())
    }

    fn is_off(&self) -> bool {
        self.0.off.load(Ordering::Acquire)
    }
}

impl Hand {
    /// Gives back what it was given: whoever passes things on through this keeps the program
    /// running.
    pub fn pass<T>(&self, it: T) -> T {
        it
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.0.turn_off();
    }
}

#[derive(Debug)]
enum Printed {
    Bytes(Vec<u8>),
    /// It cannot be read.
    Failed(io::Error),
    /// It has closed what it prints to.
    End,
    Nothing,
}

/// A program that runs. What it prints can be read to its end, which comes when the program has
/// ended well. It is ended, if it has not, when this is dropped.
pub struct Running {
    child: Child,
    program: Program,
    printed: Receiver<Printed>,
    chunk: io::Cursor<Vec<u8>>,
    last_words: LastWords,
    switch: Switch,
    over: bool,
}

impl Running {
    pub(crate) fn of(
        mut child: Child,
        program: &Program,
        hidden: Vec<String>,
        switch: &Switch,
    ) -> Self {
        let (give, printed) = sync_channel(AHEAD);
        let wake = give.clone();
        *switch.0.wake.lock().expect("no holder of this lock panics") = Some(wake);
        let output = child.stdout.take().expect("it was asked for");
        thread::spawn(move || pump(output, &give));
        let said = child.stderr.take().expect("it was asked for");
        Self {
            last_words: LastWords::listen(said, program.written(), hidden),
            child,
            program: program.clone(),
            printed,
            chunk: io::Cursor::default(),
            switch: switch.clone(),
            over: false,
        }
    }

    /// What a program that has closed its output comes to.
    fn finish(&mut self) -> Result<(), SourceError> {
        let switch = self.switch.clone();
        let Some(status) = await_end(&mut self.child, &|| !switch.is_off()) else {
            return Err(self.stopped());
        };
        if status.success() {
            return Ok(());
        }
        let failed = self.program.failed(SourceErrorKind::Failed, ending(status));
        let last_words = self.last_words.end();
        if last_words.is_empty() {
            return Err(failed.help("it said nothing of why; try to run it by itself"));
        }
        let indented: Vec<String> = last_words.lines().map(|line| format!("  {line}")).collect();
        Err(failed.help(format!(
            "put right what it complains of, and start again; the last it said:\n{}",
            indented.join("\n")
        )))
    }

    fn stopped(&self) -> SourceError {
        self.program.failed(
            SourceErrorKind::Failed,
            "it was stopped, since nobody reads it any more",
        )
    }
}

impl Read for Running {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(buffer)?;
            if read > 0 || buffer.is_empty() || self.over {
                return Ok(read);
            }
            if self.switch.is_off() {
                return Err(io::Error::other(self.stopped()));
            }
            match self.printed.recv() {
                Ok(Printed::Bytes(bytes)) => self.chunk = io::Cursor::new(bytes),
                Ok(Printed::Nothing) => {}
                Ok(Printed::Failed(error)) => return Err(error),
                Ok(Printed::End) | Err(_) => {
                    self.finish().map_err(io::Error::other)?;
                    self.over = true;
                }
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *self
            .switch
            .0
            .wake
            .lock()
            .expect("no holder of this lock panics") = None;
        end(&mut self.child);
    }
}

/// Takes what a program prints out of the pipe, for as long as somebody takes it.
fn pump(mut output: ChildStdout, give: &SyncSender<Printed>) {
    loop {
        let mut bytes = vec![0; CHUNK];
        let printed = match output.read(&mut bytes) {
            Ok(0) => Printed::End,
            Ok(read) => {
                bytes.truncate(read);
                Printed::Bytes(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Printed::Failed(error),
        };
        let is_last = !matches!(printed, Printed::Bytes(_));
        if give.send(printed).is_err() || is_last {
            return;
        }
    }
}

/// How it ended, in words.
fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("it was ended by signal {signal}");
    }
    match status.code() {
        Some(code) => format!("it ended with exit code {code}"),
        None => "it failed".to_owned(),
    }
}
