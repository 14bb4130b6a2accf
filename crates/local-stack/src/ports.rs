//! Free TCP ports on 127.0.0.1.

use std::{io, net::TcpListener};

/// How often a free port is chosen again when somebody else was faster.
pub(crate) const ATTEMPTS: usize = 5;

/// What a server says when its port is taken.
pub(crate) const TAKEN: &str = "Address already in use";

/// Ports nobody listens on at this moment.
pub(crate) fn free<const N: usize>() -> io::Result<[u16; N]> {
    // All are held until all are known, or one might come twice.
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}

/// Whether nobody listens on `port`.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
