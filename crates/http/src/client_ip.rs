//! Whose network address a request comes from, also behind proxies that are trusted.

use std::{
    convert::Infallible,
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, header::FORWARDED, request::Parts},
};

use crate::networks::{Networks, networks};

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The network address of a client: an IPv4 address, or an IPv6 network of 2^64 addresses, as one
/// person has all of them.
///
/// It is the address that opened the connection. If that is a trusted proxy's, it is the last address
/// in `X-Forwarded-For` or `Forwarded` that is none: a proxy adds on the right whom it serves, and
/// what is further to the left is anybody's claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientIp(pub IpAddr);

impl fmt::Display for ClientIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ClientIp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions, &parts.headers))
    }
}

impl ClientIp {
    /// The client of the request with these extensions and headers.
    pub(crate) fn of(extensions: &Extensions, headers: &HeaderMap) -> Self {
        let opened = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let opened = opened.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)).to_canonical();
        let client = match extensions.get::<TrustedProxies>() {
            Some(proxies) if proxies.contain(opened) => proxies.client(opened, headers),
            _ => opened,
        };
        Self(network(client))
    }
}

/// Whether the request says that it is somebody else's, and comes from no trusted proxy.
pub(crate) fn is_forwarded_by_a_stranger(extensions: &Extensions, headers: &HeaderMap) -> bool {
    let is_forwarded = headers.contains_key(X_FORWARDED_FOR) || headers.contains_key(FORWARDED);
    is_forwarded && !TrustedProxies::sent(extensions)
}

/// The proxies whose word about their clients is taken.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Networks);

impl TrustedProxies {
    /// Whether the connection of the request with these extensions is a trusted proxy's.
    pub fn sent(extensions: &Extensions) -> bool {
        let opened = extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let opened = opened.zip(extensions.get::<Self>());
        opened.is_some_and(|(opened, proxies)| proxies.contain(opened))
    }

    /// Whether this address is a trusted proxy's.
    pub fn contain(&self, address: IpAddr) -> bool {
        self.0.contain(address)
    }

    /// The client for whom the proxy at `opened` asks.
    fn client(&self, opened: IpAddr, headers: &HeaderMap) -> IpAddr {
        let lists = [
            (X_FORWARDED_FOR, forwarded_for as fn(&str) -> Option<IpAddr>),
            (FORWARDED.as_str(), forwarded_element),
        ];
        let mut clients = lists.into_iter().filter(|(name, _)| headers.contains_key(*name));
        let mut client =
            || clients.next().map(|(name, parse)| self.last(opened, headers, name, parse));
        match (client(), client()) {
            (None, _) => opened,
            (Some(client), None) => client,
            // Few proxies write both, and the header that one does not write is the client's own text.
            (Some(one), Some(other)) => {
                if one == other {
                    one
                } else {
                    opened
                }
            }
        }
    }

    /// The last address of the header that is no trusted proxy's. Where an entry is no address, the
    /// address of the proxy that wrote it.
    fn last(
        &self,
        opened: IpAddr,
        headers: &HeaderMap,
        name: &str,
        parse: fn(&str) -> Option<IpAddr>,
    ) -> IpAddr {
        let mut writer = opened;
        // Several lines of a header are one list.
        let lines: Vec<_> = headers.get_all(name).iter().collect();
        let entries =
            lines.iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        for entry in entries {
            let entry = str::from_utf8(entry).ok().and_then(|entry| parse(entry.trim()));
            let Some(address) = entry else { break };
            writer = address.to_canonical();
            if !self.contain(writer) {
                break;
            }
        }
        writer
    }
}

/// An entry of `X-Forwarded-For`: an address, some write a port too.
fn forwarded_for(entry: &str) -> Option<IpAddr> {
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|it| it.ip()))
}

/// An element of `Forwarded` (RFC 7239), such as `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_element(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?;
    let quoted = node.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    forwarded_for(quoted.unwrap_or(node))
}

/// The network of 2^64 addresses, of an IPv6 address.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

/// Parses a flag's value: networks such as `10.0.0.0/8` and addresses, separated by commas; or none.
pub(crate) fn proxies(text: &str) -> Result<TrustedProxies, &'static str> {
    networks(text).map(TrustedProxies)
}
