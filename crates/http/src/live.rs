//! Resources as live streams of Server-Sent Events: one query per tick for everything that the clients
//! of an instance watch.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    extract::FromRequestParts,
    http::{HeaderName, StatusCode, header::CACHE_CONTROL, request::Parts},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{StreamExt, stream::unfold};
use karcis_kernel::{Timestamp, UserId};
use serde::Serialize;
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Problem, accept::prefers};

const TICK: Duration = Duration::from_millis(250);
/// Queries take up at most one fifth of the time: notifications in between share the next query.
const TIME_PER_QUERY_TIME: u32 = 5;
const COMMENT_EVERY: Duration = Duration::from_secs(15);
/// The longest that a stream lasts: timers cannot wait for an expiry that is many years away.
const MAX_STREAM: Duration = Duration::from_secs(24 * 60 * 60);
/// A person has a few windows open, at a few devices. The limit is each instance's own.
const MAX_STREAMS_PER_ACCOUNT: usize = 20;
/// When to try again: a comment may have shown by then that a client has gone.
const RETRY_STREAM_S: u32 = 15;

/// Where the versions of watched resources are queried.
#[async_trait]
pub trait Versions: Send + Sync + 'static {
    /// The versions of these ids; unknown ids are left out. The error is for the log.
    async fn versions(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, String>;
}

/// The resources that an instance's clients watch. Cheap to clone.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    /// `None` once the instance stops.
    watched: Mutex<Option<Watched>>,
    changed: Notify,
    /// How many streams each account has open; none at 0.
    streams: Mutex<HashMap<UserId, usize>>,
}

type Watched = HashMap<Uuid, watch::Sender<i64>>;

impl Live {
    /// Nothing watched yet.
    #[expect(clippy::new_without_default, reason = "a default would hide that it must be run")]
    pub fn new() -> Self {
        Self(Arc::new(Inner {
            watched: Mutex::new(Some(HashMap::new())),
            changed: Notify::new(),
            streams: Mutex::default(),
        }))
    }

    /// Queries `versions` each 250 ms while anything is watched, and at once after [`Self::notify`],
    /// until `stopping`; then ends all streams.
    pub async fn run(
        self,
        versions: Arc<dyn Versions>,
        stopping: CancellationToken,
    ) -> Result<(), Infallible> {
        stopping.run_until_cancelled(self.query_for_ever(&*versions)).await;
        *self.watched() = None;
        Ok(())
    }

    async fn query_for_ever(&self, versions: &dyn Versions) {
        loop {
            let began = Instant::now();
            self.query(versions).await;
            let pause = began.elapsed() * TIME_PER_QUERY_TIME;
            drop(timeout(TICK, self.0.changed.notified()).await);
            sleep_until(began + pause).await;
        }
    }

    async fn query(&self, versions: &dyn Versions) {
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
            Err(cause) => {
                return tracing::warn!(%cause, "the versions of live resources cannot be queried");
            }
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
                // It is gone: dropping its sender ends its streams.
                None if *sender.borrow() > 0 => drop(watched.remove(&id)),
                None => {}
            }
        }
    }

    /// Queries at once. Call it after a commit of this instance.
    pub fn notify(&self) {
        self.0.changed.notify_one();
    }

    /// The version of `id` as it rises; 0 until the first query. Closes when the instance stops.
    pub fn watch(&self, id: Uuid) -> watch::Receiver<i64> {
        match self.watched().as_mut() {
            Some(watched) => watched.entry(id).or_default().subscribe(),
            None => watch::Sender::default().subscribe(),
        }
    }

    /// One more stream of this account that watches `id`; 429 if it has 20 at this instance.
    pub fn open(&self, id: Uuid, account: UserId) -> Result<Watch, Problem> {
        let mut streams = self.0.streams();
        let of_account = streams.entry(account).or_default();
        if *of_account >= MAX_STREAMS_PER_ACCOUNT {
            return Err(Problem::too_many_requests(RETRY_STREAM_S)
                .detail("an account has at most 20 live streams at once; close one"));
        }
        *of_account += 1;
        drop(streams);
        Ok(Watch { changes: self.watch(id), account, live: self.clone() })
    }

    fn watched(&self) -> MutexGuard<'_, Option<Watched>> {
        self.0.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn streams(&self) -> MutexGuard<'_, HashMap<UserId, usize>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An account's stream, which counts until this is dropped.
pub struct Watch {
    changes: watch::Receiver<i64>,
    account: UserId,
    live: Live,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut streams = self.live.0.streams();
        if let Some(of_account) = streams.get_mut(&self.account) {
            *of_account -= 1;
            if *of_account == 0 {
                streams.remove(&self.account);
            }
        }
    }
}

/// If the client would rather have `text/event-stream` than JSON, the version it has seen by
/// `Last-Event-ID`; 0 for none.
#[derive(Debug, Clone, Copy)]
pub struct WantsStream(pub Option<i64>);

impl<S: Send + Sync> FromRequestParts<S> for WantsStream {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let seen = parts.headers.get("last-event-id");
        let seen = seen.and_then(|value| value.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
        let wants_stream = prefers(&parts.headers, "text/event-stream", "application/json");
        Ok(Self(wants_stream.then_some(seen)))
    }
}

/// A resource as a stream. `load` returns its version, the resource, and whether this is its last
/// state. The resource is sent when its version is not `seen`, and a comment every 15 s. The stream ends
/// after the last state, at `expires_at`, when the resource is gone or the instance stops. A failed load
/// is tried again at the next tick. Who has seen the last state gets 204: a browser's EventSource connects
/// again after every end, and this tells it not to (WHATWG HTML, 9.2.3).
pub async fn stream<T, F, Fut>(watch: Watch, seen: i64, expires_at: Timestamp, load: F) -> Response
where
    T: Serialize + Send + 'static,
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output = Result<Option<(i64, T, bool)>, String>> + Send + 'static,
{
    if seen > 0
        && let Ok(Some((version, _, true))) = load().await
        && version == seen
    {
        return StatusCode::NO_CONTENT.into_response();
    }
    let time_left = (expires_at - karcis_process::now()).to_std().unwrap_or_default();
    let watcher = Watcher { watch, seen, loaded: None, ended: false, load };
    let events = unfold(watcher, Watcher::next).take_until(sleep(time_left.min(MAX_STREAM)));
    let headers = [(CACHE_CONTROL, "no-store"), (HeaderName::from_static(NO_BUFFER), "no")];
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(COMMENT_EVERY));
    (headers, sse).into_response()
}

/// Makes a proxy pass on each event at once.
const NO_BUFFER: &str = "x-accel-buffering";

/// One client's stream.
struct Watcher<F> {
    watch: Watch,
    /// The version the client has.
    seen: i64,
    /// The version that the last load has covered, if there was one.
    loaded: Option<i64>,
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
            if let Some(loaded) = self.loaded {
                self.watch.changes.wait_for(|&version| version > loaded).await.ok()?;
            }
            let announced = *self.watch.changes.borrow_and_update();
            match (self.load)().await {
                Ok(None) => return None,
                Ok(Some((version, resource, is_last))) => {
                    self.ended = is_last;
                    self.loaded = Some(version.max(announced));
                    // A version above this one was never sent: the client cannot know it.
                    if version != self.seen {
                        self.seen = version;
                        let event = Event::default().id(version.to_string()).json_data(resource);
                        return Some((event, self));
                    }
                }
                Err(cause) => {
                    tracing::warn!(%cause, "a live resource cannot be loaded");
                    // Only a stop ends this wait early.
                    if timeout(TICK, self.watch.changes.wait_for(|_| false)).await.is_ok() {
                        return None;
                    }
                    self.loaded = None;
                }
            }
        }
        None
    }
}
