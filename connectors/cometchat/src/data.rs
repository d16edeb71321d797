//! The parts of a message's data that have rules of their own, in the JSON that is sent: what a row
//! is made of may be columns, nested columns, or text that holds JSON.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::rules::{self, Broken};

/// Whether a message's data keeps the rules.
pub(crate) fn check(value: &[u8]) -> Result<(), Broken> {
    let data: Data<'_> = serde_json::from_slice(value)
        .map_err(|_| Broken::new("metadata", "`data` is not a JSON object"))?;
    if let Some(metadata) = data.metadata {
        object("metadata", "data.metadata", metadata.get().as_bytes())?;
    }
    if let Some(custom) = data.custom_data {
        object("custom-data", "data.customData", custom.get().as_bytes())?;
        if custom
            .get()
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .count()
            <= 2
        {
            return Err(Broken::new("custom-data", "`data.customData` is empty"));
        }
    }
    let Some(attachments) = data.attachments else {
        return Ok(());
    };
    let attachments: Vec<Attachment<'_>> =
        serde_json::from_str(attachments.get()).map_err(|_| {
            Broken::new(
                "attachments",
                "`data.attachments` is not a list of objects with texts",
            )
        })?;
    if attachments.is_empty() {
        return Err(Broken::new(
            "attachments",
            "`data.attachments` is an empty list",
        ));
    }
    for attachment in attachments {
        let required = [
            ("url", &attachment.url),
            ("name", &attachment.name),
            ("mimeType", &attachment.mime_type),
            ("extension", &attachment.extension),
        ];
        for (field, value) in required {
            if value.as_deref().is_none_or(str::is_empty) {
                return Err(Broken::new(
                    "attachments",
                    format!("an attachment has no `{field}`"),
                ));
            }
        }
        rules::url(
            "data.attachments.url",
            attachment.url.as_deref().unwrap_or_default(),
        )?;
    }
    Ok(())
}

/// Whether a value is an object.
pub(crate) fn object(rule: &'static str, field: &str, value: &[u8]) -> Result<(), Broken> {
    if value.first() == Some(&b'{') {
        return Ok(());
    }
    Err(Broken::new(rule, format!("`{field}` is not a JSON object")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    #[serde(borrow, default)]
    attachments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    custom_data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachment<'a> {
    #[serde(borrow, default)]
    url: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    mime_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    extension: Option<Cow<'a, str>>,
}
