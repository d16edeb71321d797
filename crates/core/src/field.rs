//! What fields an entity has, and what each of them takes.

/// One field of an entity, named as the API names it.
///
/// The destination's connector states the fields of each entity once. From that statement come
/// the check of a pipeline's `fields` tables, the check of each expression's type, and the
/// reference documentation.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The API's own name, in camelCase.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether a record without it cannot be sent.
    pub required: bool,
    /// One line for documentation and help texts.
    pub about: &'static str,
}

/// What a field takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text. Whole numbers are written out as text, since legacy ids often are numbers.
    Text,
    /// UNIX time in whole seconds.
    Seconds,
    /// True or false.
    Flag,
    /// A list of texts.
    Texts,
    /// A JSON object of any shape.
    Object,
    /// A list of JSON objects that have at least the named fields.
    Objects(&'static [Field]),
    /// A JSON object with these fields, and any others beside them.
    Fields(&'static [Field]),
}

impl Kind {
    /// What it takes, in words that follow "takes": "text", "a list of texts".
    #[must_use]
    pub const fn takes(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Seconds => "UNIX time in whole seconds",
            Self::Flag => "true or false",
            Self::Texts => "a list of texts",
            Self::Object | Self::Fields(_) => "a JSON object",
            Self::Objects(_) => "a list of JSON objects",
        }
    }

    /// The fields that may be written one by one in a nested table; empty where any may.
    #[must_use]
    pub const fn fields(self) -> &'static [Field] {
        match self {
            Self::Fields(fields) => fields,
            _ => &[],
        }
    }

    /// Whether a nested table may be written for it in a pipeline file.
    #[must_use]
    pub const fn nests(self) -> bool {
        matches!(self, Self::Object | Self::Fields(_))
    }
}
