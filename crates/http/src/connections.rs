//! How many connections a listener holds at once: in all, and of one peer.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::{TrustedProxies, client_ip::network};

const OPEN: &str = "karcis_http_connections";
const REFUSED: &str = "karcis_http_connections_refused_total";

/// Describes the metrics, which then are there at 0.
pub(crate) fn describe() {
    describe_gauge!(OPEN, "Connections of HTTP clients that are open.");
    describe_counter!(REFUSED, "Connections that were closed at once, by the limit they exceeded.");
    gauge!(OPEN).increment(0);
    for limit in ["process", "peer"] {
        counter!(REFUSED, "limit" => limit).increment(0);
    }
}

/// The connections that are open. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections {
    most: usize,
    most_of_peer: usize,
    proxies: TrustedProxies,
    open: Arc<Mutex<Open>>,
}

#[derive(Default)]
struct Open {
    all: usize,
    of_peers: HashMap<IpAddr, usize>,
}

impl Connections {
    /// None yet, and at most so many at once; of a trusted proxy, which has many clients, as many as in
    /// all.
    pub(crate) fn new(most: usize, most_of_peer: usize, proxies: TrustedProxies) -> Self {
        Self { most, most_of_peer, proxies, open: Arc::default() }
    }

    /// The right to one more connection of this peer until it is dropped; `None` if there are too many.
    pub(crate) fn admit(&self, address: IpAddr) -> Option<Admission> {
        let peer = network(address.to_canonical());
        let mut open = self.open();
        let of_peer = open.of_peers.get(&peer).copied().unwrap_or_default();
        let exceeded = match () {
            () if open.all >= self.most => "process",
            () if of_peer >= self.most_of_peer && !self.proxies.contain(address) => "peer",
            () => {
                open.all += 1;
                open.of_peers.insert(peer, of_peer + 1);
                gauge!(OPEN).increment(1);
                return Some(Admission { connections: self.clone(), peer });
            }
        };
        counter!(REFUSED, "limit" => exceeded).increment(1);
        None
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open connection.
pub(crate) struct Admission {
    connections: Connections,
    peer: IpAddr,
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.all -= 1;
        if let Some(of_peer) = open.of_peers.get_mut(&self.peer) {
            *of_peer -= 1;
            if *of_peer == 0 {
                open.of_peers.remove(&self.peer);
            }
        }
        gauge!(OPEN).decrement(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_addresses_of_a_network_are_one_peer() {
        let connections = Connections::new(10, 1, TrustedProxies::default());
        let admit = |address: &str| connections.admit(address.parse().expect("an address"));
        let (v4, v6) = (admit("203.0.113.7"), admit("2001:db8:1:2:3:4:5:6"));
        assert!(v4.is_some() && v6.is_some());
        assert!(admit("::ffff:203.0.113.7").is_none());
        assert!(admit("2001:db8:1:2:ffff::").is_none());
        assert!(admit("2001:db8:1:3::").is_some());
        drop(v4);
        assert!(admit("203.0.113.7").is_some());
    }
}
