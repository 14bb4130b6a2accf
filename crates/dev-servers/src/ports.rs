//! Free TCP ports on 127.0.0.1.

use std::{
    hash::{BuildHasher, RandomState},
    io,
    net::TcpListener,
    ops::Range,
};

/// How often a free port is chosen again when another process was faster.
pub const ATTEMPTS: usize = 5;

/// What a server says when its port is taken.
pub const TAKEN: &str = "Address already in use";

/// Below the ports that the kernel gives to outgoing connections, so that a server which is started
/// again finds its port as it left it.
const RANGE: Range<u16> = 18_000..32_000;

/// Different ports that are free at this moment.
pub fn free<const N: usize>() -> io::Result<[u16; N]> {
    let random =
        RandomState::new().hash_one(std::process::id()) % u64::from(RANGE.end - RANGE.start);
    let start = RANGE.start + random as u16;
    let mut candidates = (start..RANGE.end).chain(RANGE.start..start).filter(|port| is_free(*port));
    let mut ports = [0; N];
    for port in &mut ports {
        *port = candidates.next().ok_or_else(|| io::Error::other("no port is free"))?;
    }
    Ok(ports)
}

/// Whether `port` is free.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
