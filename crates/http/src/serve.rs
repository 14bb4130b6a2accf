//! Serves an app: connections with time limits, and a stop that no client can delay.

use std::{convert::Infallible, net::SocketAddr, pin::pin, time::Duration};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{interval, sleep, timeout},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{io::InspectReader, sync::CancellationToken};
use tower::Layer;

use crate::{
    App, HttpConfig, ServingConfig, Site, TrustedProxies,
    app::{Routers, routers, site_routers},
    connections::Connections,
    head_timer::{HeadTimer, IDLE_TIMEOUT},
    metrics,
    refusals::Answering,
};

/// What a connection buffers of a request at most. Headers that are larger get 431.
const MAX_BUFFER_BYTES: usize = 16 * 1024;
/// A client that takes nothing of an answer for so long is cut.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How many connections the admin listener holds: probes and scrapers are few.
const ADMIN_CONNECTIONS: usize = 128;
/// The file descriptors that are not for clients, but for the database, the broker and files.
const OTHER_DESCRIPTORS: usize = 256;
/// How long the first connections wait for the keys before they are accepted. Without it a restarted
/// service would answer 503 to requests that it can serve in a moment.
const KEYS_LIMIT: Duration = Duration::from_secs(5);
/// How long running requests may go on after a stop: less than the process waits.
const DRAIN_LIMIT: Duration = Duration::from_secs(8);
/// Without it, accepting would spin while the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A listener on this address; port 0 takes a free one.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    bind_as(address, "--listen (KARCIS_LISTEN)").await
}

/// The same for a program that has the address from another setting.
pub async fn bind_as(address: SocketAddr, setting: &str) -> std::io::Result<TcpListener> {
    // Binding is the first thing that a program does, so no metric is recorded before this.
    metrics::install();
    listen(address, setting).await
}

async fn listen(address: SocketAddr, setting: &str) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!(
            "{address} cannot be listened on: {error}; stop what listens there, or choose another \
             address with {setting}"
        );
        std::io::Error::new(error.kind(), message)
    })
}

/// Serves the app's routes and the system endpoints until `stopping`, then finishes the running
/// requests. Handlers find the client's address as `ConnectInfo<SocketAddr>`. What is for operators has
/// a listener of its own if the settings name one; its connections do not count with the others, so
/// that probes get through.
pub async fn serve(
    listener: TcpListener,
    app: App,
    config: HttpConfig,
    stopping: CancellationToken,
) -> std::io::Result<()> {
    let keys = app.keys.clone();
    let keys_known = async { keys.known_within(KEYS_LIMIT).await };
    let routers = routers(app, &config);
    serve_routers(listener, routers, config.serving, keys_known, stopping).await
}

/// The same for a site, which needs no keys.
pub async fn serve_site(
    listener: TcpListener,
    site: Site,
    serving: ServingConfig,
    stopping: CancellationToken,
) -> std::io::Result<()> {
    let routers = site_routers(site, &serving);
    serve_routers(listener, routers, serving, async {}, stopping).await
}

/// Accepts the first connection once `prepared`.
async fn serve_routers(
    listener: TcpListener,
    routers: Routers,
    config: ServingConfig,
    prepared: impl Future<Output = ()>,
    stopping: CancellationToken,
) -> std::io::Result<()> {
    let admin_listener = match config.admin_listen {
        Some(address) => Some(listen(address, "--admin-listen (KARCIS_ADMIN_LISTEN)").await?),
        None => None,
    };
    let most = allowed_connections(config.max_connections as usize);
    let most_of_peer = config.max_connections_per_peer as usize;
    let connections = Connections::new(most, most_of_peer, config.trusted_proxies);
    let Routers { public, admin, refusals } = routers;
    let admin = admin.map(|admin| (admin, refusals.clone()));
    let public = (public, refusals);
    let public = async {
        stopping.run_until_cancelled(prepared).await;
        accept(listener, public, connections, stopping.clone()).await;
    };
    let admin = async {
        if let (Some(listener), Some(admin)) = (admin_listener, admin) {
            let (most, proxies) = (ADMIN_CONNECTIONS, TrustedProxies::default());
            let connections = Connections::new(most, most, proxies);
            accept(listener, admin, connections, stopping.clone()).await;
        }
    };
    tokio::select! {
        ((), ()) = async { tokio::join!(public, admin) } => Ok(()),
        never = upkeep() => match never {},
    }
}

/// So many connections, or as many as the process may have files. Raises that limit first, as it is
/// 1,024 by default on many machines, for programs that cannot have more.
fn allowed_connections(wanted: usize) -> usize {
    let descriptors = match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(descriptors) => usize::try_from(descriptors).unwrap_or(usize::MAX),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files cannot be raised");
            return wanted;
        }
    };
    let possible = descriptors.saturating_sub(OTHER_DESCRIPTORS).max(1);
    if possible < wanted {
        tracing::warn!(wanted, possible, "the limit of open files allows fewer connections");
    }
    wanted.min(possible)
}

async fn upkeep() -> Infallible {
    let mut due = interval(metrics::UPKEEP_EVERY);
    loop {
        due.tick().await;
        metrics::upkeep();
    }
}

/// Accepts and serves connections until `stopping`, then waits for the running requests. The second
/// router answers in hyper's place.
async fn accept(
    listener: TcpListener,
    routers: (Router, Router),
    connections: Connections,
    stopping: CancellationToken,
) {
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            () = stopping.cancelled() => break,
            Some(_) = running.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    // An answer would cost what is to be saved: who is refused is closed at once.
                    let Some(admission) = connections.admit(peer.ip()) else { continue };
                    let served = connection(socket, peer, routers.clone(), stopping.clone());
                    running.spawn(async move {
                        served.await;
                        drop(admission);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    let drained = async { while running.join_next().await.is_some() {} };
    if timeout(DRAIN_LIMIT, drained).await.is_err() {
        tracing::warn!(connections = running.len(), "connections cut: they took too long");
    }
}

/// Serves one connection; when stopping, until its running request is answered.
async fn connection(
    socket: TcpStream,
    peer: SocketAddr,
    (router, refusals): (Router, Router),
    stopping: CancellationToken,
) {
    // Responses are written whole, so waiting for more to send only delays them.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router));
    let timer = HeadTimer::default();
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(WRITE_TIMEOUT));
    let heard = timer.clone();
    let socket = InspectReader::new(socket, move |bytes: &[u8]| {
        if !bytes.is_empty() {
            heard.received();
        }
    });
    let socket = Answering::new(socket, refusals);
    let mut builder = http1::Builder::new();
    builder.max_buf_size(MAX_BUFFER_BYTES).timer(timer).header_read_timeout(IDLE_TIMEOUT);
    let mut served = pin!(builder.serve_connection(TokioIo::new(socket), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopping.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
