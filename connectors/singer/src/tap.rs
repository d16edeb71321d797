//! The tap, told what it needs in files that nobody else can read.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chatferry_child::{Program, Running, Switch};
use chatferry_core::source::{SourceError, SourceErrorKind};
use tempfile::TempDir;

use crate::catalog::Catalog;
use crate::config::Config;

/// Bytes that a catalog may have.
const MAX_CATALOG: u64 = 256 << 20;

/// A tap.
#[derive(Clone, Debug)]
pub(crate) struct Tap {
    program: Program,
    config: Option<Config>,
    catalog: Option<PathBuf>,
}

/// A tap that runs, and the files that it was given.
struct Told {
    running: Running,
    // They are gone with it, and not before.
    _files: TempDir,
}

impl Read for Told {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.running.read(buffer)
    }
}

impl Tap {
    pub(crate) fn of(program: &Program, config: Option<&Config>, catalog: Option<&Path>) -> Self {
        Self {
            program: program.clone(),
            config: config.cloned(),
            catalog: catalog.map(Path::to_owned),
        }
    }

    /// How a person knows it.
    pub(crate) fn written(&self) -> &str {
        self.program.written()
    }

    /// Which streams there are: as its catalog's file says, or it itself.
    pub(crate) fn catalog(&self, switch: &Switch) -> Result<Catalog, SourceError> {
        let (json, name) = match &self.catalog {
            Some(path) => {
                let read = std::fs::read(path).map_err(|error| {
                    let doing = format!("read the catalog {}", path.display());
                    SourceError::new(SourceErrorKind::NotFound, doing, error.kind().to_string())
                        .help("`catalog` is a file, relative to the pipeline file")
                });
                (read?, path.display().to_string())
            }
            None => {
                let mut json = Vec::new();
                let told = self.start(&["--discover"], &[], switch)?;
                let read = told.take(MAX_CATALOG).read_to_end(&mut json);
                read.map_err(|error| known(error, self.written()))?;
                (json, format!("what `{}` --discover prints", self.written()))
            }
        };
        Catalog::read(&json).map_err(|reason| {
            let doing = format!("read the catalog in {name}");
            SourceError::new(SourceErrorKind::Malformed, doing, reason).help(
                "a catalog is a JSON object with a list of `streams`; where a tap cannot discover \
                 its streams, write it into a file and name that as `catalog`",
            )
        })
    }

    /// Starts it to read what this catalog selects, from that state on.
    pub(crate) fn read(
        &self,
        catalog: &str,
        state: Option<&str>,
        switch: &Switch,
    ) -> Result<impl Read + use<>, SourceError> {
        let mut told = vec![("catalog", catalog)];
        told.extend(state.map(|state| ("state", state)));
        self.start(&[], &told, switch)
    }

    /// Starts it with what is to be told, each under its option.
    fn start(
        &self,
        options: &[&str],
        told: &[(&str, &str)],
        switch: &Switch,
    ) -> Result<Told, SourceError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("chatferry-tap-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let files = builder.tempdir().map_err(unwritten)?;
        let mut arguments = Vec::new();
        let mut secrets = Vec::new();
        let write = |option: &str, json: &str| {
            let path = files.path().join(format!("{option}.json"));
            std::fs::write(&path, json).map_err(unwritten)?;
            Ok([format!("--{option}"), path.display().to_string()])
        };
        match &self.config {
            Some(Config::Table(tree)) => {
                let value = tree.reveal(&mut secrets).map_err(|error| {
                    let doing = format!("tell `{}` its config", self.written());
                    SourceError::new(SourceErrorKind::Denied, doing, error.to_string())
                });
                arguments.extend(write("config", &value?.to_string())?);
            }
            Some(Config::File(path)) => {
                arguments.extend(["--config".to_owned(), path.display().to_string()]);
            }
            None => {}
        }
        for (option, json) in told {
            arguments.extend(write(option, json)?);
        }
        arguments.extend(options.iter().map(|option| (*option).to_owned()));
        let program = self.program.clone().with(arguments).hiding(secrets);
        Ok(Told {
            running: program.start(switch)?,
            _files: files,
        })
    }
}

fn unwritten(error: io::Error) -> SourceError {
    let doing = "write what a tap is to be told into a temporary folder";
    SourceError::new(SourceErrorKind::Failed, doing, error.kind().to_string())
        .help("`TMPDIR` names a folder where this user may write")
        .cause(error)
}

fn known(error: io::Error, tap: &str) -> SourceError {
    match error.downcast::<SourceError>() {
        Ok(known) => known,
        Err(error) => SourceError::new(
            SourceErrorKind::Failed,
            format!("run `{tap}`"),
            error.kind().to_string(),
        ),
    }
}
