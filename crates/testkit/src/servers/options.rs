//! What a server of one's own may have that others have not.

/// What a server of one's own may have that others have not.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub(super) settings: Vec<(String, String)>,
    pub(super) tls: Tls,
}

/// Whether a server speaks TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Tls {
    /// It does not.
    #[default]
    Off,
    /// To those who wish.
    Offered,
    /// With everybody.
    Required,
}

impl Options {
    /// A setting of the server, as its configuration file has it.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// TLS for those who wish, with a certificate for `localhost`, and not for `127.0.0.1`.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = Tls::Offered;
        self
    }

    /// TLS for everybody, with the same certificate.
    #[must_use]
    pub fn tls_only(mut self) -> Self {
        self.tls = Tls::Required;
        self
    }
}
