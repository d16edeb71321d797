//! Of which types the values of a field are.

use std::collections::HashMap;

use mongodb::bson::error::Error;
use mongodb::bson::raw::RawDocument;
use mongodb::bson::spec::ElementType;

/// A set of types, each a bit. A field that is missing is of none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Types(u32);

impl Types {
    /// What is text.
    pub(crate) const TEXT: Self = Self(1 << ElementType::String as u32);
    /// What is a whole number.
    pub(crate) const WHOLE: Self =
        Self(1 << ElementType::Int32 as u32 | 1 << ElementType::Int64 as u32);
    /// What is true or false.
    pub(crate) const FLAG: Self = Self(1 << ElementType::Boolean as u32);
    /// What is a time.
    pub(crate) const TIME: Self = Self(1 << ElementType::DateTime as u32);
    /// What is an id that MongoDB has made.
    pub(crate) const ID: Self = Self(1 << ElementType::ObjectId as u32);
    /// What is a list.
    pub(crate) const LIST: Self = Self(1 << ElementType::Array as u32);
    const NULL: Self = Self(1 << ElementType::Null as u32);

    /// This type.
    pub(crate) const fn of(element: ElementType) -> Self {
        // The two that are numbered from both ends take bits that no other has.
        Self(match element {
            ElementType::MinKey => 1 << 30,
            ElementType::MaxKey => 1 << 31,
            other => 1 << other as u32,
        })
    }

    /// Whether there are any, and all of them, but for nulls, are among the others.
    pub(crate) const fn are(self, others: Self) -> bool {
        let values = self.0 & !Self::NULL.0;
        values != 0 && values & !others.0 == 0
    }

    /// Whether any of them is among the others.
    pub(crate) const fn meet(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// These and the others.
    pub(crate) const fn with(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }
}

/// Of which types the fields of documents are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted(HashMap<Box<str>, Types>);

impl Noted {
    /// Takes one document into account.
    ///
    /// # Errors
    ///
    /// When it is not sound BSON.
    pub(crate) fn note(&mut self, document: &RawDocument) -> Result<(), Error> {
        for element in document.iter_elements() {
            let element = element?;
            let (name, found) = (element.key().as_str(), Types::of(element.element_type()));
            match self.0.get_mut(name) {
                Some(known) => *known = known.with(found),
                None => {
                    self.0.insert(name.into(), found);
                }
            }
        }
        Ok(())
    }

    /// Adds what was noted of other documents.
    pub(crate) fn append(&mut self, others: Self) {
        for (name, found) in others.0 {
            let known = self.0.entry(name).or_default();
            *known = known.with(found);
        }
    }

    /// The types of the field of that name.
    pub(crate) fn types(&self, name: &str) -> Types {
        self.0.get(name).copied().unwrap_or_default()
    }
}
