//! The source: its tables, what they have, and their rows.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use async_trait::async_trait;
use chatferry_child::{Program, Switch};
use chatferry_core::source::{
    BatchStream, Rows, Scan, Source, SourceError, SourceErrorKind, SourceSettings, Table,
};
use chatferry_files::{Input, Inquiry, Root, found, given};
use chatferry_records::{Described, describe, read};
use futures::stream::{self, StreamExt};
use tokio::sync::OnceCell;

use crate::settings::{ExecSettings, TableOf};

/// What programs print, as tables.
struct Exec {
    tables: BTreeMap<String, Offered>,
}

/// One table, described once.
#[derive(Clone)]
struct Offered {
    table: Arc<TableOf>,
    described: Arc<OnceCell<Arc<Described>>>,
}

/// A program to be run, whose output is read like a file.
#[derive(Debug)]
struct Output {
    program: Program,
    switch: Switch,
}

impl Input for Output {
    fn open(&self) -> Result<Box<dyn Read>, SourceError> {
        Ok(Box::new(self.program.start(&self.switch)?))
    }
}

impl SourceSettings for ExecSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        let offered = |(name, table): &(String, TableOf)| {
            let offered = Offered {
                table: Arc::new(table.clone()),
                described: Arc::default(),
            };
            (name.clone(), offered)
        };
        Ok(Arc::new(Exec {
            tables: self.tables.iter().map(offered).collect(),
        }))
    }
}

impl Exec {
    fn offered(&self, table: &str) -> Result<&Offered, SourceError> {
        self.tables.get(table).ok_or_else(|| {
            let names: Vec<&str> = self.tables.keys().map(String::as_str).collect();
            let reason = "the source has no such table";
            SourceError::new(SourceErrorKind::NotFound, format!("read {table}"), reason)
                .help(format!("its tables are {}", names.join(", ")))
        })
    }
}

impl Offered {
    /// Where its rows are found: in what the program prints, for as long as the switch is on.
    fn root(&self, switch: &Switch) -> Root {
        let output = Output {
            program: self.table.program.clone(),
            switch: switch.clone(),
        };
        let name = format!("output of `{}`", self.table.program.written());
        Root::of(&name, Arc::new(output))
    }

    async fn described(&self, name: &str) -> Result<Arc<Described>, SourceError> {
        let describe = || async {
            let switch = Switch::default();
            let _hand = switch.hand();
            let (name, root) = (name.to_owned(), self.root(&switch));
            let table = Arc::clone(&self.table);
            let described = found(move |waits| match &table.columns {
                Some(columns) => Described::declared(&name, &root, &table.settings, columns),
                None => {
                    describe(&name, &root, &table.settings, &Inquiry::of(waits)).map(of_one_run)
                }
            });
            described.await.map(Arc::new)
        };
        self.described.get_or_try_init(describe).await.cloned()
    }
}

/// What is known of a program's output out of one run of it: the next one may print other rows.
fn of_one_run(mut described: Described) -> Described {
    let table = Arc::make_mut(&mut described.table);
    table.orders.clear();
    if let Rows::Exactly(rows) = table.rows {
        table.rows = Rows::About(rows);
    }
    described
}

#[async_trait]
impl Source for Exec {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.tables.keys().cloned().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        let described = self.offered(table)?.described(table).await?;
        Ok(Arc::clone(&described.table))
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let offered = match self.offered(&scan.table.name) {
            Ok(offered) => offered.clone(),
            Err(error) => return stream::iter([Err(error)]).boxed(),
        };
        let switch = Switch::default();
        let hand = switch.hand();
        let begun = async move {
            match offered.described(&scan.table.name).await {
                Ok(described) => given(move |consumer| {
                    let root = offered.root(&switch);
                    read(&root, &offered.table.settings, &described, &scan, consumer)
                }),
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        // Whoever lets go of the rows lets go of the program.
        let held = move |batch| hand.pass(batch);
        stream::once(begun).flatten().map(held).boxed()
    }
}

impl fmt::Debug for Exec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let programs = self
            .tables
            .iter()
            .map(|(name, it)| (name, &it.table.program));
        f.debug_map().entries(programs).finish()
    }
}
