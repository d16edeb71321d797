//! How a program is told to end.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program has to end by itself when it is told to.
const GRACE: Duration = Duration::from_secs(2);
/// The longest time between two looks at whether it has ended.
const PAUSE: Duration = Duration::from_millis(50);

/// Ends a program and those that it started, the hard way when it does not follow.
pub(crate) fn end(child: &mut Child) {
    if matches!(child.try_wait(), Ok(Some(_))) {
        return;
    }
    tell(child, "TERM");
    let begun = Instant::now();
    if await_end(child, &|| begun.elapsed() < GRACE).is_none() {
        tell(child, "KILL");
        // It may have been told in vain when there is no shell; this always works for itself.
        let _ = child.kill();
        // Nobody is left to hear that it cannot be waited for.
        let _ = child.wait();
    }
}

/// Waits for the end of a program for as long as somebody `waits`; gives how it ended.
pub(crate) fn await_end(
    child: &mut Child,
    waits: &dyn Fn() -> bool,
) -> Option<std::process::ExitStatus> {
    let mut pause = Duration::from_millis(1);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Err(_) => return None,
            Ok(None) if !waits() => return None,
            Ok(None) => std::thread::sleep(pause),
        }
        pause = (pause * 2).min(PAUSE);
    }
}

/// Sends a signal to all programs of its group. The standard library can only kill a single one, so
/// it is the shell that does it.
#[cfg(unix)]
fn tell(child: &mut Child, signal: &str) {
    let told = Command::new("/bin/sh")
        .args(["-c", "kill -s \"$0\" -- \"-$1\"", signal])
        .arg(child.id().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !told.is_ok_and(|status| status.success()) {
        // Without a shell there is one way less.
        let _ = child.kill();
    }
}

#[cfg(not(unix))]
fn tell(child: &mut Child, _: &str) {
    let _ = child.kill();
}
