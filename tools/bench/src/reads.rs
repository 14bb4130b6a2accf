//! What people read most, against a bare route of axum that answers the same bytes.

use std::time::Duration;

use axum::{Router, http::header::CONTENT_TYPE, routing::get};
use futures_util::future::try_join_all;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    time::Instant,
};

use crate::{
    BenchError,
    buyers::purchase,
    report::{Percentiles, Reads},
    stack::{Event, Stack},
};

/// How many read at once.
const READERS: usize = 64;
const WARM_UP: Duration = Duration::from_secs(1);
const MEASURED: Duration = Duration::from_secs(4);

/// Reads an event, the list of events, and a booking.
pub(crate) async fn read(stack: &Stack, event: &Event) -> Result<Vec<Reads>, BenchError> {
    let token = stack.token()?;
    let booking = purchase(stack, event, &token, Instant::now()).await?.booking;
    let paths = [
        ("/events/{event_id}", stack.url("event", &format!("/events/{}", event.id))),
        ("/events", stack.url("event", "/events?limit=24")),
        ("/bookings/{booking_id}", stack.url("booking", &format!("/bookings/{booking}"))),
    ];
    let mut all = Vec::new();
    for (path, url) in paths {
        let body = stack.get(&url, &token).await?;
        let bytes = body.len();
        let (runtime, bare) = bare(body)?;
        let bare = answers(stack, &bare, &token).await?;
        let answers = answers(stack, &url, &token).await?;
        runtime.shutdown_background();
        let [per_s, bare_per_s] =
            [&answers, &bare].map(|answers| answers.len() as f64 / MEASURED.as_secs_f64());
        all.push(Reads { path, bytes, per_s, bare_per_s, took: Percentiles::of(answers) });
    }
    Ok(all)
}

/// A route that knows nothing but this answer, on threads of its own as a service has them.
fn bare(body: Vec<u8>) -> Result<(Runtime, String), BenchError> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let body = axum::body::Bytes::from(body);
    let answer = move || {
        let body = body.clone();
        async move { ([(CONTENT_TYPE, "application/json")], body) }
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}/", listener.local_addr()?);
    runtime.spawn(async move {
        axum::serve(TcpListener::from_std(listener)?, Router::new().route("/", get(answer))).await
    });
    Ok((runtime, url))
}

/// How long each answer took, each reader waiting for one before the next.
async fn answers(stack: &Stack, url: &str, token: &str) -> Result<Vec<Duration>, BenchError> {
    let from = Instant::now() + WARM_UP;
    let until = from + MEASURED;
    let reading = (0..READERS).map(async |_| {
        let mut took = vec![];
        let mut start = Instant::now();
        while start < until {
            stack.get(url, token).await?;
            let end = Instant::now();
            if end >= from {
                took.push(end - start);
            }
            start = end;
        }
        Ok::<_, BenchError>(took)
    });
    Ok(try_join_all(reading).await?.concat())
}
