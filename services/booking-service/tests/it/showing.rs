//! What a buyer sees: lists and live answers.

use karcis_testkit::Answer;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::harness::{Booked, TestApp, payment_cancelled, released};

fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().expect("items").iter();
    items.map(|item| item["booking_id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn another_buyers_booking_is_not_found() {
    let app = TestApp::start().await;
    let (buyer, other) = (app.buyer(), app.buyer());
    let booking = buyer.books().await;
    let path = format!("/bookings/{}", booking.id);
    for path in [&path, &format!("{path}/timeline")] {
        other.get(path).await.is_problem(404, "not-found");
    }
    other.cancels(booking).await.is(404);
    assert_eq!(ids(&other.get("/bookings").await.body), Vec::<String>::new());
    assert_eq!(buyer.status(booking).await, "pending");
    app.stop().await;
}

#[tokio::test]
async fn bookings_are_listed_in_pages_newest_first_and_by_status() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let mut booked: Vec<Booked> = vec![];
    for _ in 0..5 {
        booked.push(buyer.books().await);
    }
    buyer.cancels(booked[1]).await;
    buyer.cancels(booked[3]).await;
    app.makes_payable(booked[2]).await;
    buyer.waits_for(booked[2], "awaiting_payment").await;

    let mut pages = vec![];
    let mut path = "/bookings?limit=2".to_owned();
    loop {
        let page = buyer.get(&path).await.body;
        pages.push(ids(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/bookings?limit=2&cursor={cursor}");
    }
    let id = |index: usize| booked[index].id.to_string();
    assert_eq!(pages, [vec![id(4), id(3)], vec![id(2), id(1)], vec![id(0)]]);
    for (status, expected) in [
        ("pending", vec![id(4), id(0)]),
        ("awaiting_payment", vec![id(2)]),
        ("cancelled", vec![id(3), id(1)]),
        ("confirmed", vec![]),
    ] {
        let list = buyer.get(&format!("/bookings?status={status}")).await.body;
        assert_eq!(ids(&list), expected, "{status}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_list_counts_the_tickets_that_a_booking_shows() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let (sold, new) = (buyer.books().await, buyer.books().await);
    app.makes_payable(sold).await;
    app.sells(sold).await;
    buyer.waits_for(sold, "confirmed").await;
    let list = buyer.get("/bookings").await.is(200).body;
    let shown = [new, sold].map(|booking| {
        list["items"].as_array().and_then(|items| {
            items.iter().find(|item| item["booking_id"] == json!(booking.id)).cloned()
        })
    });
    for (listed, (booking, count)) in shown.into_iter().zip([(new, 0), (sold, 2)]) {
        let listed = listed.expect("it is listed");
        assert_eq!((&listed["ticket_count"], &listed["tickets"]), (&json!(count), &json!([])));
        let mut whole = buyer.sees(booking).await;
        assert_eq!(whole["tickets"].as_array().map(Vec::len), Some(count));
        whole["tickets"] = json!([]);
        assert_eq!(listed, whole, "the rest is the same");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_booking_that_is_known_is_not_sent_again() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    let path = format!("/bookings/{}", booking.id);
    let known = async |tag: &str, accept: &str| {
        let request = buyer.request(Method::GET, &path).header("accept", accept);
        Answer::to(request.header("if-none-match", tag)).await
    };
    let tag = |answer: &Answer| answer.headers["etag"].to_str().expect("a tag").to_owned();
    let first = tag(&buyer.get(&path).await.is(200));
    assert_eq!(known(&first, "*/*").await.is(304).body, Value::Null);
    known(&first, "text/event-stream;q=0, application/json").await.is(304);
    buyer.cancels(booking).await;
    let cancelled = known(&first, "*/*").await.is(200);
    assert_eq!(cancelled.body["status"], "cancelled");
    known(&tag(&cancelled), "*/*").await.is(304);
    let other = app.buyer().request(Method::GET, &path).header("if-none-match", "*");
    Answer::to(other).await.is_problem(404, "not-found");
    app.stop().await;
}

/// The events of a stream, until it ends: ids and data. Meanwhile `received` has the text so far.
async fn events(
    mut answer: reqwest::Response,
    received: watch::Sender<String>,
) -> Vec<(i64, Value)> {
    while let Some(chunk) = answer.chunk().await.expect("the stream can be read") {
        let chunk = std::str::from_utf8(&chunk).expect("UTF-8");
        received.send_modify(|text| *text += chunk);
    }
    let text = received.borrow();
    let field = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(name));
        line.map(|value| value.trim_start().to_owned())
    };
    text.split("\n\n")
        .filter_map(|event| {
            assert_eq!(field(event, "event:"), None);
            let data = serde_json::from_str(&field(event, "data:")?).expect("JSON");
            Some((field(event, "id:")?.parse().expect("a version"), data))
        })
        .collect()
}

#[tokio::test]
async fn a_live_booking_is_shown_from_order_to_end() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    let path = format!("/bookings/{}", booking.id);
    let stream = |seen: Option<i64>| {
        let request = buyer.request(Method::GET, &path).header("accept", "text/event-stream");
        let request = match seen {
            Some(seen) => request.header("last-event-id", seen.to_string()),
            None => request,
        };
        async { request.send().await.expect("a stream") }
    };
    let (watching, again) = (stream(None).await, stream(Some(1)).await);
    assert_eq!(watching.headers()["content-type"], "text/event-stream");
    let (received, mut text) = watch::channel(String::new());
    let watching = tokio::spawn(events(watching, received));
    let again = tokio::spawn(events(again, watch::channel(String::new()).0));
    // A busy stream may leave out what is over before it looks.
    text.wait_for(|text| text.contains("pending")).await.expect("the stream goes on");
    app.makes_payable(booking).await;
    text.wait_for(|text| text.contains("awaiting_payment")).await.expect("the stream goes on");
    buyer.cancels(booking).await;
    app.publishes([payment_cancelled(booking)]).await;
    let seen = watching.await.expect("the stream ends at the end of the booking");
    let (first, last) = (&seen[0], &seen[seen.len() - 1]);
    assert_eq!((first.0, &first.1["status"]), (1, &json!("pending")));
    assert_eq!(last.1["status"], "cancelled");
    assert!(seen.iter().any(|(_, booking)| booking["status"] == "awaiting_payment"));
    assert!(seen.is_sorted_by(|before, after| before.0 < after.0));
    assert!(seen.iter().all(|(version, booking)| booking["version"] == *version));
    let again = again.await.expect("the stream ends");
    assert!(again.iter().all(|(version, _)| *version > 1), "what was seen is left out");
    app.receives(booking, "ReleaseTickets").await;
    app.publishes([released(booking)]).await;
    app.receives(booking, "BookingCancelled").await;
    let last = buyer.sees(booking).await["version"].as_i64().expect("a version");
    let ended = stream(Some(last)).await;
    assert_eq!(ended.status(), 204, "a browser does not connect again");
    assert_eq!(stream(Some(last - 1)).await.status(), 200);
    app.stop().await;
}

#[tokio::test]
async fn a_buyer_watches_at_most_twenty_bookings_at_once() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let path = format!("/bookings/{}", buyer.books().await.id);
    let watch = async || {
        let request = buyer.request(Method::GET, &path).header("accept", "text/event-stream");
        request.send().await.expect("an answer")
    };
    let mut watching = Vec::new();
    for _ in 0..20 {
        watching.push(watch().await);
    }
    assert!(watching.iter().all(|answer| answer.status() == 200));
    assert_eq!(watch().await.status(), 429);
    assert_eq!(buyer.get(&path).await.is(200).headers["cache-control"], "no-store");
    app.stop().await;
}
