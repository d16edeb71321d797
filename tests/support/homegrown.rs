//! The chat of a home-grown system, as its database has it, and the account that must come of it.
//!
//! Every database's rows are read here in the same shape, and counted without any of the program's
//! code.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{self, Rows, rows};
use crate::{Folder, Served, pipeline, strict};

/// What a database has.
#[derive(Clone, Debug, Default)]
pub struct Homegrown {
    /// Nicknames by id.
    pub users: BTreeMap<i64, String>,
    /// Conversations by id, and whether each is of two people.
    pub conversations: BTreeMap<String, bool>,
    /// Who takes part.
    pub participants: Vec<Participant>,
    /// Messages.
    pub messages: Vec<Message>,
    /// How many files each message has.
    pub files: BTreeMap<i64, usize>,
}

/// Somebody in a conversation.
#[derive(Clone, Debug)]
pub struct Participant {
    /// The conversation's id.
    pub conversation: String,
    /// The user's id.
    pub user: i64,
    /// Whether they left.
    pub left: bool,
}

/// A message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id.
    pub id: i64,
    /// The conversation's id.
    pub conversation: String,
    /// The user's id, if the database still has one.
    pub user: Option<i64>,
    /// `text`, `file`, `call` or `system`.
    pub kind: String,
    /// What was written.
    pub body: Option<String>,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Whether its time is that of a clock that was not set.
    pub timeless: bool,
}

impl Homegrown {
    /// The users of a conversation of two, each once.
    #[must_use]
    pub fn pair(&self, conversation: &str) -> BTreeSet<i64> {
        let members = self.participants.iter();
        members
            .filter(|member| member.conversation == conversation)
            .map(|member| member.user)
            .collect()
    }

    /// Why a message is left out, if it is.
    #[must_use]
    pub fn skipped(&self, message: &Message) -> Option<&'static str> {
        let Some(is_direct) = self.conversations.get(&message.conversation) else {
            return Some("conversation is gone");
        };
        let blank = |body: &String| body.trim_matches([' ', '\n']).is_empty();
        let is_there = |user: &i64| self.users.contains_key(user);
        match message.kind.as_str() {
            _ if message.deleted => return Some("deleted"),
            "system" => return Some("system event"),
            "text" if message.body.as_ref().is_none_or(blank) => return Some("nothing in it"),
            _ if message.timeless => return Some("time is unknown"),
            _ if !is_direct => return None,
            _ => {}
        }
        let pair = self.pair(&message.conversation);
        let author = message.user.filter(is_there);
        match pair.len() {
            1 => Some("one person alone"),
            2 if author.is_some() && pair.iter().all(is_there) => None,
            _ => Some("account is gone"),
        }
    }

    /// The account that a first run must give.
    #[must_use]
    pub fn account(&self) -> BTreeMap<String, Rows> {
        let direct = self
            .conversations
            .values()
            .filter(|is_direct| **is_direct)
            .count();
        let all = self.conversations.len();
        let groups = [
            ("read", all),
            ("imported", all - direct),
            ("skipped: conversation of two", direct),
        ];
        let users = self.users.len();
        BTreeMap::from([
            (
                "users".into(),
                rows(&[("read", users), ("imported", users)]),
            ),
            ("placeholder".into(), rows(&[("read", 1), ("imported", 1)])),
            ("groups".into(), rows(&groups)),
            ("members".into(), self.members()),
            ("messages".into(), self.sent()),
        ])
    }

    /// Runs the program with the pipeline of that name on the database of that URL, and sees whether
    /// all of this arrives.
    ///
    /// # Panics
    ///
    /// When it does not, or the password is told to anybody.
    pub fn is_carried_over(&self, name: &str, url: &str, password: &str) {
        let (folder, served) = (Folder::new(), Served::new(strict()));
        let mut arguments = vec!["run".to_owned(), pipeline(name)];
        arguments.extend(served.arguments());
        let ledger = folder.file("ledger");
        arguments.extend(["--ledger".into(), ledger, "--format".into(), "json".into()]);
        let variables = variables(url);
        let check = ["check".to_owned(), pipeline(name)];
        let checked = folder.run_with(&variables, &check).expect(0);
        assert!(!checked.said().contains(password), "the password got out");
        let ended = folder.run_with(&variables, &arguments).expect(0);
        assert!(!ended.said().contains(password), "the password got out");
        let account = account::of(&ended);
        assert_eq!(account, self.account());
        for reason in [
            "conversation is gone",
            "one person alone",
            "time is unknown",
        ] {
            let skipped = account["messages"].get(&format!("skipped: {reason}"));
            assert!(
                skipped.is_some(),
                "the chat has no message of which {reason}"
            );
        }
        assert_eq!(served.counts().order_violations, 0);
        let (stored, imported) = (served.stored(), |flow: &str| account[flow]["imported"]);
        assert_eq!(stored.messages.len() as u64, imported("messages"));
        assert_eq!(stored.members.len() as u64, imported("members"));
        assert_eq!(stored.users.len() as u64, imported("users") + 1);
    }

    /// The first records of each flow of that pipeline, out of the database of that URL.
    ///
    /// # Panics
    ///
    /// When they cannot be shown.
    #[must_use]
    pub fn previewed(name: &str, url: &str) -> String {
        let preview = ["preview", &pipeline(name), "-n", "6"];
        Folder::new()
            .run_with(&variables(url), &preview)
            .expect(0)
            .out
    }

    fn members(&self) -> Rows {
        let outcome = |member: &Participant| match self.conversations.get(&member.conversation) {
            None => "skipped: conversation is gone",
            Some(true) => "skipped: conversation of two",
            Some(false) if !self.users.contains_key(&member.user) => "skipped: account is gone",
            Some(false) if member.left => "skipped: left",
            Some(false) => "imported",
        };
        counted(
            self.participants
                .iter()
                .map(|member| (outcome(member).to_owned(), 1)),
        )
    }

    fn sent(&self) -> Rows {
        counted(self.messages.iter().map(|message| {
            let outcome = match self.skipped(message) {
                None => "imported".to_owned(),
                Some(reason) => format!("skipped: {reason}"),
            };
            // A row for each file.
            (outcome, self.files.get(&message.id).copied().unwrap_or(1))
        }))
    }
}

/// What the pipelines of databases ask the environment for.
fn variables(url: &str) -> [(&'static str, &str); 3] {
    [
        ("COMETCHAT_APP_ID", "app"),
        ("COMETCHAT_API_KEY", "key"),
        ("LEGACY_DATABASE_URL", url),
    ]
}

/// How many rows came to each end, and all together.
fn counted(rows: impl Iterator<Item = (String, usize)>) -> Rows {
    let mut account = Rows::new();
    for (outcome, count) in rows {
        let count = u64::try_from(count).expect("a small number");
        *account.entry("read".into()).or_default() += count;
        *account.entry(outcome).or_default() += count;
    }
    account
}
