//! Live streams as a client reads them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use async_trait::async_trait;
use axum::{
    Json, Router,
    response::{IntoResponse, Response},
    routing::get,
};
use chrono::TimeDelta;
use karcis_http::{Caller, Live, PathId, TokenKeys, Versions, WantsStream, stream};
use karcis_kernel::{Role, Timestamp, UserId};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::harness::{AT_ONCE, ProblemResponse, Signer, TestApp, thing_service, token};

/// What is watched: the versions by id. `LAST` is the version of the last state.
#[derive(Clone, Default)]
struct Things(Arc<Inner>);

#[derive(Default)]
struct Inner {
    versions: Mutex<HashMap<Uuid, i64>>,
    /// The number of ids in each query.
    queries: Mutex<Vec<usize>>,
    loads: Mutex<usize>,
    failures: Mutex<usize>,
    asked: Notify,
}

const LAST: i64 = 9;

#[async_trait]
impl Versions for Things {
    async fn versions(&self, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, String> {
        self.0.queries.lock().unwrap().push(ids.len());
        self.0.asked.notify_waiters();
        if self.fails() {
            return Err("no database".to_owned());
        }
        let versions = self.0.versions.lock().unwrap();
        Ok(ids.iter().filter_map(|id| Some((*id, *versions.get(id)?))).collect())
    }
}

impl Things {
    fn fails(&self) -> bool {
        let mut failures = self.0.failures.lock().unwrap();
        let fails = *failures > 0;
        *failures = failures.saturating_sub(1);
        fails
    }

    fn set(&self, id: Uuid, version: i64) {
        self.0.versions.lock().unwrap().insert(id, version);
    }

    async fn load(self, id: Uuid) -> Result<Option<(i64, Value, bool)>, String> {
        *self.0.loads.lock().unwrap() += 1;
        if self.fails() {
            return Err("no database".to_owned());
        }
        let version = self.0.versions.lock().unwrap().get(&id).copied();
        Ok(version.map(|version| (version, json!({"version": version}), version == LAST)))
    }

    async fn asked_for(&self, ids: usize) {
        loop {
            let asked = self.0.asked.notified();
            if self.0.queries.lock().unwrap().last() == Some(&ids) {
                return;
            }
            asked.await;
        }
    }
}

/// An app with live things, whose streams end at `expires_at`. Clients without a token have an account
/// each.
async fn open(things: &Things, live: &Live, expires_at: Timestamp) -> TestApp {
    let (watched, watching) = (things.clone(), live.clone());
    let response = async move |PathId(id): PathId,
                               caller: Option<Caller>,
                               wants: WantsStream|
                -> Response {
        let things = watched.clone();
        let account = caller.map_or_else(|| UserId(Uuid::now_v7()), |caller| caller.user_id);
        match wants.0 {
            Some(seen) => match watching.open(id, account) {
                Ok(watch) => stream(watch, seen, expires_at, move || things.clone().load(id)).await,
                Err(problem) => problem.into_response(),
            },
            None => Json(things.load(id).await.unwrap().map(|found| found.1)).into_response(),
        }
    };
    let routes = Router::new().route("/things/{id}", get(response));
    let app =
        TestApp::of(thing_service(routes, TokenKeys::own(&Signer::new("k1", 1).keys()))).await;
    tokio::spawn(live.clone().run(Arc::new(things.clone()), app.stopping.clone()));
    app
}

fn in_an_hour() -> Timestamp {
    karcis_process::now() + TimeDelta::hours(1)
}

/// A client's end of a stream.
struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn of(request: RequestBuilder) -> Self {
        let response = request.header("accept", "text/event-stream").send().await.unwrap();
        assert_eq!(response.status(), 200);
        Self { response, text: String::new() }
    }

    /// The next event's lines; `None` at the end.
    async fn next(&mut self) -> Option<Vec<String>> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let lines: Vec<_> = event.lines().map(str::to_owned).collect();
                self.text = rest.to_owned();
                if lines.iter().any(|line| !line.starts_with(':')) {
                    return Some(lines);
                }
                continue;
            }
            let chunk = self.response.chunk().await.expect("no broken stream")?;
            self.text.push_str(str::from_utf8(&chunk).unwrap());
        }
    }

    async fn version(&mut self) -> Option<i64> {
        let lines = self.next().await?;
        let field = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name));
        let id: i64 = field("id: ").expect("an id").parse().unwrap();
        assert_eq!(field("data: "), Some(json!({"version": id}).to_string().as_str()));
        assert_eq!(lines.len(), 2, "no event name: {lines:?}");
        Some(id)
    }
}

#[tokio::test]
async fn a_stream_sends_the_state_then_each_change_and_ends_with_the_last() {
    let (things, live, id) = (Things::default(), Live::new(), Uuid::now_v7());
    things.set(id, 3);
    let app = open(&things, &live, in_an_hour()).await;
    let path = format!("/things/{id}");
    let mut events = Events::of(app.get(&path)).await;
    let headers = events.response.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(headers["x-accel-buffering"], "no");
    assert_eq!(events.version().await, Some(3));
    things.set(id, 4);
    assert_eq!(events.version().await, Some(4), "found by the tick");
    things.set(id, 7);
    live.notify();
    assert_eq!(events.version().await, Some(7));
    things.set(id, LAST);
    live.notify();
    assert_eq!(events.version().await, Some(LAST));
    assert_eq!(events.next().await, None, "the last state ends it");

    let plain = app.get(&path).send().await.unwrap();
    assert_eq!(plain.json::<Value>().await.unwrap(), json!({"version": LAST}));
}

#[tokio::test]
async fn what_the_client_has_seen_is_not_sent() {
    let (things, live, id) = (Things::default(), Live::new(), Uuid::now_v7());
    things.set(id, 3);
    let app = open(&things, &live, in_an_hour()).await;
    let path = format!("/things/{id}");
    let from = |seen: &str| Events::of(app.get(&path).header("last-event-id", seen));

    assert_eq!(from("2").await.version().await, Some(3));
    assert_eq!(from("what?").await.version().await, Some(3));
    let mut current = from("3").await;
    things.asked_for(1).await;
    things.set(id, 5);
    assert_eq!(current.version().await, Some(5), "3 is left out");
}

#[tokio::test]
async fn a_version_that_was_never_sent_is_not_known() {
    let (things, live) = (Things::default(), Live::new());
    let app = open(&things, &live, in_an_hour()).await;
    for never_sent in ["4", "1000", "9223372036854775807"] {
        let id = Uuid::now_v7();
        things.set(id, 3);
        let request = app.get(&format!("/things/{id}")).header("last-event-id", never_sent);
        let mut events = Events::of(request).await;
        assert_eq!(events.version().await, Some(3), "{never_sent}");
        things.set(id, 4);
        assert_eq!(events.version().await, Some(4), "{never_sent}");
    }
}

#[tokio::test]
async fn an_event_source_connects_again_until_it_has_the_last_state() {
    let (things, live, id) = (Things::default(), Live::new(), Uuid::now_v7());
    things.set(id, 3);
    let app = open(&things, &live, in_an_hour()).await;
    let connect = |seen: &str| {
        let request = app.get(&format!("/things/{id}")).header("accept", "text/event-stream");
        if seen.is_empty() { request } else { request.header("last-event-id", seen) }
    };
    let first = connect("").send().await.unwrap();
    assert_eq!(first.status(), 200, "it loses this connection");
    things.set(id, LAST);

    // WHATWG HTML: after an end it connects again with the last id, unless the answer is not 200.
    let (mut seen, mut versions) = ("3".to_owned(), Vec::new());
    let end = loop {
        let response = connect(&seen).send().await.unwrap();
        if response.status() != 200 {
            break response;
        }
        let mut events = Events { response, text: String::new() };
        while let Some(version) = events.version().await {
            seen = version.to_string();
            versions.push(version);
        }
        assert!(versions.len() < 5, "it has no end: {versions:?}");
    };
    assert_eq!((end.status().as_u16(), versions), (204, vec![LAST]));
    assert_eq!(end.bytes().await.unwrap().len(), 0);
    let later = (LAST + 1).to_string();
    assert_eq!(connect(&later).send().await.unwrap().status(), 200, "it was never sent");
    assert_eq!(connect("8").send().await.unwrap().status(), 200, "it has not seen the last state");

    let plain = app.get(&format!("/things/{id}")).header("last-event-id", seen);
    assert_eq!(plain.send().await.unwrap().status(), 200, "only streams end");
}

#[tokio::test]
async fn the_first_state_does_not_wait_for_a_tick() {
    let (things, id) = (Things::default(), Uuid::now_v7());
    things.set(id, 1);
    let (watched, never_run) = (things.clone(), Live::new());
    let routes = Router::new().route(
        "/thing",
        get(async move || {
            let things = watched.clone();
            let watch = never_run.open(id, UserId(Uuid::now_v7())).unwrap();
            stream(watch, 0, in_an_hour(), move || things.clone().load(id)).await
        }),
    );
    let app =
        TestApp::of(thing_service(routes, TokenKeys::own(&Signer::new("k1", 1).keys()))).await;
    assert_eq!(Events::of(app.get("/thing")).await.version().await, Some(1));
}

#[tokio::test]
async fn a_stream_ends_when_the_token_expires() {
    let (things, live, id) = (Things::default(), Live::new(), Uuid::now_v7());
    things.set(id, 1);
    let expires_at = karcis_process::now() + TimeDelta::seconds(5);
    let app = open(&things, &live, expires_at).await;
    let mut events = Events::of(app.get(&format!("/things/{id}"))).await;
    assert_eq!(events.version().await, Some(1));
    assert_eq!(events.next().await, None);
    assert!(karcis_process::now() >= expires_at);
    assert!(karcis_process::now() < expires_at + TimeDelta::seconds(60));
}

#[tokio::test]
async fn a_stream_ends_when_the_thing_is_gone() {
    let (things, live, id) = (Things::default(), Live::new(), Uuid::now_v7());
    things.set(id, 1);
    let app = open(&things, &live, in_an_hour()).await;
    let mut events = Events::of(app.get(&format!("/things/{id}"))).await;
    assert_eq!(events.version().await, Some(1));
    things.asked_for(1).await;
    things.0.versions.lock().unwrap().remove(&id);
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn a_stop_ends_every_stream_and_is_not_delayed_by_them() {
    let (things, live, id) = (Things::default(), Live::new(), Uuid::now_v7());
    things.set(id, 1);
    let app = open(&things, &live, in_an_hour()).await;
    let mut events = Events::of(app.get(&format!("/things/{id}"))).await;
    assert_eq!(events.version().await, Some(1));
    app.stops_within(AT_ONCE).await;
    assert_eq!(events.next().await, None);
    assert!(live.watch(id).changed().await.is_err(), "later watchers do not wait");
}

#[tokio::test]
async fn a_failed_load_or_query_is_tried_again() {
    let (things, live, id) = (Things::default(), Live::new(), Uuid::now_v7());
    things.set(id, 1);
    *things.0.failures.lock().unwrap() = 3;
    let app = open(&things, &live, in_an_hour()).await;
    let mut events = Events::of(app.get(&format!("/things/{id}"))).await;
    assert_eq!(events.version().await, Some(1));
    things.set(id, 2);
    assert_eq!(events.version().await, Some(2));
}

#[tokio::test]
async fn a_comment_every_fifteen_seconds_keeps_a_quiet_stream_open() {
    let (things, live, id) = (Things::default(), Live::new(), Uuid::now_v7());
    things.set(id, 1);
    let app = open(&things, &live, in_an_hour()).await;
    let began = Instant::now();
    let mut events = Events::of(app.get(&format!("/things/{id}"))).await;
    assert_eq!(events.version().await, Some(1));
    let comment = events.response.chunk().await.unwrap().expect("a comment");
    assert!(comment.starts_with(b":"), "{comment:?}");
    assert!((15..30).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
    things.set(id, 2);
    assert_eq!(events.version().await, Some(2));
}

#[tokio::test]
async fn many_watchers_cost_one_query_a_tick() {
    const MANY: usize = 100;
    let (things, live) = (Things::default(), Live::new());
    let ids: Vec<Uuid> = (0..MANY).map(|_| Uuid::now_v7()).collect();
    ids.iter().for_each(|id| things.set(*id, 1));
    let app = open(&things, &live, in_an_hour()).await;
    let began = Instant::now();
    let mut streams = Vec::new();
    for id in &ids {
        let mut events = Events::of(app.get(&format!("/things/{id}"))).await;
        assert_eq!(events.version().await, Some(1));
        streams.push(events);
    }
    things.asked_for(MANY).await;
    ids.iter().for_each(|id| things.set(*id, 2));
    for _ in 0..50 {
        live.notify();
    }
    for events in &mut streams {
        assert_eq!(events.version().await, Some(2));
    }
    let queries = things.0.queries.lock().unwrap().len() as u128;
    let ticks = began.elapsed().as_millis() / 250;
    assert!(queries <= ticks + 3, "{queries} queries in {ticks} ticks");
    assert_eq!(*things.0.loads.lock().unwrap(), 2 * MANY, "a load per change and client");

    streams.truncate(1);
    things.asked_for(1).await;
}

#[tokio::test]
async fn an_account_has_at_most_twenty_streams() {
    let (things, live, id) = (Things::default(), Live::new(), Uuid::now_v7());
    things.set(id, 1);
    let app = open(&things, &live, in_an_hour()).await;
    let (sari, budi) = (token(Role::Buyer), token(Role::Buyer));
    let watch = |token: &str| app.get(&format!("/things/{id}")).bearer_auth(token);
    let mut streams = Vec::new();
    for _ in 0..20 {
        streams.push(Events::of(watch(&sari)).await);
    }
    let one_more = || watch(&sari).header("accept", "text/event-stream");
    let refused = one_more().send().await.unwrap();
    assert_eq!(refused.status(), 429, "a stream would have no end");
    let problem = ProblemResponse::parse(refused).await;
    problem.is(429, "too-many-requests");
    assert_eq!(problem.headers["retry-after"], "15");
    assert_eq!(watch(&sari).send().await.unwrap().status(), 200, "other requests are answered");
    Events::of(watch(&budi)).await;

    streams.pop();
    while one_more().send().await.unwrap().status() == 429 {
        tokio::task::yield_now().await;
    }
}
