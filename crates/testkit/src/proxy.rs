//! A way to a server on which a test disturbs each connection.

use std::net::SocketAddr;

use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Listens before a server, until it is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    /// `host:port`.
    server: String,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// On a free port before the server of this URL. `carry` gets each client's connection, and one to
    /// the server.
    pub(crate) async fn start<C>(
        url: &str,
        carry: impl Fn(TcpStream, TcpStream) -> C + Send + 'static,
    ) -> Self
    where
        C: Future<Output = ()> + Send + 'static,
    {
        let server = host_of(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let to = server.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&to).await else { continue };
                tokio::spawn(carry(client, server));
            }
        });
        Self { address, server, accepting }
    }

    /// This URL of the same server, by way of the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replace(&self.server, &self.address.to_string())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// `host:port` of a URL.
fn host_of(url: &str) -> &str {
    let (_, server) = url.rsplit_once('@').expect("the URL names a user");
    server.split(['/', '?']).next().unwrap_or(server)
}
