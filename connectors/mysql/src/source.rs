//! The source: its tables, what they have, and their rows.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use chatferry_core::Filter;
use chatferry_core::source::{
    BatchStream, Scan, Source, SourceError, SourceErrorKind, SourceSettings, Table,
};
use futures::FutureExt;

use crate::catalog;
use crate::describe::{Described, Target, describe};
use crate::failure;
use crate::filter;
use crate::scan::batches;
use crate::session::{Session, Sessions};
use crate::settings::{MySqlSettings, Reading};
use chatferry_config::database::{TableSettings, Tables};

/// A MySQL or MariaDB database as a source.
#[derive(Clone)]
pub(crate) struct MySqlSource(Arc<Shared>);

struct Shared {
    sessions: Arc<Sessions>,
    tables: Tables,
    reading: Reading,
    /// Whether a run is to read everything as it was at one moment.
    snapshot: bool,
    /// What was described so far, by name.
    described: Mutex<HashMap<String, Arc<Described>>>,
}

impl SourceSettings for MySqlSettings {
    fn open(&self) -> Result<Arc<dyn Source>, SourceError> {
        Ok(Arc::new(MySqlSource(Arc::new(Shared {
            sessions: Arc::new(Sessions::new(&self.server)?),
            tables: self.tables.clone(),
            reading: self.reading,
            snapshot: self.server.snapshot,
            described: Mutex::new(HashMap::new()),
        }))))
    }

    fn wants_one_moment(&self) -> bool {
        self.server.snapshot
    }
}

#[async_trait]
impl Source for MySqlSource {
    async fn tables(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.0.targets().await?.into_keys().collect())
    }

    async fn describe(&self, table: &str) -> Result<Arc<Table>, SourceError> {
        Ok(Arc::clone(&self.0.described(table).await?.table))
    }

    fn honours(&self, table: &Table, condition: &Filter) -> bool {
        let described = self.0.known(&table.name);
        described.is_some_and(|described| filter::sql(condition, &described).is_some())
    }

    fn scan(&self, scan: Scan) -> BatchStream {
        let (shared, table) = (Arc::clone(&self.0), Arc::clone(&scan.table));
        let described = async move {
            let described = shared.described(&table.name).await?;
            match described.table.schema == table.schema {
                true => Ok(described),
                false => Err(SourceError::new(
                    SourceErrorKind::Changed,
                    format!("read {}", table.name),
                    "it is not what it was when it was described",
                )
                .help("run `chatferry check` again, and then the same command")),
            }
        };
        batches(described.boxed(), Arc::clone(&self.0.sessions), scan)
    }

    async fn at_one_moment(&self) -> Result<Option<Arc<dyn Source>>, SourceError> {
        let sessions = self.0.sessions.at_one_moment().await?;
        let source = Self(Arc::new(Shared {
            sessions: Arc::new(sessions),
            tables: self.0.tables.clone(),
            reading: self.0.reading,
            snapshot: self.0.snapshot,
            described: Mutex::new(HashMap::new()),
        }));
        Ok(Some(Arc::new(source)))
    }
}

impl Shared {
    /// The tables that are offered, and what each is in the database.
    async fn targets(&self) -> Result<BTreeMap<String, Target>, SourceError> {
        let read = |mut session: Session| {
            let relations = async move {
                let relations = catalog::relations(session.connection());
                let relations = self.sessions.in_time(relations).await?;
                self.sessions.give_back(session);
                Ok(relations)
            };
            relations.boxed()
        };
        let relations = self.sessions.patiently("list the tables", read).await?;
        let mut all: BTreeMap<String, Target> = relations
            .into_iter()
            .map(|relation| (relation.name.clone(), Target::Relation(relation)))
            .collect();
        let find = |name: &str, all: &BTreeMap<String, Target>| match all.get(name) {
            Some(target) => Ok(target.clone()),
            None => Err(self.no_table(name, all)),
        };
        match &self.tables {
            Tables::All => {}
            Tables::Named(names) => {
                let named = names
                    .iter()
                    .map(|name| Ok((name.clone(), find(name, &all)?)));
                all = named.collect::<Result<_, SourceError>>()?;
            }
            Tables::Set(set) => {
                let mut defined = BTreeMap::new();
                for (name, settings) in set {
                    let target = match &settings.query {
                        Some(query) => Target::Query(query.clone()),
                        None => find(settings.table.as_ref().unwrap_or(name), &all)?,
                    };
                    defined.insert(name.clone(), target);
                }
                all.extend(defined);
            }
        }
        Ok(all)
    }

    async fn described(&self, name: &str) -> Result<Arc<Described>, SourceError> {
        if let Some(known) = self.known(name) {
            return Ok(known);
        }
        let targets = self.targets().await?;
        let target = targets.get(name);
        let target = target.ok_or_else(|| self.no_table(name, &targets))?;
        let settings = match &self.tables {
            Tables::Set(set) => set.get(name).cloned().unwrap_or_default(),
            _ => TableSettings::default(),
        };
        let settings = &settings;
        let read = |mut session: Session| {
            let described = async move {
                let described = describe(&mut session, name, target, settings, self.reading);
                let described = self.sessions.in_time(described).await?;
                self.sessions.give_back(session);
                Ok(described)
            };
            described.boxed()
        };
        let doing = format!("describe {name}");
        let described = self.sessions.patiently(&doing, read).await;
        let mut described = described.map_err(failure::of_query)??;
        if self.snapshot || self.sessions.is_of_one_moment() {
            described.note_what_has_no_moment(target);
        }
        let mut known = self
            .described
            .lock()
            .expect("no holder of this lock panics");
        // Whoever asked at the same time gets the same answer.
        let described = known.entry(name.to_owned()).or_insert(Arc::new(described));
        Ok(Arc::clone(described))
    }

    fn known(&self, name: &str) -> Option<Arc<Described>> {
        let known = self
            .described
            .lock()
            .expect("no holder of this lock panics");
        known.get(name).cloned()
    }

    fn no_table(&self, name: &str, offered: &BTreeMap<String, Target>) -> SourceError {
        let names: Vec<&str> = offered.keys().map(String::as_str).collect();
        let help = match chatferry_config::suggest::closest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if names.is_empty() => "the user may read none of its tables".to_owned(),
            None => format!("its tables are {}", names.join(", ")),
        };
        let doing = format!("read {name} at {}", self.sessions.at());
        let reason = "the source has no such table";
        SourceError::new(SourceErrorKind::NotFound, doing, reason).help(help)
    }
}

impl fmt::Debug for MySqlSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MySqlSource({})", self.0.sessions.at())
    }
}
