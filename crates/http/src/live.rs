//! Live answers as Server-Sent Events: one query a tick for everything an instance's clients watch.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    extract::FromRequestParts,
    http::{
        HeaderMap, HeaderName,
        header::{ACCEPT, CACHE_CONTROL},
        request::Parts,
    },
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt, stream::unfold};
use karcis_kernel::Timestamp;
use serde::Serialize;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const TICK: Duration = Duration::from_millis(250);
/// A query may take up one part in so many of the time: wakes that come sooner share the next.
const SHARE: u32 = 5;
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// No stream outlives this, whatever its expiry says; timers do not reach further than years.
const MAX_STREAM: Duration = Duration::from_secs(24 * 60 * 60);

/// Tells how far watched things have come.
#[async_trait]
pub trait Versions: Send + Sync + 'static {
    /// The versions of these ids; unknown ids are left out. The error is for the log.
    async fn versions(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, String>;
}

/// What an instance's clients watch. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    /// `None` once the instance stops.
    watched: Mutex<Option<Watched>>,
    wake: Notify,
}

type Watched = HashMap<Uuid, watch::Sender<i64>>;

impl Live {
    /// Nothing watched yet.
    #[allow(clippy::new_without_default, reason = "a default would hide that it must be run")]
    pub fn new() -> Self {
        Self(Arc::new(Inner { watched: Mutex::new(Some(HashMap::new())), wake: Notify::new() }))
    }

    /// Asks `versions` once a tick (250 ms) while anything is watched, and at once after
    /// [`Self::wake`], until `stopping`; then ends all streams.
    pub async fn run(
        self,
        versions: Arc<dyn Versions>,
        stopping: CancellationToken,
    ) -> Result<(), Infallible> {
        stopping.run_until_cancelled(self.ask_for_ever(&*versions)).await;
        *self.watched() = None;
        Ok(())
    }

    async fn ask_for_ever(&self, versions: &dyn Versions) {
        loop {
            let asked = Instant::now();
            self.ask(versions).await;
            let pause = asked.elapsed() * SHARE;
            drop(timeout(TICK, self.0.wake.notified()).await);
            sleep_until(asked + pause).await;
        }
    }

    async fn ask(&self, versions: &dyn Versions) {
        let ids: Vec<Uuid> = {
            let mut watched = self.watched();
            let Some(watched) = watched.as_mut() else { return };
            watched.retain(|_, sender| !sender.is_closed());
            watched.keys().copied().collect()
        };
        if ids.is_empty() {
            return;
        }
        let found = match versions.versions(&ids).await {
            Ok(found) => found,
            Err(cause) => return tracing::warn!(%cause, "live answers cannot be kept up to date"),
        };
        let mut watched = self.watched();
        let Some(watched) = watched.as_mut() else { return };
        for id in ids {
            let Some(sender) = watched.get(&id) else { continue };
            match found.get(&id) {
                Some(&version) => drop(sender.send_if_modified(|known| {
                    let risen = version > *known;
                    *known = version.max(*known);
                    risen
                })),
                // It was there and is gone: what is dropped ends its streams.
                None if *sender.borrow() > 0 => drop(watched.remove(&id)),
                None => {}
            }
        }
    }

    /// Something changed: ask now. Call it after own commits.
    pub fn wake(&self) {
        self.0.wake.notify_one();
    }

    /// The version of `id` as it rises; 0 until first asked. The sender goes when the instance stops.
    pub fn watch(&self, id: Uuid) -> watch::Receiver<i64> {
        match self.watched().as_mut() {
            Some(watched) => watched.entry(id).or_default().subscribe(),
            None => watch::Sender::default().subscribe(),
        }
    }

    fn watched(&self) -> MutexGuard<'_, Option<Watched>> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the client accepts `text/event-stream`, and the `Last-Event-ID` it has seen.
#[derive(Debug, Clone, Copy)]
pub struct WantsStream(pub Option<SeenVersion>);

/// The version a client has seen; 0 for none.
pub type SeenVersion = i64;

impl<S: Send + Sync> FromRequestParts<S> for WantsStream {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let seen = parts.headers.get("last-event-id");
        let seen = seen.and_then(|value| value.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
        Ok(Self(accepts_stream(&parts.headers).then_some(seen)))
    }
}

fn accepts_stream(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|range| range.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// The resource as a stream: `load` gives (version, resource, whether it is its last state). Sends it when its
/// version passes `seen`, a comment every 15 s; ends after the last state, at `expires_at`, when the
/// resource is gone or the instance stops. A failed load is tried again at the next tick.
pub fn stream<T, F, Fut>(
    changes: watch::Receiver<i64>,
    seen: SeenVersion,
    expires_at: Timestamp,
    load: F,
) -> Response
where
    T: Serialize + Send + 'static,
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Option<(i64, T, bool)>, String>> + Send + 'static,
{
    let left = (expires_at - karcis_process::now()).to_std().unwrap_or_default();
    let watcher = Watcher { changes, seen, looked_at: None, ended: false, load };
    let events = unfold(watcher, Watcher::next).take_until(sleep(left.min(MAX_STREAM)));
    let headers = [(CACHE_CONTROL, "no-store"), (HeaderName::from_static(NO_BUFFER), "no")];
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(COMMENT_EVERY));
    (headers, sse).into_response()
}

/// Tells a proxy to pass on each event as it comes.
const NO_BUFFER: &str = "x-accel-buffering";

/// One client's stream.
struct Watcher<F> {
    changes: watch::Receiver<i64>,
    /// The version the client has.
    seen: SeenVersion,
    /// The version at the last load, if there was one.
    looked_at: Option<i64>,
    ended: bool,
    load: F,
}

impl<F> Watcher<F> {
    /// The next event, once there is one.
    async fn next<T, Fut>(mut self) -> Option<(Result<Event, axum::Error>, Self)>
    where
        T: Serialize,
        F: Fn() -> Fut,
        Fut: Future<Output = Result<Option<(i64, T, bool)>, String>>,
    {
        while !self.ended {
            if let Some(looked_at) = self.looked_at {
                self.changes.wait_for(|&version| version > looked_at).await.ok()?;
            }
            let announced = *self.changes.borrow_and_update();
            match (self.load)().await {
                Ok(None) => return None,
                Ok(Some((version, resource, is_last))) => {
                    self.ended = is_last;
                    self.looked_at = Some(version.max(announced));
                    if version > self.seen {
                        self.seen = version;
                        let event = Event::default().id(version.to_string()).json_data(resource);
                        return Some((event, self));
                    }
                }
                Err(cause) => {
                    tracing::warn!(%cause, "a live answer cannot be loaded");
                    // Only a stop ends this wait early.
                    if timeout(TICK, self.changes.wait_for(|_| false)).await.is_ok() {
                        return None;
                    }
                    self.looked_at = None;
                }
            }
        }
        None
    }
}
