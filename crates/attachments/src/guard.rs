//! Which hosts may be asked.
//!
//! URLs are what people wrote into a chat. One that names this machine, or one of its network, would
//! have us fetch what only we can see, a cloud's credentials included, and put it where everybody
//! sees it. So only addresses of the open internet are asked, and hosts that the pipeline names.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// The hosts that the pipeline names, in small letters, without their ports.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guard(Arc<[String]>);

/// The host is on this machine or in its network.
#[derive(Debug)]
pub(crate) struct IsInside;

impl fmt::Display for IsInside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host is on this machine or in its network")
    }
}

impl Error for IsInside {}

impl Guard {
    pub(crate) fn new(named: impl IntoIterator<Item = String>) -> Self {
        Self(named.into_iter().collect())
    }

    fn trusts(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.');
        self.0.iter().any(|named| named.eq_ignore_ascii_case(host))
    }

    /// Whether a URL may be asked for whose host is an address. Of names it is found out when they
    /// are looked up.
    pub(crate) fn allows(&self, url: &Url) -> bool {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            _ => return true,
        };
        is_open(address) || url.host_str().is_some_and(|host| self.trusts(host))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let trusted = self.trusts(name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            let open: Vec<SocketAddr> = found
                .iter()
                .filter(|address| trusted || is_open(address.ip()))
                .copied()
                .collect();
            if open.is_empty() && !found.is_empty() {
                return Err(IsInside.into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is one of the open internet.
fn is_open(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_open_v4(address),
        IpAddr::V6(address) => is_open_v6(address),
    }
}

fn is_open_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_multicast()
        || a == 0
        // Shared by a provider's customers; for protocols; for measurements; reserved.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240;
    !is_special
}

fn is_open_v6(address: Ipv6Addr) -> bool {
    if let Some(address) = address.to_ipv4_mapped() {
        return is_open_v4(address);
    }
    let [first, second, ..] = address.segments();
    // An address of the old kind in one of the new: 6to4, and what translates between the two.
    if first == 0x2002 || (first == 0x64 && second == 0xff9b) {
        let octets = address.octets();
        let at = if first == 0x2002 { 2 } else { 12 };
        let inner = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
        return is_open_v4(Ipv4Addr::from(inner));
    }
    let is_special = address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || (first & 0xfe00) == 0xfc00
        || (first & 0xffc0) == 0xfe80
        || (first & 0xffc0) == 0xfec0;
    !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_and_its_network_are_not_open() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "255.255.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00:ec2::254",
            "::ffff:127.0.0.1",
            "2002:7f00:1::",
            "64:ff9b::a00:1",
            "ff02::1",
            "fec0::1",
        ] {
            let parsed: IpAddr = address.parse().expect("an address");
            assert!(!is_open(parsed), "{address}");
        }
        for address in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700:4700::1111",
            "::ffff:1.1.1.1",
        ] {
            let parsed: IpAddr = address.parse().expect("an address");
            assert!(is_open(parsed), "{address}");
        }
    }

    #[test]
    fn a_host_that_the_pipeline_names_may_be_anywhere() {
        let guard = Guard::new(["127.0.0.1".to_owned(), "[::1]".to_owned()]);
        let allows = |url: &str| guard.allows(&Url::parse(url).expect("a URL"));
        assert!(allows("http://127.0.0.1:8080/a"));
        assert!(allows("http://[::1]:8080/a"));
        assert!(!allows("http://127.0.0.2/a"));
        assert!(
            !allows("http://2130706434/a"),
            "an address in another spelling"
        );
        assert!(allows("https://example.com/a"));
    }
}
