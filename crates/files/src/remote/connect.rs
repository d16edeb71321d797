//! The way to an object store, and who we are to it.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chatferry_core::source::{SourceError, SourceErrorKind};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::http::HttpBuilder;
use object_store::{BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use super::failure::failed;
use crate::address::Address;

/// How long a server may be silent in the middle of an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to ask for credentials where a machine in a cloud would answer at once.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);
/// Where machines of Amazon and Azure ask who they are.
const METADATA: &str = "169.254.169.254:80";
/// Where machines of Google do.
const GOOGLE_METADATA: &str = "metadata.google.internal:80";

/// The way to an object store.
pub(crate) struct Store {
    scheme: String,
    /// For first contact: whoever misspelt a name should not wait for minutes.
    first: Arc<dyn ObjectStore>,
    /// For all that follows: networks come back.
    patient: Arc<dyn ObjectStore>,
    answered: AtomicBool,
    /// Where to ask for credentials, when none are given.
    metadata: Option<&'static str>,
}

/// What went wrong, or what is already said of it.
#[derive(Debug)]
pub(crate) enum Trouble {
    Store(object_store::Error),
    Known(SourceError),
}

impl From<object_store::Error> for Trouble {
    fn from(error: object_store::Error) -> Self {
        Self::Store(error)
    }
}

impl Store {
    /// Prepares to connect; nobody is asked yet.
    pub(crate) fn open(address: &Address, url: &Url) -> Result<Self, SourceError> {
        // Another part of the program may have chosen it before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut settings = Vec::new();
        for (name, value) in address.storage().iter() {
            let value = value.reveal().map_err(|error| {
                let reason = error.to_string();
                SourceError::new(SourceErrorKind::Denied, open(address), reason)
                    .help("make the file, and give this user the right to read it")
            })?;
            settings.push((name.clone(), value));
        }
        let build = |patience| match url.scheme() {
            "s3" => s3(url, &settings, patience),
            "gs" => google(url, &settings, patience),
            "http" | "https" => web(url, &settings, patience),
            _ => azure(url, &settings, patience),
        };
        let built = |patience| {
            build(patience).map_err(|error| {
                let error = failed(&error, address.written(), address.written(), url.scheme());
                let doing = open(address);
                SourceError { doing, ..error }
            })
        };
        let (first, metadata) = built(Patience::Little)?;
        let (patient, _) = built(Patience::Much)?;
        Ok(Self {
            scheme: url.scheme().to_owned(),
            first,
            patient,
            answered: AtomicBool::new(false),
            metadata,
        })
    }

    pub(crate) fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Whether it is a web server, which has no list of what it has.
    pub(super) fn is_web(&self) -> bool {
        self.scheme.starts_with("http")
    }

    /// Notes that there was an answer.
    pub(crate) fn answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    /// What requests are made with.
    pub(crate) async fn client(&self) -> Result<Arc<dyn ObjectStore>, Trouble> {
        if self.answered.load(Ordering::Relaxed) {
            return Ok(Arc::clone(&self.patient));
        }
        if let Some(metadata) = self.metadata
            && !somebody_answers(metadata).await
        {
            return Err(Trouble::Known(super::failure::no_credentials(&self.scheme)));
        }
        Ok(Arc::clone(&self.first))
    }
}

fn open(address: &Address) -> String {
    format!("open {}", address.written())
}

/// Whether there is somebody to ask for credentials, as there is on a machine in that cloud.
async fn somebody_answers(metadata: &'static str) -> bool {
    let addresses = tokio::task::spawn_blocking(|| {
        let found: Vec<SocketAddr> = metadata.to_socket_addrs().into_iter().flatten().collect();
        found
    });
    let connects = async {
        let addresses = addresses.await.ok()?;
        let address = addresses.first()?;
        tokio::net::TcpStream::connect(address).await.ok()
    };
    let connects = tokio::time::timeout(METADATA_TIMEOUT, connects).await;
    connects.ok().flatten().is_some()
}

/// How long to try again.
#[derive(Clone, Copy)]
enum Patience {
    Little,
    Much,
}

impl Patience {
    fn retry(self) -> RetryConfig {
        let (max_retries, retry_timeout) = match self {
            Self::Little => (2, Duration::from_secs(10)),
            Self::Much => (20, Duration::from_secs(3 * 60)),
        };
        RetryConfig {
            backoff: BackoffConfig::default(),
            max_retries,
            retry_timeout,
        }
    }
}

type Built = Result<(Arc<dyn ObjectStore>, Option<&'static str>), object_store::Error>;

fn client_options() -> ClientOptions {
    // Not the whole answer is limited, but its pauses: a part is read as fast as the line is.
    ClientOptions::new()
        .with_timeout_disabled()
        .with_read_timeout(READ_TIMEOUT)
        .with_connect_timeout(CONNECT_TIMEOUT)
}

/// The variables of the environment whose names begin so, as settings.
fn environment(beginning: &str) -> Vec<(String, String)> {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        let name = name.into_string().ok()?;
        let value = value.into_string().ok()?;
        (name.starts_with(beginning) && !value.is_empty())
            .then(|| (name.to_ascii_lowercase(), value))
    };
    std::env::vars_os().filter_map(text).collect()
}

fn s3(url: &Url, settings: &[(String, String)], patience: Patience) -> Built {
    use AmazonS3ConfigKey as Key;
    let mut builder = AmazonS3Builder::new()
        .with_client_options(client_options())
        .with_retry(patience.retry());
    for (name, value) in environment("AWS_") {
        if let Ok(key) = name.parse() {
            builder = builder.with_config(key, value);
        }
    }
    for (name, value) in settings {
        builder = builder.with_config(name.parse()?, value);
    }
    builder = builder.with_bucket_name(url.host_str().unwrap_or_default());
    let said = |key: Key| builder.get_config_value(&key);
    let endpoint = said(Key::S3Endpoint).or_else(|| said(Key::Endpoint));
    let is_open = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    let is_known = [
        Key::AccessKeyId,
        Key::SecretAccessKey,
        Key::WebIdentityTokenFile,
    ]
    .into_iter()
    .chain([
        Key::ContainerCredentialsRelativeUri,
        Key::ContainerCredentialsFullUri,
    ])
    .any(|key| said(key).is_some());
    let is_anybody = said(Key::SkipSignature).is_some_and(|skip| is_true(&skip));
    let metadata = match (is_known || is_anybody, said(Key::MetadataEndpoint)) {
        (false, None) => Some(METADATA),
        _ => None,
    };
    if is_open {
        // Whoever writes `http://` means it.
        builder = builder.with_config(Key::Client(ClientConfigKey::AllowHttp), "true");
    }
    Ok((Arc::new(builder.build()?), metadata))
}

fn google(url: &Url, settings: &[(String, String)], patience: Patience) -> Built {
    use GoogleConfigKey as Key;
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_client_options(client_options())
        .with_retry(patience.retry());
    for (name, value) in environment("GOOGLE_") {
        if let Ok(key) = name.parse() {
            builder = builder.with_config(key, value);
        }
    }
    for (name, value) in settings {
        builder = builder.with_config(name.parse()?, value);
    }
    builder = builder.with_bucket_name(url.host_str().unwrap_or_default());
    let said = |key: Key| builder.get_config_value(&key);
    let is_known = [
        Key::ServiceAccount,
        Key::ServiceAccountKey,
        Key::ApplicationCredentials,
    ]
    .into_iter()
    .chain([Key::BearerToken])
    .any(|key| said(key).is_some());
    let is_anybody = said(Key::SkipSignature).is_some_and(|skip| is_true(&skip));
    let logged_in = std::env::home_dir().is_some_and(|home| {
        let file = ".config/gcloud/application_default_credentials.json";
        home.join(file).is_file()
    });
    let metadata = (!is_known && !is_anybody && !logged_in).then_some(GOOGLE_METADATA);
    Ok((Arc::new(builder.build()?), metadata))
}

fn azure(url: &Url, settings: &[(String, String)], patience: Patience) -> Built {
    use AzureConfigKey as Key;
    let mut builder = MicrosoftAzureBuilder::new()
        .with_client_options(client_options())
        .with_retry(patience.retry());
    for (name, value) in environment("AZURE_") {
        if let Ok(key) = name.parse() {
            builder = builder.with_config(key, value);
        }
    }
    for (name, value) in settings {
        builder = builder.with_config(name.parse()?, value);
    }
    let whole = url.as_str();
    builder = builder.with_url(whole);
    let said = |key: Key| builder.get_config_value(&key);
    let endpoint = said(Key::Endpoint);
    let is_open = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    let is_known = [Key::AccessKey, Key::SasKey, Key::Token, Key::ClientSecret]
        .into_iter()
        .chain([
            Key::FederatedTokenFile,
            Key::MsiEndpoint,
            Key::FabricSessionToken,
        ])
        .any(|key| said(key).is_some());
    let is_anybody = [Key::SkipSignature, Key::UseAzureCli, Key::UseEmulator]
        .into_iter()
        .any(|key| said(key).is_some_and(|said| is_true(&said)));
    let metadata = (!is_known && !is_anybody).then_some(METADATA);
    if is_open {
        builder = builder.with_config(Key::Client(ClientConfigKey::AllowHttp), "true");
    }
    Ok((Arc::new(builder.build()?), metadata))
}

fn web(url: &Url, settings: &[(String, String)], patience: Patience) -> Built {
    let mut base = url.clone();
    base.set_path("");
    let mut options = client_options().with_allow_http(url.scheme() == "http");
    for (name, value) in settings {
        options = options.with_config(name.parse()?, value);
    }
    let builder = HttpBuilder::new()
        .with_url(base)
        .with_client_options(options)
        .with_retry(patience.retry());
    Ok((Arc::new(builder.build()?), None))
}

fn is_true(value: &str) -> bool {
    ["true", "1", "yes", "on", "y", "t"].contains(&value.to_ascii_lowercase().as_str())
}

/// Whether one of the stores has a setting of that name.
pub(crate) fn is_setting(name: &str) -> bool {
    name.parse::<AmazonS3ConfigKey>().is_ok()
        || name.parse::<GoogleConfigKey>().is_ok()
        || name.parse::<AzureConfigKey>().is_ok()
}
