//! By which names the page may be asked for.
//!
//! A page of somebody else's site can have its own name lead to this machine, and then reads what
//! is served here as if it were its own ("DNS rebinding"). Its requests carry that name as their
//! host. So only names are answered to that nobody else can have lead here: addresses as they are,
//! `localhost`, and what the operator has named.

use std::net::IpAddr;

use http::Request;
use http::header::HOST;

/// By which names the page may be asked for.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Vec<String>);

impl Hosts {
    /// Addresses, `localhost` and these names.
    #[must_use]
    pub fn and(names: Vec<String>) -> Self {
        Self(names)
    }

    /// Whether the request is for one of them.
    pub(crate) fn allow<B>(&self, request: &Request<B>) -> bool {
        let mut hosts = request.headers().get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return false;
        };
        let named = request.uri().authority();
        host.to_str().is_ok_and(|host| self.allows(host))
            && named.is_none_or(|named| self.allows(named.as_str()))
    }

    /// Whether a host, perhaps with a port, is one of them. The port says nothing: it is another
    /// one behind a tunnel.
    fn allows(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((address, _)) => address,
            None => host.split_once(':').map_or(host, |(name, _)| name),
        };
        name.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.0.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_nobody_else_can_have_lead_here_are_answered_to() {
        let hosts = Hosts::and(vec!["chatferry.internal".into()]);
        for good in [
            "127.0.0.1:9090",
            "127.0.0.1",
            "localhost:1",
            "LOCALHOST",
            "[::1]:9090",
            "[::1]",
            "192.168.1.7:9090",
            "chatferry.internal:80",
            "Chatferry.Internal",
        ] {
            assert!(hosts.allows(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "evil.example:9090",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "chatferry.internal.evil.example",
            "[evil]:1",
            ":9090",
        ] {
            assert!(!hosts.allows(bad), "{bad}");
        }
    }

    #[test]
    fn a_request_has_one_host_and_asks_for_no_other() {
        let hosts = Hosts::default();
        let request = |uri: &str, named: &[&str]| {
            let mut request = Request::builder().uri(uri);
            for host in named {
                request = request.header(HOST, *host);
            }
            hosts.allow(&request.body(()).unwrap())
        };
        assert!(request("/", &["localhost"]));
        assert!(!request("/", &[]));
        assert!(!request("/", &["localhost", "evil.example"]));
        assert!(!request("http://evil.example/", &["localhost"]));
    }
}
