//! What a person may write for an `exec` source.

use chatferry_child::{Program, Surroundings};
use chatferry_config::{Node, Section, Shape};
use chatferry_core::{Mistake, SourceSettings, Span};
use chatferry_files::Template;
use chatferry_records::{Kind, Options, TableSettings, fields};

/// What the one table is called that `command` gives.
const ALONE: &str = "records";
/// What `command` takes.
const COMMAND: &str = "the program and its arguments, such as `[\"python3\", \"export.py\"]`";

/// The settings of one `exec` source: its tables.
#[derive(Clone, Debug)]
pub(crate) struct ExecSettings {
    pub(crate) tables: Vec<(String, TableOf)>,
}

/// One table.
#[derive(Clone, Debug)]
pub(crate) struct TableOf {
    /// What prints its rows.
    pub(crate) program: Program,
    /// What is set of what it prints.
    pub(crate) settings: TableSettings,
    /// Its columns, where they are all given.
    pub(crate) columns: Option<Vec<(String, Kind)>>,
}

/// What may be said of a table besides its command.
#[derive(Default)]
struct About {
    options: Options,
    columns: Option<Vec<(String, Kind)>>,
    columns_at: Option<Span>,
}

impl About {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let columns = section.get("columns");
        let options = Options::read(section);
        let columns_at = columns.as_ref().and_then(Node::name_at);
        let columns = match columns {
            Some(node) => Some(fields(&node)?),
            None => None,
        };
        Some(Self {
            options: options?,
            columns,
            columns_at,
        })
    }

    fn of(self, program: Program, at: Option<Span>, section: &mut Section<'_>) -> Option<TableOf> {
        let template = Template::literal(program.written());
        let settings = self.options.settings(template, at, section)?;
        if self.columns.is_some() && settings.name_columns() {
            let message = "`columns` are all columns, and `schema` or `parents` name more";
            let mistake = Mistake::error("exec::columns", message, self.columns_at);
            section.mistake(mistake.label("either this, or those").help(
                "with `schema` the other columns are found by running the program; with `columns` \
                 there are no others",
            ));
            return None;
        }
        Some(TableOf {
            program,
            settings,
            columns: self.columns,
        })
    }
}

/// Reads the settings; `None` when they cannot be used.
pub(crate) fn plan(section: &mut Section<'_>) -> Option<Box<dyn SourceSettings>> {
    let command = section.get("command");
    let tables = section.section("tables");
    let about = About::read(section);
    let surroundings = Surroundings::read(section);
    let tables = match (command, tables) {
        (Some(command), Some(mut tables)) => {
            tables.entries(); // which are not what is wrong
            let message = "`command` is one table, and `tables` names several";
            let at = command.name_at().or(command.at());
            let mistake = Mistake::error("exec::command-and-tables", message, at);
            section.mistake(
                mistake
                    .label("either this, or `tables`")
                    .help("move the command into `tables`, under a name of its own"),
            );
            return None;
        }
        (Some(command), None) => {
            let program = surroundings.program(&command);
            vec![(
                ALONE.to_owned(),
                about?.of(program?, command.at(), section)?,
            )]
        }
        (None, Some(mut tables)) => {
            let read = |(name, _, node): (&str, _, Node<'_>)| {
                Some((name.to_owned(), table(&node, &surroundings)?))
            };
            let tables: Vec<Option<_>> = tables.entries().into_iter().map(read).collect();
            let about = about?;
            if about.columns.is_some() {
                let message = "`columns` are said of one table, and here is none";
                let mistake = Mistake::error("exec::columns", message, about.columns_at);
                section.mistake(
                    mistake
                        .label("of which table?")
                        .help("write it in `tables`: `name = { command = […], columns = … }`"),
                );
            }
            about.options.refuse_all("command = […]", section);
            tables.into_iter().collect::<Option<_>>()?
        }
        (None, None) => {
            section.missing("command", COMMAND);
            return None;
        }
    };
    Some(Box::new(ExecSettings { tables }))
}

/// One of `tables`: a command, or a table with one.
fn table(node: &Node<'_>, surroundings: &Surroundings) -> Option<TableOf> {
    if node.kind() != Shape::Table {
        let program = surroundings.program(node)?;
        let settings = TableSettings::of(Template::literal(program.written()));
        return Some(TableOf {
            program,
            settings,
            columns: None,
        });
    }
    let mut section = node.section()?;
    let command = section.required("command", COMMAND);
    let about = About::read(&mut section);
    let command = command?;
    let program = surroundings.program(&command);
    about?.of(program?, command.at(), &mut section)
}
