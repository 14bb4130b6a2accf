//! Serves an app: connections with time limits, and a stop that no client can delay.

use std::{net::SocketAddr, pin::pin, time::Duration};

use axum::{Extension, Router, extract::ConnectInfo};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{interval, sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::Layer;

use crate::{App, HttpConfig, metrics, router};

/// A request's headers must arrive within this, and an idle connection is closed after it. Clients
/// close theirs sooner (90 s is usual), so no request meets a connection that is being closed.
const HEADER_TIMEOUT: Duration = Duration::from_secs(100);
/// How long the first connections wait for the keys before they are accepted. Without it a restarted
/// service would answer 503 to requests that it can serve in a moment.
const KEYS_LIMIT: Duration = Duration::from_secs(5);
/// How long running requests may go on after a stop: less than the process waits.
const DRAIN_LIMIT: Duration = Duration::from_secs(8);
/// Without it, accepting would spin while the process has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A listener on this address; port 0 takes a free one.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    // Binding is the first thing that a service does, so no metric is recorded before this.
    metrics::install();
    TcpListener::bind(address).await.map_err(|error| {
        let message = format!(
            "{address} cannot be listened on: {error}; stop what listens there, or choose another \
             address with --listen (KARCIS_LISTEN)"
        );
        std::io::Error::new(error.kind(), message)
    })
}

/// Serves [`router`] until `stopping`, then finishes the running requests. Handlers find the client's
/// address as `ConnectInfo<SocketAddr>`.
pub async fn serve(
    listener: TcpListener,
    app: App,
    config: HttpConfig,
    stopping: CancellationToken,
) -> std::io::Result<()> {
    let keys = app.keys.clone();
    let router = router(app, &config);
    stopping.run_until_cancelled(keys.known_within(KEYS_LIMIT)).await;
    let mut connections = JoinSet::new();
    let mut upkeep = interval(metrics::UPKEEP_EVERY);
    loop {
        tokio::select! {
            () = stopping.cancelled() => break,
            _ = upkeep.tick() => metrics::upkeep(),
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let served = connection(socket, peer, router.clone(), stopping.clone());
                    connections.spawn(served);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if timeout(DRAIN_LIMIT, drained).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections cut: they took too long");
    }
    Ok(())
}

/// Serves one connection; when stopping, until its running request is answered.
async fn connection(
    socket: TcpStream,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) {
    // Responses are written whole, so waiting for more to send only delays them.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY cannot be set");
    }
    let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router));
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    let mut served = pin!(builder.serve_connection(TokioIo::new(socket), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stopping.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection broke");
    }
}
