//! Live answers as Server-Sent Events: one query a tick for everything an instance's clients watch.

use std::{collections::HashMap, convert::Infallible, sync::Arc};

use async_trait::async_trait;
use axum::{extract::FromRequestParts, http::request::Parts, response::Response};
use karcis_kernel::Timestamp;
use serde::Serialize;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Tells how far watched things have come.
#[async_trait]
pub trait Versions: Send + Sync + 'static {
    /// The versions of these ids; unknown ids are left out. The error is for the log.
    async fn versions(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, String>;
}

/// What an instance's clients watch. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    // ids with a watch channel each; dropped receivers are forgotten
}

impl Live {
    /// Nothing watched yet.
    pub fn new() -> Self {
        todo!()
    }

    /// Asks `versions` once a tick (250 ms) while anything is watched, and at once after
    /// [`Self::wake`], until `stopping`; then ends all streams.
    pub async fn run(
        self,
        _versions: Arc<dyn Versions>,
        _stopping: CancellationToken,
    ) -> Result<(), Infallible> {
        todo!()
    }

    /// Something changed: ask now. Call it after own commits.
    pub fn wake(&self) {
        todo!()
    }

    /// The version of `id` as it rises; 0 until first asked. The sender goes when the instance stops.
    pub fn watch(&self, _id: Uuid) -> watch::Receiver<i64> {
        todo!()
    }
}

/// Whether the client accepts `text/event-stream`, and the `Last-Event-ID` it has seen.
#[derive(Debug, Clone, Copy)]
pub struct WantsStream(pub Option<SeenVersion>);

/// The version a client has seen; 0 for none.
pub type SeenVersion = i64;

impl<S: Send + Sync> FromRequestParts<S> for WantsStream {
    type Rejection = Infallible;

    async fn from_request_parts(_parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        todo!()
    }
}

/// The resource as a stream: `load` gives (version, resource, whether it is its last state). Sends it when its
/// version passes `seen`, a comment every 15 s; ends after the last state, at `expires_at`, when the
/// resource is gone or the instance stops. A failed load is tried again at the next tick.
pub fn stream<T, F, Fut>(
    _changes: watch::Receiver<i64>,
    _seen: SeenVersion,
    _expires_at: Timestamp,
    _load: F,
) -> Response
where
    T: Serialize + Send + 'static,
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Option<(i64, T, bool)>, String>> + Send + 'static,
{
    todo!()
}
