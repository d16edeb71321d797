//! Why a request or a record failed, in CometChat's codes and words.

use std::borrow::Cow;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Why a request or a record failed.
///
/// Serialized, it is the object CometChat calls `error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: Cow<'static, str>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "by_field")]
    pub(crate) details: Vec<(String, String)>,
}

/// CometChat's words for data that break a rule.
const INVALID_DATA: &str = "Failed to validate the data sent with the request.";

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// Data break a rule, at `field`.
    pub(crate) fn at(field: String, advice: String) -> Self {
        let mut failure = Self::new("ERR_BAD_REQUEST", INVALID_DATA);
        failure.details.push((field, advice));
        failure
    }

    /// The request as a whole breaks a rule.
    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("ERR_BAD_REQUEST", message)
    }

    pub(crate) fn no_such_user(uid: &str) -> Self {
        Self::new(
            "ERR_UID_NOT_FOUND",
            format!(
                "The UID {uid} does not exist, please make sure you have created a user with UID {uid}."
            ),
        )
    }

    pub(crate) fn no_such_group(guid: &str) -> Self {
        Self::new(
            "ERR_GUID_NOT_FOUND",
            format!(
                "The GUID {guid} does not exist, please make sure you have created a group with GUID {guid}."
            ),
        )
    }

    /// What CometChat answers when it does not say what went wrong.
    pub(crate) fn exception() -> Self {
        Self::new(
            "ERR_EXCEPTION",
            "Something went wrong. Please try again later.",
        )
    }

    /// The whole body of an answer that is this failure.
    pub(crate) fn body(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            error: &'a Failure,
        }
        serde_json::to_vec(&Body { error: self }).expect("texts are always JSON")
    }
}

/// `{"field": ["what is wrong with it", …]}`
fn by_field<S: Serializer>(details: &[(String, String)], to: S) -> Result<S::Ok, S::Error> {
    let mut fields: Vec<(&str, Vec<&str>)> = Vec::new();
    for (field, advice) in details {
        match fields.iter_mut().find(|(known, _)| known == field) {
            Some((_, all)) => all.push(advice),
            None => fields.push((field, vec![advice])),
        }
    }
    let mut map = to.serialize_map(Some(fields.len()))?;
    for (field, advice) in fields {
        map.serialize_entry(field, &advice)?;
    }
    map.end()
}

/// Everything that is wrong with one record, collected while it is read.
///
/// The first thing found gives the code; details of all of them are told.
#[derive(Default)]
pub(crate) struct Findings {
    failure: Option<Failure>,
}

impl Findings {
    pub(crate) fn add(&mut self, found: Failure) {
        match &mut self.failure {
            None => self.failure = Some(found),
            Some(first) => first.details.extend(found.details),
        }
    }

    /// Something is wrong at `field`, and CometChat has a code for it.
    pub(crate) fn coded(&mut self, code: &'static str, field: String, advice: &str) {
        let mut failure = Failure::new(code, advice.to_owned());
        failure.details.push((field, advice.to_owned()));
        self.add(failure);
    }

    /// The first failure, if there is any.
    pub(crate) fn into_failure(self) -> Option<Failure> {
        self.failure
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Findings};

    #[test]
    fn the_first_finding_gives_the_code_and_all_give_details() {
        let mut findings = Findings::default();
        findings.coded("ERR_INVALID_UID", "uid".to_owned(), "The uid is invalid.");
        findings.add(Failure::at(
            "name".to_owned(),
            "The name field is required.".to_owned(),
        ));
        findings.add(Failure::at(
            "name".to_owned(),
            "The name must be a string.".to_owned(),
        ));
        let failure = findings.into_failure().expect("three findings");
        assert_eq!(
            String::from_utf8(failure.body()).unwrap(),
            concat!(
                r#"{"error":{"code":"ERR_INVALID_UID","message":"The uid is invalid.","#,
                r#""details":{"uid":["The uid is invalid."],"#,
                r#""name":["The name field is required.","The name must be a string."]}}}"#
            )
        );
    }
}
