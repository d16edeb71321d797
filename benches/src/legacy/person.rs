//! One person, or what is left of them.

use super::population::{Kind, Population, days_ago};
use crate::generate::DAY_MS;
use crate::vocabulary;

/// An account. All times are UNIX milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) id: u64,
    /// Unique, but for its case.
    pub(super) nickname: String,
    /// None, empty, or sometimes much too long.
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    /// None, empty, a URL, or sometimes a path of the old web server.
    pub(super) avatar: Option<String>,
    pub(super) is_bot: bool,
    /// What the application remembers for them, as JSON.
    pub(super) settings: String,
    /// 0 when nobody wrote it down.
    pub(super) created_at: u64,
    pub(super) last_seen_at: Option<u64>,
    /// When it was deleted. Its messages stayed.
    pub(super) deleted_at: Option<u64>,
}

impl Population {
    /// The accounts that are there.
    pub(super) fn people(&self) -> impl Iterator<Item = Person> {
        (0..self.size.users)
            .filter(|user| !self.is_erased(*user))
            .map(|user| self.person(user))
    }

    /// Whether no account is left of this user, though others may still refer to it.
    pub(super) fn is_erased(&self, user: u64) -> bool {
        self.random(Kind::Erased, user).once_in(25)
    }

    fn person(&self, user: u64) -> Person {
        let mut random = self.random(Kind::Person, user);
        let (first, last) = vocabulary::name(&mut random);
        let id = user + 1;
        let name = match random.below(20) {
            0 | 1 => None,
            2 => Some(String::new()),
            3 => Some(format!(
                "{first} {last} {}",
                random.pick(&vocabulary::EMOJI)
            )),
            4 if random.once_in(3) => Some(format!("{first} {last}, ").repeat(9)),
            _ => Some(format!("{first} {last}")),
        };
        let avatar = match random.below(12) {
            0..=5 => None,
            6 => Some(String::new()),
            7 => Some(format!("/avatars/{id}.png")),
            _ => Some(format!("https://files.example.org/avatars/{id}.png")),
        };
        let created_at = match random.once_in(30) {
            true => 0,
            false => days_ago(900) + random.below(300 * DAY_MS),
        };
        let theme = random.pick(&["light", "dark", r#"\"my own\""#]);
        let volume = random.below(10);
        Person {
            id,
            nickname: self.nickname(user),
            name,
            email: (!random.once_in(9)).then(|| format!("person{id}@example.org")),
            avatar,
            is_bot: random.once_in(30),
            settings: format!(r#"{{"theme": "{theme}", "volume": 0.{volume}, "muted": []}}"#),
            created_at,
            last_seen_at: (!random.once_in(8)).then(|| days_ago(random.below(90))),
            deleted_at: random
                .once_in(10)
                .then(|| days_ago(100) + random.below(90 * DAY_MS)),
        }
    }

    /// A nickname that nobody else has. Now and then somebody took that of the one before them, in
    /// capitals.
    fn nickname(&self, user: u64) -> String {
        let taken = self.random(Kind::Taken, user).once_in(12) && user > 0;
        match taken {
            true => self.own_nickname(user - 1).to_uppercase(),
            false => self.own_nickname(user),
        }
    }

    fn own_nickname(&self, user: u64) -> String {
        let (first, last) = vocabulary::name(&mut self.random(Kind::Person, user));
        let (id, lower) = (user + 1, first.to_lowercase());
        let mut random = self.random(Kind::Nickname, user);
        match random.below(12) {
            0..=3 => format!("{lower}{id}"),
            4..=6 => format!("{lower}.{}{id}", last.to_lowercase()),
            7 | 8 => format!("{first}{last}{id}"),
            9 => format!("xX_{lower}{id}_Xx"),
            10 => format!("{lower} {id}"),
            _ => format!("{lower}{id}{}", random.pick(&vocabulary::EMOJI)),
        }
    }
}
