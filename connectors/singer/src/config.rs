//! What the tap is told of where to read and how.

use std::fmt;
use std::path::PathBuf;

use chatferry_config::{Node, Shape};
use chatferry_core::Secret;
use chatferry_core::plan::Value as Written;
use serde_json::{Map, Value};

/// Parts of the names of settings whose values are not to be shown, whoever wrote them.
const SECRET: [&str; 5] = ["password", "secret", "token", "key", "credential"];

/// What stands behind `config`.
#[derive(Clone)]
pub(crate) enum Config {
    /// A file of the tap's own.
    File(PathBuf),
    /// A table.
    Table(Tree),
}

/// A value for the tap.
#[derive(Clone)]
pub(crate) enum Tree {
    Value(Value),
    /// One that is not to be shown.
    Secret(Secret),
    List(Vec<Tree>),
    Table(Vec<(String, Tree)>),
}

impl Config {
    /// Reads it; `None` when it cannot be used, which is then noted.
    pub(crate) fn read(node: &Node<'_>, resolve: impl Fn(&str) -> PathBuf) -> Option<Self> {
        match node.kind() {
            Shape::Text => Some(Self::File(resolve(&node.text()?))),
            _ => Some(Self::Table(Tree::table(node)?)),
        }
    }
}

impl Tree {
    fn read(name: &str, node: &Node<'_>) -> Option<Self> {
        match node.kind() {
            Shape::List => {
                let items: Vec<Option<_>> = node
                    .items()?
                    .iter()
                    .map(|it| Self::read(name, it))
                    .collect();
                Some(Self::List(items.into_iter().collect::<Option<_>>()?))
            }
            Shape::Table => Self::table(node),
            Shape::Text => {
                let text = node.text()?;
                let lower = name.to_lowercase();
                let is_named = SECRET.iter().any(|part| lower.contains(part));
                let is_given = node.raw().is_none_or(|raw| raw != text.value);
                Some(match is_named || is_given {
                    true => Self::Secret(Secret::Value(text.value)),
                    false => Self::Value(text.value.into()),
                })
            }
            _ => Some(Self::Value(match node.value()? {
                Written::Text(text) => text.into(),
                Written::Integer(number) => number.into(),
                Written::Float(number) => number.into(),
                Written::Flag(flag) => flag.into(),
            })),
        }
    }

    /// A table; one that has nothing but a `file` is a secret.
    fn table(node: &Node<'_>) -> Option<Self> {
        let mut section = node.section()?;
        let entries = section.entries();
        if let [("file", _, _)] = entries.as_slice() {
            return Some(Self::Secret(node.secret()?.value));
        }
        let read = |(name, _, node): (&str, _, Node<'_>)| {
            Some((name.to_owned(), Self::read(name, &node)?))
        };
        let entries: Vec<Option<_>> = entries.into_iter().map(read).collect();
        Some(Self::Table(entries.into_iter().collect::<Option<_>>()?))
    }

    /// The value as the tap reads it. What is not to be shown of it is added to `secrets`.
    ///
    /// # Errors
    ///
    /// When the file of a secret cannot be read.
    pub(crate) fn reveal(&self, secrets: &mut Vec<String>) -> std::io::Result<Value> {
        Ok(match self {
            Self::Value(value) => value.clone(),
            Self::Secret(secret) => {
                let value = secret.reveal()?;
                secrets.push(value.clone());
                value.into()
            }
            Self::List(items) => {
                let items = items.iter().map(|item| item.reveal(secrets));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Table(entries) => {
                let mut table = Map::new();
                for (name, tree) in entries {
                    table.insert(name.clone(), tree.reveal(secrets)?);
                }
                Value::Object(table)
            }
        })
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Table(_) => f.write_str("{ … }"),
        }
    }
}
