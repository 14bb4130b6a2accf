//! A way to a server on which a test disturbs each connection.

use std::{net::SocketAddr, sync::Arc};

use tokio::{net::TcpStream, task::JoinHandle};

use crate::apart;

/// Listens before a server, until it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    /// `host:port`.
    server: String,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// On a free port before the server of this URL, or of this `host:port`. `carry` gets each client's
    /// connection, and one to the server.
    pub(crate) async fn start<C>(
        url: &str,
        carry: impl Fn(TcpStream, TcpStream) -> C + Send + Sync + 'static,
    ) -> Self
    where
        C: Future<Output = ()> + Send + 'static,
    {
        let server = host_of(url).to_owned();
        let listener = apart::listener().await;
        let address = listener.local_addr().expect("it is bound");
        let (to, carry) = (server.clone(), Arc::new(carry));
        let accepting = apart::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (to, carry) = (to.clone(), carry.clone());
                // A server that stands still accepts late: nobody else waits for that.
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(&to).await {
                        carry(client, server).await;
                    }
                });
            }
        });
        Self { address, server, accepting }
    }

    /// This URL of the same server, by way of the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(&self.server, &self.address.to_string())
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// `host:port` of a URL.
fn host_of(url: &str) -> &str {
    let server = url.rsplit_once('@').map_or(url, |(_, server)| server);
    server.split(['/', '?']).next().unwrap_or(server)
}
