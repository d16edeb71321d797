//! What is answered where CometChat's documentation is silent or contradicts itself.
//!
//! Each case is an enum whose first variant is the default. The table at the end of this file is
//! also what `docs/simulator.md` lists, which a test keeps true.

/// Makes the enums, the struct that holds one of each, and the way to set them by text.
macro_rules! switches {
    ($(
        $(#[$about:meta])+
        $field:ident: $case:ident, $name:literal {
            $(#[$about_first:meta])+ $first:ident = $first_text:literal,
            $( $(#[$about_other:meta])+ $other:ident = $other_text:literal, )+
        }
    )+) => {
        $(
            $(#[$about])+
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
            pub enum $case {
                $(#[$about_first])+
                #[default]
                $first,
                $( $(#[$about_other])+ $other, )+
            }
        )+

        /// One answer for each undecided case. The default is what the documentation makes likely.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Switches {
            $( $(#[$about])+ pub $field: $case, )+
        }

        /// Every switch's name with the values it takes, the default first.
        pub const SWITCHES: &[(&str, &[&str])] = &[
            $( ($name, &[$first_text, $($other_text),+]), )+
        ];

        impl Switches {
            /// Sets one switch by its name, both as written in [`SWITCHES`].
            ///
            /// # Errors
            ///
            /// When there is no such switch or it has no such value; the text lists what there is.
            pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
                match name {
                    $( $name => self.$field = match value {
                        $first_text => $case::$first,
                        $( $other_text => $case::$other, )+
                        _ => return Err(no_such_value(name, value)),
                    }, )+
                    _ => return Err(no_such_switch(name)),
                }
                Ok(())
            }
        }
    };
}

switches! {
    /// The key of an entry differs from the id inside it.
    key_mismatch: KeyMismatch, "key-mismatch" {
        /// The record fails with `ERR_BAD_REQUEST`.
        Refuse = "refuse",
        /// The id inside counts.
        Accept = "accept",
    }
    /// A request holds more records than allowed.
    too_many: TooMany, "too-many" {
        /// The request fails with `ERR_BAD_REQUEST`.
        BadRequest = "bad-request",
        /// The request fails with the code for a collection of the wrong shape.
        Format = "format",
        /// All of them are taken.
        Accept = "accept",
    }
    /// A request holds no record.
    empty_map: EmptyMap, "empty-map" {
        /// The request fails with the code for a collection of the wrong shape.
        Format = "format",
        /// The answer is an empty map too.
        Accept = "accept",
    }
    /// A user, group or member exists already. A second message with a muid always fails.
    duplicates: Duplicates, "duplicates" {
        /// The record fails with the code that says so.
        Refuse = "refuse",
        /// The new record takes the old one's place.
        Overwrite = "overwrite",
    }
    /// A user or group that is referred to exists nowhere, and no details were sent.
    missing_reference: MissingReference, "missing-reference" {
        /// The record fails with `ERR_UID_NOT_FOUND` or `ERR_GUID_NOT_FOUND`.
        Refuse = "refuse",
        /// It is created, with its id for a name.
        Create = "create",
    }
    /// Details were sent for a user or group that does not exist.
    inline_missing: InlineMissing, "inline-missing" {
        /// It is created from them.
        Create = "create",
        /// They do not count: the record fails as if they had not been sent.
        Refuse = "refuse",
    }
    /// Details were sent for a user or group that exists.
    inline_existing: InlineExisting, "inline-existing" {
        /// They change nothing.
        Ignore = "ignore",
        /// They take the place of what was stored.
        Overwrite = "overwrite",
    }
    /// A user has a role that was not created beforehand.
    unknown_role: UnknownRole, "unknown-role" {
        /// The record fails with `ERR_ROLE_NOT_FOUND`.
        RoleNotFound = "role-not-found",
        /// The record fails with `ERR_BAD_REQUEST`.
        BadRequest = "bad-request",
    }
    /// A message is older than the retention window, or is a text without text.
    poison: Poison, "poison" {
        /// The other records are stored, and the request fails with 500 and no verdicts.
        Abort = "abort",
        /// Only that record fails.
        Record = "record",
    }
    /// How deep a stored entity lies in the answer.
    entity: EntityDepth, "entity" {
        /// In `data.<id>.data`.
        Flat = "flat",
        /// In `data.<id>.data.data`.
        Wrapped = "wrapped",
    }
    /// How ids are spelled as keys of the answer.
    answer_keys: AnswerKeys, "answer-keys" {
        /// As the request spelled them.
        Submitted = "submitted",
        /// In lower case.
        LowerCase = "lower-case",
    }
    /// A request or a record has a key that is not documented.
    unknown_keys: UnknownKeys, "unknown-keys" {
        /// It has no effect.
        Ignore = "ignore",
        /// The request or the record fails with `ERR_BAD_REQUEST`.
        Refuse = "refuse",
    }
    /// What becomes of an attachment's URL.
    attachment_url: AttachmentUrl, "attachment-url" {
        /// It is stored as sent.
        Keep = "keep",
        /// It is stored under another host, as if the file had been copied.
        Rewrite = "rewrite",
    }
    /// How `joinedAt` is compared with the `createdAt` of the group and of the user.
    joined_at: JoinedAt, "joined-at" {
        /// It may be the same second, as in CometChat's own sample.
        NotBefore = "not-before",
        /// It must be later, as CometChat's text says.
        After = "after",
    }
    /// How requests are counted against the limit.
    window: Window, "window" {
        /// Over the last 60 seconds, at any moment.
        Sliding = "sliding",
        /// From minute to minute, counted from the first request on.
        Fixed = "fixed",
    }
    /// Which headers tell of the limit: CometChat's pages spell them in two ways.
    rate_headers: RateHeaders, "rate-headers" {
        /// Both spellings.
        Both = "both",
        /// `X-Rate-Limit`, `X-Rate-Limit-Remaining`, and `X-Rate-Limit-Reset` on a 429.
        A = "a",
        /// `X-RateLimit-Limit`, `X-RateLimit-Remaining`, `X-RateLimit-Reset`, all on a 429 only.
        B = "b",
        /// None of them.
        Neither = "none",
    }
    /// Whether a 429 says in `Retry-After` how many seconds to wait.
    retry_after: RetryAfter, "retry-after" {
        /// It does.
        Send = "send",
        /// It does not.
        Omit = "omit",
    }
    /// Whether the owner of a group that is imported becomes a member of it.
    owner_joins: OwnerJoins, "owner-joins" {
        /// Only if a member is imported too.
        No = "no",
        /// By itself, as an admin.
        Yes = "yes",
    }
    /// What lists tell in `meta.pagination.total`.
    total: Total, "total" {
        /// Zero, as nearly all samples show.
        Zero = "zero",
        /// How many there are.
        True = "true",
    }
    /// What the entries of a list of groups are in.
    list_data: ListData, "list-data" {
        /// An array.
        Array = "array",
        /// An object with the keys "0", "1" and so on.
        Object = "object",
    }
    /// Where the cursor of a list of users or groups stands.
    cursor_place: CursorPlace, "cursor-place" {
        /// Beside `data` and `meta`.
        Top = "top",
        /// In `meta`.
        Meta = "meta",
        /// Nowhere.
        Nowhere = "none",
    }
    /// What a list of messages tells to go on with.
    next_page: NextPage, "next-page" {
        /// `meta.next`, with `affix`, `sentAt` and `id`.
        Next = "next",
        /// `meta.cursor`, with `affix` and `id`.
        Cursor = "cursor",
        /// Nothing.
        Nothing = "none",
    }
    /// How a list of messages begins.
    list_start: ListStart, "list-start" {
        /// With `id=0` or nothing at all.
        IdZero = "id-zero",
        /// Only with `fromTimestamp`: there is no message 0.
        FromTimestamp = "from-timestamp",
    }
    /// In which order messages are listed.
    list_order: ListOrder, "list-order" {
        /// By their numbers.
        Id = "id",
        /// By the time of sending, then by their numbers.
        SentAt = "sent-at",
    }
    /// Whether messages that are read back tell their `muid`.
    muid_shown: MuidShown, "muid-shown" {
        /// They do not.
        No = "no",
        /// They do.
        Yes = "yes",
    }
    /// Which code says that there is no such message.
    no_message: NoMessage, "no-message" {
        /// `ERR_MESSAGE_ID_NOT_FOUND`.
        MessageId = "message-id",
        /// `ERR_MSG_NOT_FOUND`.
        Msg = "msg",
    }
    /// How the deactivation of a user is answered.
    deactivation: Deactivation, "deactivation" {
        /// With `success` and `message`.
        Success = "success",
        /// With `deactivatedUids`.
        Uids = "uids",
    }
    /// What becomes of a deactivated user who is to be deleted for good.
    delete_deactivated: DeleteDeactivated, "delete-deactivated" {
        /// It is not found, like in every other call, and has to be activated first.
        NotFound = "not-found",
        /// It is deleted.
        Delete = "delete",
    }
}

fn no_such_switch(name: &str) -> String {
    let names: Vec<&str> = SWITCHES.iter().map(|(name, _)| *name).collect();
    format!(
        "there is no switch `{name}`; there are {}",
        names.join(", ")
    )
}

fn no_such_value(name: &str, value: &str) -> String {
    let (_, values) = SWITCHES
        .iter()
        .find(|(known, _)| *known == name)
        .expect("only called for a switch that was found");
    format!(
        "`{name}` cannot be `{value}`; it can be {}",
        values.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::{Duplicates, SWITCHES, Switches};

    #[test]
    fn every_value_of_every_switch_can_be_set_by_text() {
        for (name, values) in SWITCHES {
            let mut seen = Vec::new();
            for value in *values {
                let mut switches = Switches::default();
                switches.set(name, value).expect("the table's own values");
                assert!(!seen.contains(&switches), "{name}={value} changes nothing");
                seen.push(switches);
            }
            assert_eq!(
                seen[0],
                Switches::default(),
                "the first value of {name} is the default"
            );
        }
    }

    #[test]
    fn a_misspelt_switch_or_value_is_answered_with_what_there_is() {
        let mut switches = Switches::default();
        let value = switches
            .set("duplicates", "overwritten")
            .expect_err("no such value");
        assert_eq!(
            value,
            "`duplicates` cannot be `overwritten`; it can be refuse, overwrite"
        );
        let name = switches
            .set("duplicate", "refuse")
            .expect_err("no such switch");
        assert!(name.starts_with("there is no switch `duplicate`; there are key-mismatch, "));
        assert_eq!(switches.duplicates, Duplicates::Refuse);
    }

    #[test]
    fn the_manual_lists_every_switch_with_its_values() {
        let manual = include_str!("../../../docs/simulator.md");
        for (name, values) in SWITCHES {
            let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            let row = format!("| `{name}` | {} |", values.join(", "));
            assert!(manual.contains(&row), "docs/simulator.md lacks {row}");
        }
    }
}
