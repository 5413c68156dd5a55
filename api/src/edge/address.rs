//! Whose request it is, by address, behind proxies or not.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::boundary::Arrival;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The address that sent a request, as far as it is known; an IPv6 address as its /64, which is what one customer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Arrival>().expect("the boundary has set it").address)
    }
}

/// The proxies whose `X-Forwarded-For` is believed: addresses and networks, or `none`.
///
/// Loopback by default: a proxy on the same machine is the usual set-up, and must set the header itself (Caddy does;
/// nginx with `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for`). A program on this machine could then name
/// any address, which gains it nothing but other rate limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedProxies(Vec<Network>);

pub(crate) type Proxies = TrustedProxies;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    base: IpAddr,
    bits: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither `none` nor an address (192.0.2.1) nor a network (10.0.0.0/8, fd00::/8)")]
pub struct ProxiesError(String);

impl Default for TrustedProxies {
    fn default() -> Self {
        Self(vec![
            Network { base: IpAddr::from([127, 0, 0, 0]), bits: 8 },
            Network { base: IpAddr::V6(Ipv6Addr::LOCALHOST), bits: 128 },
        ])
    }
}

impl FromStr for TrustedProxies {
    type Err = ProxiesError;

    /// Reads a list separated by commas.
    fn from_str(text: &str) -> Result<Self, ProxiesError> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "none");
        parts
            .map(|part| part.parse().map_err(|()| ProxiesError(part.to_owned())))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (base, bits) = text.split_once('/').map_or((text, None), |(base, bits)| (base, Some(bits)));
        let base: IpAddr = base.parse().map_err(|_| ())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| ()))?;
        if bits <= most { Ok(Self { base, bits }) } else { Err(()) }
    }
}

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        let (base, address, width) = match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                (u128::from(base.to_bits()), u128::from(address.to_bits()), 32)
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => (base.to_bits(), address.to_bits(), 128),
            _ => return false,
        };
        let below = width - u32::from(self.bits);
        base.checked_shr(below).unwrap_or(0) == address.checked_shr(below).unwrap_or(0)
    }
}

impl TrustedProxies {
    /// The address of a request that `peer` brought: the nearest hop that is no trusted proxy. What stands before it
    /// in the header anybody could have written.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> ClientAddress {
        let mut nearest = peer.to_canonical();
        let hops: Vec<&str> = headers
            .get_all(X_FORWARDED_FOR)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .collect();
        for hop in hops.iter().rev() {
            if !self.trusts(nearest) {
                break;
            }
            match hop.parse::<IpAddr>() {
                Ok(address) => nearest = address.to_canonical(),
                Err(_) => break,
            }
        }
        ClientAddress(grouped(nearest))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(address))
    }
}

fn grouped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(trusted: &str, peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        let trusted = if trusted == "default" { TrustedProxies::default() } else { trusted.parse().unwrap() };
        trusted.client(peer.parse().unwrap(), &headers).0.to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(client("default", "198.51.100.7", &["203.0.113.9"]), "198.51.100.7");
        assert_eq!(client("default", "127.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("none", "127.0.0.1", &["203.0.113.9"]), "127.0.0.1");
    }

    #[test]
    fn the_nearest_untrusted_hop_counts_whatever_stands_before_it() {
        let hops = &["6.6.6.6, 203.0.113.9", "10.1.2.3"];
        assert_eq!(client("127.0.0.0/8, 10.0.0.0/8", "127.0.0.1", hops), "203.0.113.9");
        assert_eq!(client("default", "127.0.0.1", hops), "10.1.2.3");
        assert_eq!(client("default", "127.0.0.1", &["1.2.3.4, unknown"]), "127.0.0.1");
    }

    #[test]
    fn one_customer_is_one_address() {
        assert_eq!(client("none", "2001:db8:1:2:3:4:5:6", &[]), "2001:db8:1:2::");
        assert_eq!(client("none", "::ffff:192.0.2.1", &[]), "192.0.2.1");
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for bad in ["localhost", "10.0.0.0/33", "10.0.0.0/x", "1.2.3"] {
            assert!(bad.parse::<TrustedProxies>().is_err(), "{bad}");
        }
        assert_eq!(
            "0.0.0.0/0".parse::<TrustedProxies>().map(|t| t.trusts(IpAddr::from([9, 9, 9, 9]))),
            Ok(true)
        );
    }
}
