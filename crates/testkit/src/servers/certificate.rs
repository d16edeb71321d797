//! A certificate for a server, and the authority that signed it.

use std::path::PathBuf;

use super::keeper::{Keeper, word};

/// The files of a certificate.
pub(super) struct Certificate {
    /// The certificate of the authority.
    pub(super) authority: PathBuf,
    /// The certificate of the server, for `localhost`.
    pub(super) certificate: PathBuf,
    /// Its key.
    pub(super) key: PathBuf,
}

impl Certificate {
    /// Makes one in the keeper's folder.
    pub(super) async fn make(keeper: &Keeper) -> Self {
        let file = |name: &str| keeper.folder().join(name);
        let (authority, authority_key) = (file("authority.pem"), file("authority.key"));
        let (certificate, key) = (file("server.pem"), file("server.key"));
        let (request, names) = (file("request.pem"), file("names"));
        keeper.write("names", "subjectAltName=DNS:localhost\n");
        let new_key = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        let commands = [
            format!(
                "openssl {new_key} -x509 -days 2 -subj '/CN=chatferry test authority' \
                 -keyout {} -out {}",
                word(&authority_key),
                word(&authority)
            ),
            format!(
                "openssl {new_key} -subj /CN=localhost -keyout {} -out {}",
                word(&key),
                word(&request)
            ),
            format!(
                "openssl x509 -req -days 2 -in {} -CA {} -CAkey {} -CAcreateserial \
                 -extfile {} -out {}",
                word(&request),
                word(&authority),
                word(&authority_key),
                word(&names),
                word(&certificate)
            ),
            format!("chmod 600 {}", word(&key)),
        ];
        assert!(
            keeper.run(commands.join(" && ")).await,
            "a certificate needs the program `openssl`:\n{}",
            keeper.log()
        );
        Self {
            authority,
            certificate,
            key,
        }
    }
}
