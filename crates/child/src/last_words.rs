//! What a program says on standard error: to the log, and the end of it for the error.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// Lines that are kept.
const LINES: usize = 8;
/// Bytes of a line that are kept and logged.
const LINE: u64 = 1_024;
/// How long the rest of it is waited for when the program has ended. A program that it left behind
/// may hold the pipe open for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// The end of what a program says.
pub(crate) struct LastWords(Receiver<String>);

impl LastWords {
    /// Listens to it, and logs it under that name.
    pub(crate) fn listen(
        said: impl Read + Send + 'static,
        name: &str,
        hidden: Vec<String>,
    ) -> Self {
        let (tell, told) = channel();
        let name = name.to_owned();
        thread::spawn(move || {
            let mut last = VecDeque::new();
            let mut said = BufReader::new(said);
            while let Some(line) = line(&mut said) {
                let line = without(&line, &hidden);
                if line.is_empty() {
                    continue;
                }
                tracing::info!(program = name, "{line}");
                if last.len() == LINES {
                    last.pop_front();
                }
                last.push_back(line);
            }
            let all: Vec<String> = last.into();
            // Nobody asks when it did what it should.
            let _ = tell.send(all.join("\n"));
        });
        Self(told)
    }

    /// The last lines, once there are no more.
    pub(crate) fn end(&self) -> String {
        self.0.recv_timeout(PATIENCE).unwrap_or_default()
    }
}

/// The next line, cut where it is too long; `None` at the end.
fn line(said: &mut impl BufRead) -> Option<String> {
    let mut line = Vec::new();
    let read = said.by_ref().take(LINE).read_until(b'\n', &mut line).ok()?;
    if read == 0 {
        return None;
    }
    if !line.ends_with(b"\n") && line.len() as u64 == LINE {
        let _ = said.skip_until(b'\n');
    }
    Some(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// The text with stars where a secret stands.
fn without(text: &str, hidden: &[String]) -> String {
    hidden
        .iter()
        .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_without_secrets() {
        let said: String = (0..20)
            .map(|line| format!("line {line} with hunter2\n"))
            .collect();
        let said = said + &"x".repeat(5_000) + "\nlast";
        let words = LastWords::listen(std::io::Cursor::new(said), "p", vec!["hunter2".into()]);
        let words = words.end();
        let lines: Vec<&str> = words.lines().collect();
        assert_eq!(lines.len(), LINES);
        assert_eq!((lines[0], lines[7]), ("line 14 with ***", "last"));
        assert_eq!(lines[6].len(), 1_024);
    }
}
