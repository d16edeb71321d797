//! Which views and tables a query reads, found without parsing SQL.
//!
//! The engine plans SQL, and knows it in full. Here only one thing matters, whether views go
//! around in a circle, which the engine could not say with a place. So this looks at words alone:
//! a word that stands where a table stands, with no dot and no bracket after it.

use std::collections::BTreeSet;

use chatferry_core::{Span, View};

/// The unqualified names that stand where a table stands, in the order of the text, each with its
/// place. Names that the query itself gives with `WITH` are left out.
pub(crate) fn read_by(sql: &str) -> Vec<(String, Span)> {
    let tokens = tokens(sql);
    let mut found = Vec::new();
    let mut own: Vec<&str> = Vec::new();
    // For each open bracket, and the text as a whole: whether names of tables are listed here.
    let mut listing = vec![false];
    for (place, token) in tokens.iter().enumerate() {
        let before = place.checked_sub(1).map(|place| &tokens[place]);
        let after = tokens.get(place + 1);
        match &token.kind {
            Kind::Sign('(') => {
                // `FROM (a JOIN b …)` goes on listing; `extract(year FROM a)` never begins to.
                let call = before.is_some_and(|before| before.is_word() && !before.opens_a_query());
                listing.push(!call && listing.last() == Some(&true));
            }
            Kind::Sign(')') if listing.len() > 1 => {
                listing.pop();
            }
            Kind::Word(_) if token.is("FROM") || token.is("JOIN") => {
                let distinct = before.is_some_and(|before| before.is("DISTINCT"));
                let of_a_call = token.is("FROM") && in_call_with_from(&tokens[..place]);
                set(&mut listing, !distinct && !of_a_call);
            }
            Kind::Word(_) if ENDS_A_LIST.iter().any(|word| token.is(word)) => {
                set(&mut listing, false);
            }
            Kind::Word(name) | Kind::Quoted(name) => {
                let begins = before.is_some_and(|before| {
                    before.is("FROM")
                        || before.is("JOIN")
                        || before.is_sign(',')
                        || before.is_sign('(')
                });
                let named_here = after.is_some_and(|after| after.is("AS"))
                    && tokens.get(place + 2).is_some_and(|next| next.is_sign('('));
                let part = after.is_some_and(|after| after.is_sign('.') || after.is_sign('('));
                if named_here && listing.last() != Some(&true) {
                    own.push(name);
                } else if listing.last() == Some(&true) && begins && !part {
                    found.push((name.clone(), token.at.clone()));
                }
            }
            Kind::Sign(_) => {}
        }
    }
    found.retain(|(name, _)| !own.contains(&name.as_str()));
    found
}

/// The tables of these sources that a query reads, as `source.table`, views looked through.
#[must_use]
pub(crate) fn read_through(query: &str, views: &[View], sources: &[&str]) -> BTreeSet<String> {
    let mut read = BTreeSet::new();
    let mut open = vec![query];
    let mut looked_at = BTreeSet::new();
    while let Some(query) = open.pop() {
        let qualified = qualified_names(query).into_iter();
        let of_sources = qualified.filter(|(source, _)| sources.contains(&source.as_str()));
        read.extend(of_sources.map(|(source, table)| format!("{source}.{table}")));
        let names: Vec<String> = match views.iter().find(|view| view.name == query.trim()) {
            Some(view) => vec![view.name.clone()],
            None => read_by(query).into_iter().map(|(name, _)| name).collect(),
        };
        for view in views.iter().filter(|view| names.contains(&view.name)) {
            if looked_at.insert(&view.name) {
                open.push(&view.query.text);
            }
        }
    }
    read
}

/// Every `name.name` of a query that nothing else is put before: tables with their sources, and
/// columns with theirs.
fn qualified_names(sql: &str) -> Vec<(String, String)> {
    let tokens = tokens(sql);
    let name = |token: &Token| match &token.kind {
        Kind::Word(name) | Kind::Quoted(name) => Some(name.clone()),
        Kind::Sign(_) => None,
    };
    let mut names = Vec::new();
    for (place, three) in tokens.windows(3).enumerate() {
        let part = place > 0 && tokens[place - 1].is_sign('.');
        if let (Some(first), true, Some(second)) = (
            name(&three[0]),
            three[1].is_sign('.') && !part,
            name(&three[2]),
        ) {
            names.push((first, second));
        }
    }
    names
}

/// Words after which a list of tables is over.
const ENDS_A_LIST: [&str; 15] = [
    "SELECT",
    "WHERE",
    "ON",
    "USING",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "WINDOW",
    "QUALIFY",
    "WITH",
];

/// Functions whose arguments hold the word `FROM`.
const CALLS_WITH_FROM: [&str; 4] = ["EXTRACT", "TRIM", "SUBSTRING", "OVERLAY"];

fn set(listing: &mut [bool], on: bool) {
    if let Some(innermost) = listing.last_mut() {
        *innermost = on;
    }
}

/// Whether the innermost bracket that is open after these tokens is that of such a function.
fn in_call_with_from(tokens: &[Token]) -> bool {
    let mut closed = 0;
    for (place, token) in tokens.iter().enumerate().rev() {
        if token.is_sign(')') {
            closed += 1;
        } else if token.is_sign('(') {
            if closed == 0 {
                let name = place.checked_sub(1).map(|place| &tokens[place]);
                return name.is_some_and(|name| CALLS_WITH_FROM.iter().any(|call| name.is(call)));
            }
            closed -= 1;
        }
    }
    false
}

#[derive(Debug)]
struct Token {
    kind: Kind,
    at: Span,
}

#[derive(Debug)]
enum Kind {
    Word(String),
    Quoted(String),
    Sign(char),
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        matches!(&self.kind, Kind::Word(word) if word.eq_ignore_ascii_case(keyword))
    }

    fn is_sign(&self, sign: char) -> bool {
        matches!(self.kind, Kind::Sign(of) if of == sign)
    }

    fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Word(_) | Kind::Quoted(_))
    }

    /// Whether a bracket after this word opens a query or tables, and is not that of a function.
    fn opens_a_query(&self) -> bool {
        ["FROM", "JOIN", "AS", "IN", "EXISTS", "LATERAL"]
            .iter()
            .any(|word| self.is(word))
    }
}

/// Words, quoted names and signs; strings, numbers and comments are passed over. A string leaves
/// a sign behind, so that what stands around it is not taken for neighbours.
fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = sql[start..].chars().next() {
        let rest = &sql[start..];
        let (length, kind) = if rest.starts_with("--") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (comment(rest), None)
        } else if first == '\'' {
            (closing(rest, '\''), Some(Kind::Sign('\'')))
        } else if first == '"' {
            let length = closing(rest, '"');
            let name = rest[1..length]
                .strip_suffix('"')
                .unwrap_or(&rest[1..length]);
            (length, Some(Kind::Quoted(name.replace("\"\"", "\""))))
        } else if first == '_' || first.is_alphanumeric() {
            let length = rest
                .find(|c: char| !(c == '_' || c == '$' || c.is_alphanumeric()))
                .unwrap_or(rest.len());
            (length, Some(Kind::Word(rest[..length].to_owned())))
        } else if first == '$' {
            (dollars(rest), Some(Kind::Sign('$')))
        } else if first.is_whitespace() {
            (first.len_utf8(), None)
        } else {
            (first.len_utf8(), Some(Kind::Sign(first)))
        };
        tokens.extend(kind.map(|kind| Token {
            kind,
            at: start..start + length,
        }));
        start += length;
    }
    tokens
}

/// The length of what begins with this quote, in which a quote is doubled.
fn closing(text: &str, quote: char) -> usize {
    let mut from = 1;
    while let Some(found) = text[from..].find(quote) {
        from += found + 1;
        if !text[from..].starts_with(quote) {
            return from;
        }
        from += 1;
    }
    text.len()
}

/// The length of a comment, which may hold others.
fn comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut from = 0;
    while from < text.len() {
        let rest = &text[from..];
        if rest.starts_with("/*") {
            depth += 1;
            from += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            from += 2;
            if depth == 0 {
                return from;
            }
        } else {
            from += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of a `$name` or of a string between `$tag$` and `$tag$`.
fn dollars(text: &str) -> usize {
    let word = text[1..].find(|c: char| !(c == '_' || c.is_alphanumeric()));
    let end = word.map_or(text.len(), |length| 1 + length);
    if !text[end..].starts_with('$') {
        return end;
    }
    let tag = &text[..=end];
    text[tag.len()..]
        .find(tag)
        .map_or(text.len(), |found| tag.len() + found + tag.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sql: &str) -> Vec<String> {
        read_by(sql).into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn tables_are_found_through_views() {
        let view = |name: &str, query: &str| View {
            name: name.into(),
            at: None,
            query: chatferry_core::Sql {
                text: query.into(),
                at: None,
                verbatim: false,
            },
        };
        let views = [
            view(
                "direct",
                "SELECT m.*, 'old.no' FROM posts m -- old.none\nJOIN old.\"of all\" p ON p.id = m.id",
            ),
            view("posts", "SELECT legacy.posts.id FROM legacy.posts"),
            view("unread", "SELECT * FROM legacy.unread"),
        ];
        let read = |query| read_through(query, &views, &["legacy", "old"]);
        let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
        assert_eq!(read("direct"), names(&["legacy.posts", "old.of all"]));
        assert_eq!(read("legacy.users"), names(&["legacy.users"]));
    }

    #[test]
    fn tables_are_found_where_tables_stand() {
        assert_eq!(
            names("SELECT a, b FROM c, d AS e JOIN \"f g\" ON h = i WHERE j IN (k)"),
            ["c", "d", "f g"]
        );
        assert_eq!(
            names("select * from (select x from y) z left join (a cross join b)"),
            ["y", "a", "b"]
        );
        assert_eq!(
            names("SELECT 1 WHERE EXISTS (SELECT 1 FROM a) UNION ALL SELECT * FROM b"),
            ["a", "b"]
        );
    }

    #[test]
    fn the_table_of_a_source_is_no_view() {
        assert!(names("SELECT members.id FROM legacy.members, read(members), x.y").is_empty());
    }

    #[test]
    fn what_only_looks_like_a_table_is_none() {
        assert!(names("SELECT 'FROM a', \"FROM\" -- FROM a\n /* FROM /* a */ b */ ").is_empty());
        assert!(
            names("SELECT extract(year FROM a), trim(both 'x' FROM b), a IS DISTINCT FROM b")
                .is_empty()
        );
        assert!(names("SELECT $$ FROM a $$, $tag$ FROM b $$ $tag$, $name").is_empty());
        assert_eq!(
            names("WITH a AS (SELECT * FROM b), c AS (SELECT 1) SELECT * FROM a, c"),
            ["b"]
        );
    }

    #[test]
    fn a_name_has_its_place() {
        let sql = "SELECT 'é' FROM views";
        assert_eq!(&sql[read_by(sql)[0].1.clone()], "views");
    }

    #[test]
    fn what_is_not_closed_ends_with_the_text() {
        for sql in [
            "'a", "\"a", "\"", "/* a", "$a$ b", "$", "FROM", "(((", ")))", "FROM a (",
        ] {
            names(sql);
        }
    }
}
