//! A way to a server that is slow: each of its answers comes late.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

use crate::proxy::Proxy;

/// A proxy in front of a server, until it is dropped.
pub struct SlowProxy {
    proxy: Proxy,
    pace: Arc<Pace>,
}

#[derive(Default)]
struct Pace {
    delay_ms: AtomicU64,
    delayed: AtomicUsize,
}

impl SlowProxy {
    /// Listens on a free port in front of the server of this URL; nothing is late yet.
    pub(crate) async fn start(url: &str) -> Self {
        let pace = Arc::new(Pace::default());
        let shared = pace.clone();
        let proxy = Proxy::start(url, move |client, server| carry(client, server, shared.clone()));
        Self { proxy: proxy.await, pace }
    }

    /// This URL of the same server, by way of the proxy.
    pub(crate) fn url(&self, url: &str) -> String {
        self.proxy.url(url)
    }

    /// From now on each answer comes so much later.
    pub fn delays(&self, by: Duration) {
        self.pace.delay_ms.store(by.as_millis() as u64, Relaxed);
    }

    /// How many answers came late.
    pub fn delayed(&self) -> usize {
        self.pace.delayed.load(Relaxed)
    }
}

/// Carries bytes both ways until one side closes.
async fn carry(mut client: TcpStream, mut server: TcpStream, pace: Arc<Pace>) {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let back = async {
        let mut bytes = vec![0; 65_536];
        loop {
            let read = from_server.read(&mut bytes).await?;
            if read == 0 {
                return Ok::<_, std::io::Error>(());
            }
            let delay = Duration::from_millis(pace.delay_ms.load(Relaxed));
            if !delay.is_zero() {
                pace.delayed.fetch_add(1, Relaxed);
                sleep(delay).await;
            }
            to_client.write_all(&bytes[..read]).await?;
        }
    };
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        _ = back => {}
    }
}
