//! A way to a server that can go silent, as a lost host or a forgotten NAT entry does: what the
//! client sends is taken, and no answer ever comes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
};

use crate::proxy::Proxy;

/// A proxy in front of a server, until it is dropped.
pub struct SilentProxy {
    proxy: Proxy,
    /// How often it was told to be silent: connections that were opened before that are.
    silences: watch::Sender<usize>,
    swallowed: Arc<AtomicUsize>,
}

impl SilentProxy {
    /// Listens on a free port in front of the server of this URL, or of this `host:port`.
    pub async fn start(url: &str) -> Self {
        let (silences, told) = watch::channel(0);
        let swallowed = Arc::new(AtomicUsize::new(0));
        let count = swallowed.clone();
        let proxy = Proxy::start(url, move |client, server| {
            carry(client, server, told.clone(), count.clone())
        });
        Self { proxy: proxy.await, silences, swallowed }
    }

    /// This URL of the same server, by way of the proxy.
    pub fn url(&self, url: &str) -> String {
        self.proxy.url(url)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.proxy.port()
    }

    /// From now on nothing comes from the server on the connections that are open; new ones work. Returns how
    /// many are open.
    pub fn silence(&self) -> usize {
        self.silences.send_modify(|silences| *silences += 1);
        // The proxy itself has a receiver.
        self.silences.receiver_count() - 1
    }

    /// On how many connections an answer was swallowed.
    pub fn swallowed(&self) -> usize {
        self.swallowed.load(SeqCst)
    }
}

/// Carries bytes both ways until one side closes.
async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    told: watch::Receiver<usize>,
    swallowed: Arc<AtomicUsize>,
) {
    let opened_at = *told.borrow();
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let is_silent = || *told.borrow() != opened_at;
    let forth = async {
        let sent = tokio::io::copy(&mut from_client, &mut to_server).await;
        if sent.is_err() && is_silent() {
            let _ = tokio::io::copy(&mut from_client, &mut tokio::io::sink()).await;
        }
    };
    let back = async {
        let mut bytes = vec![0; 16_384];
        let mut was_silent = false;
        loop {
            let read = from_server.read(&mut bytes).await?;
            if read == 0 {
                return Ok::<_, std::io::Error>(());
            }
            if !is_silent() {
                to_client.write_all(&bytes[..read]).await?;
            } else if !was_silent {
                was_silent = true;
                swallowed.fetch_add(1, SeqCst);
            }
        }
    };
    // A lost host does not say that it closes either.
    let closed = async {
        let _ = back.await;
        if is_silent() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = forth => {}
        () = closed => {}
    }
}
