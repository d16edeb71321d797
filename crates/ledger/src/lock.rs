//! Who may write a ledger: one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::error::LedgerError;

/// Leave to write a ledger, for as long as it is held. The system takes it back when the process
/// ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "held for its lock")] File);

impl Lock {
    /// Takes the lock that stands beside the ledger, and writes this process's id into it.
    pub(crate) fn take(ledger: &Path) -> Result<Self, LedgerError> {
        let path = beside(ledger);
        let failed = |error: std::io::Error| {
            LedgerError::new("open", ledger, reason(&error))
                .help("does its folder exist, and may it be written? --ledger names another file")
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only for the message: whoever holds the lock may not have written its id yet.
                let _ = file.read_to_string(&mut holder);
                let holder = holder.trim();
                let holder = if holder.is_empty() {
                    "another process".into()
                } else {
                    format!("process {holder}")
                };
                return Err(
                    LedgerError::new("open", ledger, format!("{holder} is writing it")).help(
                        "wait until it ends, or stop it; `chatferry status` may look meanwhile",
                    ),
                );
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0)
            .and_then(|()| file.rewind())
            .map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Self(file))
    }
}

/// What the system says, as a part of a sentence and without the number that it adds.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    words.to_lowercase()
}

fn beside(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push("-lock");
    name.into()
}
