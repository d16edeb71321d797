//! A value that must not be seen.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A value that must not be seen: a key, a password, a URL that holds one.
///
/// It appears as `***` wherever it is printed by mistake. Only [`reveal`](Self::reveal) gives it
/// away, and only what talks to the other side calls that.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// The value itself.
    Value(String),
    /// A file that holds it, such as `/run/secrets/key`; read when it is needed.
    File(PathBuf),
}

impl Secret {
    /// The value, without the line break that ends a secret's file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read. The error names the file, never its contents.
    pub fn reveal(&self) -> io::Result<String> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Ok(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(error) => Err(io::Error::new(
                    error.kind(),
                    format!(
                        "cannot read the secret in {}: {}",
                        path.display(),
                        error.kind()
                    ),
                )),
            },
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::Value("hunter2".into());
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
    }
}
