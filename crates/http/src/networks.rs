//! Networks of peers that are trusted with something.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::{extract::ConnectInfo, http::Extensions};
use ipnet::IpNet;

/// Networks and addresses. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Networks(Arc<[IpNet]>);

impl Networks {
    /// Whether this address is one of theirs.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    /// Whether the connection of the request with these extensions comes from one of them.
    pub(crate) fn contain_peer(&self, extensions: &Extensions) -> bool {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        peer.is_some_and(|peer| self.contain(peer.0.ip()))
    }
}

/// Parses a flag's value: networks such as `10.0.0.0/8` and addresses, separated by commas; or none.
pub(crate) fn networks(text: &str) -> Result<Networks, &'static str> {
    let network = |text: &str| {
        let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
        address.or_else(|_| text.parse::<IpNet>())
    };
    let networks = text.split(',').map(str::trim).filter(|text| !text.is_empty()).map(network);
    let networks = networks.collect::<Result<_, _>>();
    networks.map(Networks).map_err(|_| "give networks such as 10.0.0.0/8, or addresses")
}
