//! One attempt to get a file from a host.

use std::path::PathBuf;
use std::time::Duration;

use chatferry_core::source::{SourceError, SourceErrorKind};
use chrono::Utc;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response};
use url::Url;

use crate::answer::{self, Answer};
use crate::checksum::Checksums;
use crate::found::{Wanted, host};
use crate::guard::{Guard, IsInside};
use crate::reason::{Failure, Reason};
use crate::settings::Settings;
use crate::spool::{Spool, Spooled};

/// How often a host may send us on.
const REDIRECTS: usize = 10;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Gets files from hosts.
#[derive(Debug)]
pub(crate) struct Fetcher {
    client: Client,
    guard: Guard,
    /// What each host is asked with, by its name.
    headers: Vec<(String, HeaderMap)>,
    largest: u64,
    spool: Option<PathBuf>,
}

/// A file that has come, and what the host says it is.
pub(crate) struct Fetched {
    pub(crate) spooled: Spooled,
    pub(crate) media_type: Option<String>,
}

/// Why there is no file.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It is the file's or the host's.
    Failed(Failure),
    /// It is ours, and no other file would fare better: the disk is full.
    Ours(SourceError),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Fetcher {
    /// Ready to ask; what is large waits in that folder on its way.
    pub(crate) fn new(settings: &Settings, spool: Option<PathBuf>) -> Result<Self, SourceError> {
        let failed =
            |reason: String| SourceError::new(SourceErrorKind::Denied, "ask for files", reason);
        let mut headers = Vec::new();
        for host in &settings.hosts {
            let mut of_host = HeaderMap::new();
            for header in &host.headers {
                let value = header
                    .value
                    .reveal()
                    .map_err(|error| failed(error.to_string()))?;
                let value = HeaderValue::from_str(value.trim());
                let name = HeaderName::from_bytes(header.name.as_bytes());
                let (Ok(name), Ok(mut value)) = (name, value) else {
                    let what =
                        format!("the header {} of {} cannot be sent", header.name, host.name);
                    return Err(
                        failed(what).help("is there a line break or another odd character in it?")
                    );
                };
                value.set_sensitive(true);
                of_host.append(name, value);
            }
            headers.push((host.name.clone(), of_host));
        }
        let named = settings.hosts.iter().map(|host| without_port(&host.name));
        let guard = Guard::new(named);
        // Another part of the program may have chosen a provider already; then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("chatferry/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT.min(settings.timeout))
            .read_timeout(settings.timeout)
            .dns_resolver(guard.clone())
            .build()
            .map_err(|error| failed(innermost(&error)))?;
        Ok(Self {
            client,
            guard,
            headers,
            largest: settings.largest,
            spool,
        })
    }

    /// Asks for a file once, wherever its host sends us.
    pub(crate) async fn fetch(&self, wanted: &Wanted) -> Result<Fetched, Trouble> {
        let mut url = Url::parse(&wanted.url)
            .map_err(|_| Failure::new(Reason::Refused, "it is no address"))?;
        let first_is_open = url.scheme() == "http";
        for _ in 0..=REDIRECTS {
            let response = self.ask(&url, first_is_open).await?;
            let (status, headers) = (response.status(), response.headers());
            match answer::read(status, headers, &url, wanted, Utc::now())? {
                Answer::Elsewhere(target) => url = target,
                Answer::File => return self.receive(response, wanted).await,
            }
        }
        let detail = format!("more than {REDIRECTS} redirects");
        Err(Failure::new(Reason::Redirects, detail).into())
    }

    async fn ask(&self, url: &Url, first_is_open: bool) -> Result<Response, Failure> {
        if !self.guard.allows(url) {
            return Err(Failure::new(
                Reason::Inside,
                "its address is not of the internet",
            ));
        }
        let mut request = self
            .client
            .get(url.clone())
            .header(ACCEPT, "*/*")
            .header(ACCEPT_ENCODING, "identity");
        // What is for this host goes to no other, and to this one only as safely as it was asked.
        let is_safe = url.scheme() == "https" || first_is_open;
        let name = host(url.as_str());
        let of_host = self.headers.iter().find(|(known, _)| *known == name);
        if let Some((_, headers)) = of_host.filter(|_| is_safe) {
            request = request.headers(headers.clone());
        }
        request.send().await.map_err(|error| lost(&error))
    }

    async fn receive(&self, mut response: Response, wanted: &Wanted) -> Result<Fetched, Trouble> {
        let expected = response.content_length();
        let too_large = || Failure::new(Reason::TooLarge, "it is larger than `largest`");
        if expected.is_some_and(|expected| expected > self.largest) {
            return Err(too_large().into());
        }
        let sums = Checksums::of(response.headers());
        let media_type = answer::media_type(response.headers()).map(str::to_owned);
        let mut spool = Spool::new(self.spool.clone(), sums.md5.is_some());
        while let Some(part) = response.chunk().await.map_err(|error| lost(&error))? {
            spool.add(&part).await.map_err(unspooled)?;
            if spool.bytes() > self.largest {
                return Err(too_large().into());
            }
        }
        if expected.is_some_and(|expected| expected != spool.bytes()) {
            return Err(Failure::new(Reason::BrokenOff, "fewer bytes than announced").into());
        }
        if !wanted.may_begin_like_a_page && answer::looks_like_a_page(spool.beginning()) {
            return Err(answer::page().into());
        }
        let spooled = spool.finish().await.map_err(unspooled)?;
        if !sums.fit(&spooled.sha256, spooled.md5.as_ref()) {
            return Err(Failure::new(Reason::Checksum, "another checksum than announced").into());
        }
        Ok(Fetched {
            spooled,
            media_type,
        })
    }
}

/// The trouble of whoever cannot let a file wait.
pub(crate) fn unspooled(error: std::io::Error) -> Trouble {
    let reason = error.kind().to_string();
    let doing = "write a temporary file";
    let help = "make room in the folder for temporary files: the one that `spill` under [engine] \
                names, or else the system's (TMPDIR)";
    Trouble::Ours(
        SourceError::new(SourceErrorKind::Failed, doing, reason)
            .help(help)
            .cause(error),
    )
}

/// Why no answer came, or not the whole.
fn lost(error: &reqwest::Error) -> Failure {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(at) = cause {
        if at.is::<IsInside>() {
            return Failure::new(Reason::Inside, "its address is not of the internet");
        }
        cause = at.source();
    }
    if error.is_connect() {
        return Failure::new(Reason::Unreachable, innermost(error));
    }
    if error.is_timeout() {
        return Failure::new(Reason::BrokenOff, "nothing came for too long");
    }
    Failure::new(Reason::BrokenOff, innermost(error))
}

/// The cause at the bottom, which says what happened without the URL that the layers above add.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    // With nothing beneath it, the error itself would name the URL.
    match cause.to_string() {
        text if text.contains("://") => "the request failed".to_owned(),
        text => text,
    }
}

/// A host's name without its port.
fn without_port(name: &str) -> String {
    let url = Url::parse(&format!("http://{name}/")).ok();
    let host = url.as_ref().and_then(|url| url.host_str());
    host.unwrap_or(name).to_owned()
}
