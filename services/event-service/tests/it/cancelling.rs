//! A cancelled event is announced again and again until its seats are free.

use karcis_contracts::{EventFact, TicketFact};
use karcis_testkit::{Answer, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Concert, TestApp, plan, with};

fn announced(app: &TestApp, event: &Concert) -> usize {
    let facts = app.facts(event.id);
    let cancelled = facts.iter().filter_map(|fact| match fact {
        EventFact::EventCancelled(cancelled) => Some(&cancelled.reason),
        _ => None,
    });
    cancelled.inspect(|reason| assert_eq!(*reason, "rain")).count()
}

/// Whether the service means to announce it again.
async fn is_due(app: &TestApp, event: &Concert) -> bool {
    let select = "SELECT announce_at IS NOT NULL FROM events.event WHERE event_id = $1";
    let due =
        sqlx::query_scalar(select).bind(event.id.0).fetch_one(app.environment.superuser()).await;
    due.expect("the event is stored")
}

#[tokio::test]
async fn a_cancelled_event_is_announced_until_its_last_seat_is_free() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let (held, sold) = (event.reserve(1), event.reserve(2));
    app.ask(held.clone()).await;
    app.ask(sold.clone()).await;
    app.ask(event.confirm(sold.booking_id)).await;

    let cancel = with(event.named(), json!({"reason": "rain"}));
    let answer = organiser.post("/event/cancel", &cancel).await.is(202);
    assert_eq!(answer.body["status"], "cancelled");
    let again = with(event.named(), json!({"reason": "another"}));
    let same = organiser.post("/event/cancel", &again).await.is(202);
    assert_eq!(same.body["version"], answer.body["version"]);
    eventually(async || announced(&app, &event) >= 2).is(true).await;

    // A payment that was under way still gets its seats, which are taken back right after.
    let confirmed = app.ask(event.confirm(held.booking_id)).await;
    assert!(matches!(confirmed, TicketFact::TicketsConfirmed(_)));
    app.ask(event.release(sold.booking_id)).await;
    let so_far = announced(&app, &event);
    eventually(async || announced(&app, &event) > so_far).is(true).await;
    assert!(is_due(&app, &event).await, "a seat is still taken");

    app.ask(event.release(held.booking_id)).await;
    eventually(async || is_due(&app, &event).await).is(false).await;
    assert_eq!(app.stock(event.types[0]).await, (10, 0, 0));
    app.stop().await;
}

#[tokio::test]
async fn everybody_who_sees_a_cancelled_event_reads_the_reason() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    assert_eq!(event.body["cancel_reason"], Value::Null);
    let path = format!("/events/{}", event.id);
    let put = async |whole: &Value| {
        Answer::to(organiser.request(Method::PUT, "/event/update").json(whole)).await
    };
    let given = "  Banjir di Senayan. Uang kembali.\r\n";
    let reason = given.trim();
    let early = put(&with(event.body.clone(), json!({"cancel_reason": reason}))).await;
    assert!(early.is_about("cancel_reason").body.to_string().contains("/event/cancel"));
    let cancel = with(event.named(), json!({"reason": given}));
    let cancelled = organiser.post("/event/cancel", &cancel).await.is(202).body;
    let seen = app.visitor().get(&path).await.is(200).body;
    let list = app.visitor().get("/events?status=cancelled").await.is(200).body;
    let own = organiser.get("/events?organiser=me").await.is(200).body;
    for shown in [&cancelled, &seen, &list["items"][0], &own["items"][0]] {
        assert_eq!(shown["cancel_reason"], reason, "{shown}");
    }
    assert_eq!(put(&seen).await.is(200).body["version"], seen["version"], "as it was shown");
    for other in [json!("snow"), json!(""), Value::Null] {
        let changed = put(&with(seen.clone(), json!({"cancel_reason": other}))).await;
        let message = changed.is_about("cancel_reason").body["errors"][0]["message"].to_string();
        assert!(message.contains("keeps its first reason"), "{message}");
    }
    put(&with(seen, json!({"cancel_reason": 7}))).await.is_about("cancel_reason");
    app.stop().await;
}

#[tokio::test]
async fn a_reason_that_an_older_release_took_is_announced_again_too() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    app.ask(event.reserve(1)).await;
    let turned_around = "niar\u{202e} rain";
    let older = "
        UPDATE events.event
        SET stage = 'cancelled', cancel_reason = $2, announced = 1, announce_at = created_at
        WHERE event_id = $1";
    let older = sqlx::query(older).bind(event.id.0).bind(turned_around);
    older.execute(app.environment.superuser()).await.expect("the event is stored");
    let told = async || {
        app.facts(event.id).into_iter().any(|fact| {
        matches!(fact, EventFact::EventCancelled(cancelled) if cancelled.reason == turned_around)
    })
    };
    eventually(told).is(true).await;
    app.stop().await;
}

#[tokio::test]
async fn an_event_without_bookings_is_announced_once() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let cancel = with(event.named(), json!({"reason": "rain"}));
    organiser.post("/event/cancel", &cancel).await.is(202);
    eventually(async || is_due(&app, &event).await).is(false).await;
    eventually(async || announced(&app, &event)).is(1).await;
    app.stop().await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_holds_up_no_other() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let unreadable = app.made(&organiser, &plan(10)).await;
    let cancel_without_reason = "
        UPDATE events.event
        SET stage = 'cancelled', cancel_reason = '', announced = 1, announce_at = created_at
        WHERE event_id = $1";
    sqlx::query(cancel_without_reason)
        .bind(unreadable.id.0)
        .execute(app.environment.superuser())
        .await
        .expect("the event is stored");

    let other = app.made(&organiser, &plan(10)).await;
    app.ask(other.reserve(1)).await;
    let cancel = with(other.named(), json!({"reason": "rain"}));
    organiser.post("/event/cancel", &cancel).await.is(202);
    eventually(async || announced(&app, &other) >= 2).is(true).await;
    assert_eq!(announced(&app, &unreadable), 0);
    app.stop().await;
}
