//! A server that speaks S3: moto, out of a Python environment of its own.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use http::Method;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{Attribute, ObjectStoreExt, PutPayload};

use super::PASSWORD;
use super::database::unused_name;
use super::keeper::{Keeper, word};
use super::process::{Process, same};
use super::python;

/// What is installed.
const PACKAGE: &str = "moto[s3,server]==5.2.5";
/// What every request is signed with, unless a test says otherwise.
const KEY: &str = "chatferry-test";
const REGION: &str = "us-east-1";
/// How long what is signed in advance may be used.
const SIGNED_FOR: Duration = Duration::from_secs(60);

/// Runs the server on the port given, and tells in which folder it was started.
const PROGRAM: &str = r#"
import os, sys
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
app = DomainDispatcherApplication(create_backend_app)
def answer(environ, start):
    if environ["PATH_INFO"] == "/who-is-there":
        folder = os.path.realpath("data").encode()
        start("200 OK", [("Content-Length", str(len(folder)))])
        return [folder]
    return app(environ, start)
port = int(sys.argv[1].split("=")[1])
run_simple("127.0.0.1", port, answer, threaded=True)
"#;

/// A server that speaks S3.
pub struct S3 {
    endpoint: String,
    key: String,
    secret: String,
    /// `None` when it was there before us.
    process: Option<Process>,
}

/// A bucket of one's own.
pub struct Bucket {
    name: String,
    store: AmazonS3,
}

/// An object as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its media type.
    pub media_type: Option<String>,
    /// What a browser is to do with it.
    pub disposition: Option<String>,
    /// Its contents.
    pub contents: Vec<u8>,
}

impl S3 {
    /// The server with that URL, whose user and password are a key and its secret.
    pub(super) fn given(url: &str) -> Self {
        let advice = "CHATFERRY_TEST_S3 is http://KEY:SECRET@HOST:PORT";
        let (scheme, rest) = url.split_once("://").expect(advice);
        let (account, host) = rest.split_once('@').expect(advice);
        let (key, secret) = account.split_once(':').expect(advice);
        Self {
            endpoint: format!("{scheme}://{}", host.trim_end_matches('/')),
            key: key.to_owned(),
            secret: secret.to_owned(),
            process: None,
        }
    }

    /// A server that no other test knows.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn own() -> Self {
        Self::started("").await
    }

    /// A server that no other test knows, which asks who one is from the request after so many on,
    /// and knows nobody.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub async fn strict_after(requests: usize) -> Self {
        Self::started(&format!("INITIAL_NO_AUTH_ACTION_COUNT={requests}")).await
    }

    async fn started(environment: &str) -> Self {
        let python = tokio::task::spawn_blocking(python).await;
        let python = python.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let keeper = Keeper::new(None, "KILL");
        keeper.write("program.py", PROGRAM);
        fs::create_dir(keeper.folder().join("data")).expect("a folder is made");
        let command = format!(
            "env {environment} PYTHONDONTWRITEBYTECODE=1 {} program.py",
            word(&python)
        );
        let process = Process::new(keeper, command, who_is_there).await;
        Self {
            endpoint: format!("http://127.0.0.1:{}", process.port()),
            key: KEY.to_owned(),
            secret: PASSWORD.to_owned(),
            process: Some(process),
        }
    }

    /// Its address.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its host and port.
    #[must_use]
    pub fn host(&self) -> &str {
        let (_, host) = self.endpoint.split_once("://").expect("it is a URL");
        host
    }

    /// What has to be set to use it, as the settings of S3 are called.
    #[must_use]
    pub fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("endpoint", self.endpoint.clone()),
            ("region", REGION.to_owned()),
            ("access_key_id", self.key.clone()),
            ("secret_access_key", self.secret.clone()),
        ]
    }

    /// A new and empty bucket.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    pub async fn bucket(&self) -> Bucket {
        let name = unused_name().replace('_', "-");
        let mut builder = AmazonS3Builder::new()
            .with_allow_http(true)
            .with_bucket_name(&name);
        for (key, value) in self.settings() {
            let key = key.parse().expect("a setting of S3");
            builder = builder.with_config(key, value);
        }
        let _ = rustls::crypto::ring::default_provider().install_default();
        let store = builder.build().expect("the settings are complete");
        // Making a bucket is to put nothing where its objects will be.
        let signed = store
            .signed_url(Method::PUT, &Path::default(), SIGNED_FOR)
            .await;
        let signed = signed.expect("the settings are complete");
        let (_, what) = signed
            .as_str()
            .split_once(self.host())
            .expect("it is our host");
        let request = format!(
            "PUT {what} HTTP/1.0\r\nHost: {}\r\nContent-Length: 0\r\n\r\n",
            self.host()
        );
        let host = self.host().to_owned();
        let answer = tokio::task::spawn_blocking(move || ask(&host, &request)).await;
        let answer = answer.ok().flatten().expect("the server answers");
        assert!(answer.contains(" 200 "), "no bucket: {answer}");
        Bucket { name, store }
    }

    /// Stops it: whoever is connected is turned out, and what it had is gone.
    ///
    /// # Panics
    ///
    /// When it was not started here.
    pub async fn stop(&self) {
        self.process().stop("KILL").await;
    }

    fn process(&self) -> &Process {
        let process = self.process.as_ref();
        process.expect("only of a server that was started here")
    }
}

impl Bucket {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// An address at which anybody may read an object for a minute.
    ///
    /// # Panics
    ///
    /// When the name is none.
    pub async fn signed_url(&self, name: &str) -> String {
        let path = Path::parse(name).expect("a name");
        let signed = self.store.signed_url(Method::GET, &path, SIGNED_FOR).await;
        signed.expect("the settings are complete").into()
    }

    /// An object of it, and what it is served as.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub async fn get(&self, name: &str) -> Stored {
        let path = Path::parse(name).expect("a name");
        let found = self.store.get(&path).await.expect("there is one");
        let said = |attribute: &Attribute| found.attributes.get(attribute).map(|it| it.to_string());
        let media_type = said(&Attribute::ContentType);
        let disposition = said(&Attribute::ContentDisposition);
        Stored {
            media_type,
            disposition,
            contents: found.bytes().await.expect("it comes whole").into(),
        }
    }

    /// Puts an object into it.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    pub async fn put(&self, name: &str, contents: impl Into<Vec<u8>>) {
        let path = Path::parse(name).expect("a name");
        let contents = PutPayload::from(contents.into());
        let put = self.store.put(&path, contents).await;
        put.expect("the server takes it");
    }
}

/// The Python that has what the server needs, installed if need be.
fn python() -> PathBuf {
    let otherwise = "set CHATFERRY_TEST_S3 to http://KEY:SECRET@HOST:PORT of a server that speaks \
                     S3, of an account that may make buckets";
    python::environment(PACKAGE, otherwise).join("bin/python")
}

fn who_is_there(port: u16) -> BoxFuture<'static, Option<PathBuf>> {
    let asked = tokio::task::spawn_blocking(move || {
        let answer = ask(
            &format!("127.0.0.1:{port}"),
            "GET /who-is-there HTTP/1.0\r\n\r\n",
        )?;
        let (_, folder) = answer.split_once("\r\n\r\n")?;
        Some(same(folder))
    });
    async move { asked.await.ok().flatten() }.boxed()
}

/// Sends a request as it is written, and gives the whole answer.
fn ask(host: &str, request: &str) -> Option<String> {
    let mut connection = TcpStream::connect(host).ok()?;
    connection.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    Some(answer)
}
