//! What an object store or a web server says when it gives nothing, and what to do about it.
//!
//! What it says may hold addresses that are signed, so nothing of it is shown but its codes.

use std::error::Error as _;

use chatferry_core::source::{SourceError, SourceErrorKind};
use object_store::Error;

/// What was said, in full, for looking through.
fn said(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push('\n');
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The code that stores put into what they say: `NoSuchBucket`.
fn code(said: &str) -> Option<&str> {
    let (_, behind) = said.split_once("<Code>")?;
    let (code, _) = behind.split_once("</Code>")?;
    let is_code = code.len() < 64 && code.chars().all(|c| c.is_ascii_alphanumeric());
    is_code.then_some(code)
}

/// The status of the answer, such as 404.
fn status(said: &str) -> Option<u16> {
    let (_, behind) = said.split_once("status code: ")?;
    behind.get(..3)?.parse().ok()
}

/// Whether it is about the bucket rather than an object.
pub(super) fn is_bucket(error: &Error) -> bool {
    let said = said(error);
    matches!(code(&said), Some("NoSuchBucket" | "ContainerNotFound"))
        || said.contains("The specified bucket does not exist")
}

/// Whether another try may succeed.
pub(super) fn passes(error: &Error) -> bool {
    let Error::Generic { .. } = error else {
        return false;
    };
    let said = said(error);
    !gives_no_parts(error) && status(&said).is_none_or(|status| status >= 500 || status == 429)
}

/// Whether the answer was the whole, though a part was asked for.
pub(super) fn gives_no_parts(error: &Error) -> bool {
    matches!(error, Error::NotSupported { .. })
        || said(error).contains("Received non-partial response")
}

/// Whether a part was asked for that is behind the end.
pub(super) fn is_behind_the_end(error: &Error) -> bool {
    status(&said(error)) == Some(416)
}

/// Whether it may be read, though it may not be asked about.
pub(super) fn may_be_read(error: &Error) -> bool {
    matches!(status(&said(error)), Some(400 | 401 | 403 | 405 | 501))
}

/// The error for a pattern where nothing can be listed.
pub(super) fn no_listing(pattern: &str, shown: &str) -> SourceError {
    let reason = format!("{shown} is a web server, which does not tell what it has");
    let doing = format!("find {pattern}");
    SourceError::new(SourceErrorKind::Pipeline, doing, reason)
        .help("name each file; or download them, and give the folder as `root`")
}

/// The error for an object that is not there.
pub(super) fn missing(name: &str, shown: &str) -> SourceError {
    let reason = match shown.ends_with(name) {
        true => "it is not there".to_owned(),
        false => format!("it is not in {shown}"),
    };
    SourceError::new(SourceErrorKind::NotFound, format!("read {name}"), reason)
        .help("check the spelling and the case")
}

/// The error when nobody said who we are.
pub(super) fn no_credentials(scheme: &str) -> SourceError {
    let (store, help) = match scheme {
        "s3" => (
            "S3",
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (`eval \"$(aws configure \
             export-credentials --format env)\"` does it for the profile in use), or \
             `skip_signature = \"true\"` in `storage` for a public bucket",
        ),
        "gs" => (
            "Google Cloud Storage",
            "set GOOGLE_APPLICATION_CREDENTIALS to the file of a service account, run `gcloud auth \
             application-default login`, or set `skip_signature = \"true\"` in `storage` for a \
             public bucket",
        ),
        _ => (
            "Azure",
            "set AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or `use_azure_cli = \"true\"` \
             in `storage` after `az login`",
        ),
    };
    let doing = format!("sign in to {store}");
    let reason = "there are no credentials, and this machine has none of its own";
    SourceError::new(SourceErrorKind::Denied, doing, reason).help(help)
}

/// The error for what a store said of `what`, which is in `shown`.
pub(super) fn failed(error: &Error, what: &str, shown: &str, scheme: &str) -> SourceError {
    let said = said(error);
    let (code, status) = (code(&said), status(&said));
    let at_web = scheme.starts_with("http");
    let is_denied = matches!(
        error,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. }
    ) || matches!(status, Some(401 | 403));
    let (kind, reason, help) = match (error, code, status) {
        _ if is_bucket(error) => (
            SourceErrorKind::NotFound,
            format!("there is no {shown}"),
            "check the spelling of the bucket, and that `endpoint` names the right store",
        ),
        _ if is_elsewhere(code, status, &said) => (
            SourceErrorKind::Denied,
            format!("{shown} is in another region"),
            "set `region` in `storage`, or AWS_REGION, to the region of the bucket",
        ),
        (_, Some("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken"), _) => (
            SourceErrorKind::Denied,
            format!(
                "the credentials are not valid ({})",
                code.unwrap_or_default()
            ),
            "check the key and its secret: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `storage`",
        ),
        (_, Some("ExpiredToken" | "TokenRefreshRequired"), _) => (
            SourceErrorKind::Denied,
            "the credentials have expired".to_owned(),
            "sign in again, and start again",
        ),
        (_, Some("RequestTimeTooSkewed"), _) => (
            SourceErrorKind::Denied,
            "the clock of this machine is wrong".to_owned(),
            "set the clock",
        ),
        _ if is_denied && at_web => (
            SourceErrorKind::Denied,
            "the server does not allow it".to_owned(),
            "check the address: what it is signed with may have expired, or a user and a password \
             be missing",
        ),
        _ if is_denied => (
            SourceErrorKind::Denied,
            format!("the credentials do not allow it in {shown}"),
            "give them the right to list the bucket and to read its objects (for S3: \
             s3:ListBucket and s3:GetObject)",
        ),
        (Error::NotFound { .. }, _, _) => {
            return missing(what, shown);
        }
        (Error::InvalidPath { .. }, _, _) => (
            SourceErrorKind::Malformed,
            "a name with an empty part, `.`, `..` or control characters cannot be read".to_owned(),
            "copy the object to another name, or give a narrower path",
        ),
        (_, _, Some(429)) => (
            SourceErrorKind::Failed,
            "it asks for fewer requests".to_owned(),
            "wait a while, and start again",
        ),
        (_, _, Some(status)) => (
            SourceErrorKind::Failed,
            match code {
                Some(code) => format!("it answers {status} ({code})"),
                None => format!("it answers {status}"),
            },
            "start again when it is well",
        ),
        _ if said.contains("invalid peer certificate") || said.contains("certificate") => (
            SourceErrorKind::Denied,
            format!("the certificate of {shown} is not to be trusted"),
            "give the certificate of its authority by SSL_CERT_FILE",
        ),
        _ if said.contains("URL scheme is not allowed") => (
            SourceErrorKind::Denied,
            "it would be read without encryption".to_owned(),
            "write `https://`, or set `allow_http = \"true\"` in `storage`",
        ),
        _ if gives_no_parts(error) => (
            SourceErrorKind::Malformed,
            format!("{shown} gives no parts of files"),
            "download it, and read the copy",
        ),
        _ if ["error sending request", "dns", "connect", "tcp"]
            .iter()
            .any(|word| said.contains(word)) =>
        {
            (
                SourceErrorKind::Failed,
                format!("{shown} cannot be reached, or the connection broke again and again"),
                "check the address and the network, and start again",
            )
        }
        _ => (
            SourceErrorKind::Failed,
            "the store cannot be used as it is set".to_owned(),
            "check `storage` and the environment's variables of the store",
        ),
    };
    SourceError::new(kind, format!("read {what}"), reason)
        .help(help)
        .cause(without_addresses(&said))
}

/// The error for what a store said when `what` was to be put into `shown`.
pub(crate) fn not_put(error: &Error, what: &str, shown: &str, scheme: &str) -> SourceError {
    let failed = failed(error, what, shown, scheme);
    let help = match failed.kind {
        SourceErrorKind::Denied if failed.reason.contains("do not allow it") => Some(
            "give them the right to write: for S3 s3:PutObject, s3:GetObject, s3:ListBucket and \
             s3:AbortMultipartUpload"
                .to_owned(),
        ),
        _ => failed.help,
    };
    SourceError {
        doing: format!("put {what} into {shown}"),
        help,
        ..failed
    }
}

/// Whether the bucket is in another region than the one asked.
fn is_elsewhere(code: Option<&str>, status: Option<u16>, said: &str) -> bool {
    matches!(
        code,
        Some(
            "PermanentRedirect"
                | "TemporaryRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException"
        )
    ) || matches!(status, Some(301 | 307))
        || said.contains("incorrectly configured region")
}

/// What was said, without addresses, which may be signed.
fn without_addresses(said: &str) -> String {
    let line = said.lines().last().unwrap_or_default();
    let words = line
        .split(' ')
        .map(|word| match word.contains("://") || word.contains('<') {
            true => "…",
            false => word,
        });
    words.collect::<Vec<_>>().join(" ")
}
