//! One entity fed from one table or view.

use chatferry_core::{Entity, Field, Flow, Mistake, Placeholders, References, Skip, Span, Sql};

use crate::fields;
use crate::node::{Node, Shape};
use crate::section::Section;
use crate::suggest::{self, quoted};

/// The names that a flow may read from.
pub(crate) struct Known<'a> {
    pub(crate) sources: &'a [&'a str],
    pub(crate) views: &'a [&'a str],
}

/// A flow's name, whether or not the rest of it could be read.
struct Named {
    name: String,
    /// The name as written, or the header that is without one.
    at: Option<Span>,
    /// The same in words that may be shown.
    shown: String,
    /// What it reads, from which another name can be made.
    from: Option<String>,
}

/// The flows of the file that could be read.
pub(crate) fn flows(
    root: &mut Section<'_>,
    fields: fn(Entity) -> &'static [Field],
    known: &Known<'_>,
) -> Vec<Flow> {
    let node = root.get("flow");
    if let Some(node) = node.as_ref().filter(|node| node.kind() == Shape::Table) {
        node.mistake(
            Mistake::error(
                "pipeline::wrong-kind",
                "`flow` is a list of tables",
                node.at(),
            )
            .label("this is one table")
            .help("write `[[flow]]` with two brackets, before its `[flow.fields]`"),
        );
        return Vec::new();
    }
    let Some(items) = node.map_or_else(|| Some(Vec::new()), |node| node.items()) else {
        return Vec::new();
    };
    if items.is_empty() {
        root.mistake(
            Mistake::error("pipeline::no-flows", "the pipeline has no flow", None)
                .help("add a table `[[flow]]` with `entity`, `from` and `[flow.fields]`"),
        );
    }
    let mut named: Vec<Named> = Vec::new();
    let mut flows = Vec::new();
    for item in &items {
        let Some(section) = item.section() else {
            continue;
        };
        let (name, flow) = flow(section, fields, known);
        if let Some(name) = name {
            once(&name, &named, item);
            named.push(name);
        }
        flows.extend(flow);
    }
    flows
}

/// Asks for every key before using any, so that all mistakes are found at once.
fn flow(
    mut section: Section<'_>,
    fields: fn(Entity) -> &'static [Field],
    known: &Known<'_>,
) -> (Option<Named>, Option<Flow>) {
    let entity = entity(&mut section);
    let name_node = section.get("name");
    let from_node = section.required("from", "a view, or a table of a source: `source.table`");
    let filter = section.get("where").and_then(|node| node.sql());
    let skip = skip(&mut section);
    let order_by = order_by(&mut section);
    let changed_since = section.get("changed_since").and_then(|node| node.sql());
    let references = references(&mut section);
    let entries = match section.get("fields") {
        Some(node) => node.section().map(|mut fields_table| {
            let known_fields = entity.map(fields);
            fields::entries(&mut fields_table, entity, known_fields)
        }),
        None => {
            fields::none(&mut section, entity.map(fields));
            None
        }
    };

    let from = from_node.as_ref().and_then(|node| from(node, known));
    let named = name(name_node.as_ref(), entity, &section, from_node.as_ref());
    let flow = entity.zip(from).zip(entries).zip(named.as_ref()).map(
        |(((entity, from), fields), named)| Flow {
            name: named.name.clone(),
            entity,
            from,
            filter,
            skip,
            order_by,
            changed_since,
            fields,
            at: section.at(),
            references,
        },
    );
    (named, flow)
}

/// What to do with references that lead nowhere.
fn references(section: &mut Section<'_>) -> References {
    let chosen = section.choice("references", &["require", "trust", "placeholder"]);
    let named = section.get("placeholder");
    let chosen = chosen.as_deref().copied();
    if let Some(node) = named.as_ref().filter(|_| chosen != Some("placeholder")) {
        node.mistake(
            Mistake::error(
                "pipeline::placeholder",
                "the flow names placeholders and makes none",
                node.at(),
            )
            .label("names without a use")
            .help("write `references = \"placeholder\"`, or leave the names out"),
        );
    }
    let mut names = named.and_then(|node| node.section());
    let mut name = |key: &str, unless_written: &str| {
        let written = names.as_mut().and_then(|names| names.text(key));
        let Some(written) = written else {
            return unless_written.to_owned();
        };
        if written.value.trim().is_empty()
            && let Some(node) = names.as_mut().and_then(|names| names.get(key))
        {
            let message = format!("the name of a placeholder for a {key} is empty");
            node.mistake(
                Mistake::error("pipeline::empty", message, written.at)
                    .help(format!("give it one, such as \"{unless_written}\"")),
            );
        }
        written.value
    };
    let (user, group) = (name("user", "Former user"), name("group", "Former group"));
    if let Some(names) = &mut names {
        names.finish();
    }
    match chosen {
        Some("trust") => References::Trust,
        Some("placeholder") => References::Placeholder(Placeholders { user, group }),
        _ => References::Require,
    }
}

fn entity(section: &mut Section<'_>) -> Option<Entity> {
    let names = Entity::ALL.map(Entity::name);
    let about = "what the rows become: users, groups, members or messages";
    let chosen = section.required_choice("entity", &names, about)?;
    Entity::from_name(&chosen)
}

/// The name that is written, or else the entity's.
fn name(
    node: Option<&Node<'_>>,
    entity: Option<Entity>,
    section: &Section<'_>,
    from: Option<&Node<'_>>,
) -> Option<Named> {
    let from = from
        .and_then(Node::raw)
        .filter(|raw| !raw.contains("${"))
        .map(str::to_owned);
    let Some(node) = node else {
        let name = entity?.name().to_owned();
        return Some(Named {
            shown: quoted(&name),
            name,
            at: section.at(),
            from,
        });
    };
    let name = node.text()?;
    if name.trim().is_empty() {
        node.mistake(
            Mistake::error("pipeline::empty", "the name of this flow is empty", name.at)
                .help("leave `name` out, and the flow is called like its entity"),
        );
        return None;
    }
    let shown = quoted(node.raw().unwrap_or_default());
    Some(Named {
        name: name.value,
        shown,
        at: name.at,
        from,
    })
}

/// Notes that an earlier flow has the same name.
fn once(this: &Named, earlier: &[Named], item: &Node<'_>) {
    let Some(other) = earlier.iter().find(|earlier| earlier.name == this.name) else {
        return;
    };
    let line = other.at.as_ref().map_or_else(String::new, |at| {
        format!("; the other one is in line {}", item.context.line(at.start))
    });
    let from = this.from.as_deref().unwrap_or_default();
    let last = from
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .trim_matches('"');
    let free = |name: &str| !name.is_empty() && earlier.iter().all(|named| named.name != name);
    let name = if free(last) { last } else { "…" };
    item.mistake(
        Mistake::error(
            "pipeline::same-name",
            format!("two flows are called {}", this.shown),
            this.at.clone(),
        )
        .label("the second of them")
        .help(format!(
            "give it a name of its own, such as `name = \"{name}\"`{line}"
        )),
    );
}

/// The name of a view, or of a table of a source.
fn from(node: &Node<'_>, known: &Known<'_>) -> Option<Sql> {
    let sql = node.sql()?;
    let written = sql.text.trim();
    let (first, rest) = split(written);
    let is_source = known.sources.contains(&first.as_str());
    if rest.is_some() && is_source || rest.is_none() && known.views.contains(&first.as_str()) {
        return Some(sql);
    }
    if known.sources.is_empty() && rest.is_some() {
        // That the pipeline has no sources is noted already.
        return None;
    }
    // What a person wrote, which for a text with `${NAME}` is not what is read.
    let raw = node.raw().unwrap_or_default().trim();
    let (message, help) = if raw != written {
        (
            format!("there is no view and no table {}", quoted(raw)),
            "look at the variable".into(),
        )
    } else if written.contains([' ', '\n', '\t', '(', ';']) && !written.ends_with('"') {
        let help = "put the query under `[views]`, and name the view here";
        ("`from` takes a name, not a query".into(), help.into())
    } else if is_source {
        let help = format!("name one of its tables: `{first}.table`");
        (format!("{} is a source", quoted(raw)), help)
    } else if let Some(table) = rest {
        let message = format!(
            "there is no source {}, which {} needs",
            quoted(&first),
            quoted(raw)
        );
        (message, other_source(&first, table, known))
    } else {
        (
            format!("there is no view {}", quoted(raw)),
            other_view(&first, known),
        )
    };
    node.mistake(
        Mistake::error("pipeline::unknown-table", message + &node.origin(), sql.at)
            .label("neither a view nor a table of a source")
            .help(help),
    );
    None
}

/// What may have been meant by a source that is not there.
fn other_source(source: &str, table: &str, known: &Known<'_>) -> String {
    match suggest::closest(source, known.sources.iter().copied()) {
        Some(meant) => format!("did you mean {}?", quoted(&format!("{meant}.{table}"))),
        None => format!("the sources are {}", suggest::list(known.sources)),
    }
}

/// What may have been meant by a view that is not there.
fn other_view(name: &str, known: &Known<'_>) -> String {
    if let Some(help) = suggest::did_you_mean(name, known.views.iter().copied()) {
        return help;
    }
    match known.sources {
        [] => "name a view, or a table of a source: `source.table`".into(),
        [only] => format!(
            "for a table of a source write {}",
            quoted(&format!("{only}.{name}"))
        ),
        all => format!(
            "for a table of a source write {}; the sources are {}",
            quoted(&format!("SOURCE.{name}")),
            suggest::list(all)
        ),
    }
}

/// The part before the first dot, and the rest if there is a dot.
fn split(name: &str) -> (String, Option<&str>) {
    if let Some(inner) = name.strip_prefix('"')
        && let Some((first, rest)) = inner.split_once('"')
    {
        return (first.to_owned(), rest.strip_prefix('.'));
    }
    match name.split_once('.') {
        Some((first, rest)) => (first.to_owned(), Some(rest)),
        None => (name.to_owned(), None),
    }
}

/// The reasons to leave rows out, in the order of the file: the first that is true counts.
fn skip(section: &mut Section<'_>) -> Vec<Skip> {
    let entries = section
        .section("skip")
        .map_or_else(Vec::new, |mut skip| skip.entries());
    let mut skips = Vec::new();
    for (reason, at, node) in entries {
        if reason.trim().is_empty() {
            node.mistake(
                Mistake::error("pipeline::empty", "a reason to skip rows is empty", at)
                    .help("name the reason, such as `\"no text\" = \"body IS NULL\"`"),
            );
        }
        skips.extend(node.sql().map(|when| Skip {
            reason: reason.to_owned(),
            when,
        }));
    }
    skips
}

fn order_by(section: &mut Section<'_>) -> Vec<Sql> {
    let Some(node) = section.get("order_by") else {
        return Vec::new();
    };
    match node.kind() {
        Shape::List => node
            .items()
            .unwrap_or_default()
            .iter()
            .filter_map(Node::sql)
            .collect(),
        Shape::Text => node.sql().into_iter().collect(),
        _ => node
            .wrong("SQL in quotes, or a list of it")
            .unwrap_or_default(),
    }
}
