//! The web app, and the gateway that passes calls on to the services, at one origin: so the app needs no
//! CORS, and one Content-Security-Policy is enough.

mod api;
mod app;
mod config;
mod origin;
mod pages;
mod pass;
mod policy;
mod session;
mod upstreams;

use std::{io, sync::Arc};

use async_trait::async_trait;
use axum::{Router, middleware::from_fn_with_state};
use karcis_http::Site;
use karcis_process::{CancellationToken, Process, Readiness, StopError};
use tokio::net::TcpListener;

use origin::require_own_origin;
use pass::Passing;

pub use config::Config;
pub use upstreams::Upstreams;

/// Why the gateway did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error(transparent)]
    Listen(#[from] io::Error),
    #[error(transparent)]
    Stopped(#[from] StopError),
}

/// Serves on `listener` until the process is asked to stop.
pub async fn run(config: Config, listener: TcpListener, process: Process) -> Result<(), WebError> {
    // Compresses the app before the first request, if it is not read at each.
    app::current();
    let stopping = process.stopping();
    let site = Site { routes: routes(&config, stopping.clone()), readiness: Arc::new(Always) };
    let served = karcis_http::serve_site(listener, site, config.serving, stopping);
    process.run("http", served).until_stopped().await?;
    Ok(())
}

fn routes(config: &Config, stopping: CancellationToken) -> Router {
    let passing = Passing::new(config.upstreams.clone(), stopping);
    let checked = from_fn_with_state(config.origin.clone(), require_own_origin);
    let sessions = session::routes().route_layer(checked);
    pages::routes().merge(sessions.merge(api::routes()).with_state(passing))
}

/// Pages are there when a service is not, so nothing is waited for.
struct Always;

#[async_trait]
impl Readiness for Always {
    async fn ready(&self) -> Result<(), String> {
        Ok(())
    }
}
