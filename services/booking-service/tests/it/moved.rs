//! An event is moved after tickets were sold: bookings show it, and every holder is told once.

use chrono::TimeDelta;
use karcis_contracts::{
    BookingEventChanged, BookingFact, EventDeleted, EventFact, EventPublished, EventSnapshot,
    EventUpdated, TicketFact, TicketsReserved,
};
use karcis_kernel::{EventId, Timestamp, UserId};
use karcis_process::now;
use karcis_testkit::{Answer, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Booked, Buyer, TestApp, concert, held, payment_cancelled, reserved, starts_at,
};

/// The event as it was published, refundable until it starts.
pub(crate) fn published(event_id: EventId) -> EventFact {
    let EventSnapshot { title, venue, starts_at, time_zone, .. } = concert(1);
    let organiser_id = UserId(Uuid::nil());
    let refundable_until = Some(starts_at);
    EventPublished {
        event_id,
        version: 1,
        organiser_id,
        title,
        venue,
        starts_at,
        time_zone,
        refundable_until,
        ends_at: None,
    }
    .into()
}

pub(crate) fn updated(
    event_id: EventId,
    event: EventSnapshot,
    refundable_until: Option<Timestamp>,
) -> EventFact {
    let EventSnapshot { title, venue, starts_at, time_zone, version } = event;
    let (version, organiser_id) = (version.expect("a version"), UserId(Uuid::nil()));
    EventUpdated {
        event_id,
        version,
        organiser_id,
        title,
        venue,
        starts_at,
        time_zone,
        refundable_until,
        ends_at: None,
    }
    .into()
}

/// The event in this version, 300 days later, in another hall and under another title.
pub(crate) fn put_off(version: i64) -> EventSnapshot {
    EventSnapshot {
        title: "Concert, postponed".into(),
        venue: "Stadium".into(),
        starts_at: starts_at() + TimeDelta::days(300),
        ..concert(version)
    }
}

impl TestApp {
    /// The version of the event that the service has heard of.
    pub(crate) async fn knows(&self, event: EventId) -> Option<i64> {
        let version = sqlx::query_scalar("SELECT version FROM bookings.event WHERE event_id = $1");
        let version = version.bind(event.0).fetch_optional(self.environment.superuser()).await;
        version.expect("the table can be read")
    }

    /// How many events have holders who are still to be told.
    pub(crate) async fn moved_events(&self) -> i64 {
        let count = sqlx::query_scalar("SELECT count(*) FROM bookings.event WHERE open");
        count.fetch_one(self.environment.superuser()).await.expect("events can be counted")
    }

    /// The service records this version of the event, and tells everybody who has to be told.
    async fn hears(&self, fact: EventFact, event: EventId, version: i64) {
        self.publishes([fact]).await;
        eventually(|| self.knows(event)).is(Some(version)).await;
        eventually(|| self.moved_events()).is(0).await;
    }

    fn told(&self, booking: Booked) -> Vec<BookingEventChanged> {
        let facts = self.facts(booking).into_iter();
        facts
            .filter_map(|fact| match fact {
                BookingFact::BookingEventChanged(fact) => Some(fact),
                _ => None,
            })
            .collect()
    }
}

async fn confirmed(app: &TestApp, buyer: &Buyer, event: EventId) -> Booked {
    let booking = buyer.books_for(event).await;
    app.makes_payable(booking).await;
    app.sells(booking).await;
    buyer.waits_for(booking, "confirmed").await;
    booking
}

/// What is shown of the event.
fn details(event: &Value) -> Value {
    let shown = ["title", "venue", "starts_at", "time_zone"].map(|name| event[name].clone());
    json!(shown)
}

fn details_of(event: &EventSnapshot) -> Value {
    details(&serde_json::to_value(event).expect("JSON"))
}

#[tokio::test]
async fn a_moved_event_is_shown_at_once_and_its_holders_are_told_once() {
    let app = TestApp::start().await;
    let (buyer, event) = (app.buyer(), EventId(Uuid::now_v7()));
    app.hears(published(event), event, 1).await;
    let payable = buyer.books_for(event).await;
    app.makes_payable(payable).await;
    buyer.waits_for(payable, "awaiting_payment").await;
    let sold = confirmed(&app, &buyer, event).await;
    let other = confirmed(&app, &buyer, EventId(Uuid::now_v7())).await;
    let (path, before) = (format!("/bookings/{}", sold.id), buyer.sees(sold).await);
    let tag = buyer.get(&path).await.headers["etag"].to_str().expect("a tag").to_owned();
    let stream = buyer.request(Method::GET, &path).header("accept", "text/event-stream");
    let mut stream = stream.send().await.expect("a stream");

    app.hears(updated(event, put_off(2), Some(starts_at())), event, 2).await;
    for booking in [payable, sold] {
        app.receives(booking, "BookingEventChanged").await;
        let seen = buyer.sees(booking).await;
        assert_eq!(details(&seen["event"]), details_of(&put_off(2)));
        assert_eq!(
            buyer.timeline(booking).await.last().map(String::as_str),
            Some(match seen["status"].as_str() {
                Some("confirmed") => "EventChanged: confirmed BookingEventChanged",
                _ => "EventChanged: awaiting BookingEventChanged",
            })
        );
    }
    let seen = buyer.sees(sold).await;
    let [was, is] = [&before, &seen].map(|seen| seen["version"].as_i64().expect("a version"));
    assert_eq!((is, &seen["status"]), (was + 1, &json!("confirmed")));
    assert_eq!(seen["tickets"], before["tickets"]);
    let listed = buyer.get("/bookings").await.body;
    let listed = listed["items"]
        .as_array()
        .and_then(|items| items.iter().find(|item| item["booking_id"] == json!(sold.id)));
    assert_eq!(listed.map(|listed| &listed["event"]), Some(&seen["event"]));
    let known = buyer.request(Method::GET, &path).header("if-none-match", tag);
    Answer::to(known).await.is(200);
    let mut streamed = String::new();
    while !streamed.contains("postponed") {
        let chunk = stream.chunk().await.expect("the stream goes on").expect("it does not end");
        streamed += std::str::from_utf8(&chunk).expect("UTF-8");
    }
    let [told] = &app.told(sold)[..] else { panic!("told {:?}", app.told(sold)) };
    assert_eq!((&told.booked.event, &told.agreed), (&put_off(2), &concert(1)));
    assert_eq!((told.booked.total.amount, told.refundable_until), (1_000, starts_at()));

    // The fact again, an older one, and an edit of what no buyer sees: nobody hears of it.
    app.publishes([updated(event, put_off(2), None), published(event)]).await;
    app.hears(updated(event, put_off(3), None), event, 3).await;
    let after = [payable, sold].map(|booking| app.told(booking).len());
    assert_eq!((after, app.told(other).len()), ([1, 1], 0));
    assert_eq!(buyer.sees(sold).await, seen, "not even the version");

    // Where it was after all: that is news, though it looks as agreed.
    app.hears(updated(event, concert(4), None), event, 4).await;
    eventually(async || app.told(sold).len()).is(2).await;
    assert_eq!(details(&buyer.sees(sold).await["event"]), details_of(&concert(4)));
    assert_eq!(buyer.timeline(other).await.len() as i64, was);
    app.stop().await;
}

#[tokio::test]
async fn two_moves_are_told_twice_and_an_older_one_that_comes_late_changes_nothing() {
    let app = TestApp::start().await;
    let (buyer, event) = (app.buyer(), EventId(Uuid::now_v7()));
    app.hears(published(event), event, 1).await;
    let sold = confirmed(&app, &buyer, event).await;
    for version in [3, 5] {
        let moved = EventSnapshot { venue: format!("Hall {version}"), ..put_off(version) };
        app.hears(updated(event, moved.clone(), None), event, version).await;
        eventually(async || app.told(sold).last().map(|told| told.booked.event.clone()))
            .is(Some(moved))
            .await;
    }
    app.publishes([updated(event, put_off(4), None)]).await;
    // Two edits in one batch: only the newest counts, in whatever order they come.
    let [sixth, seventh] = [6, 7]
        .map(|version| EventSnapshot { venue: format!("Hall {version}"), ..put_off(version) });
    app.publishes([updated(event, seventh.clone(), None), updated(event, sixth, None)]).await;
    eventually(|| app.knows(event)).is(Some(7)).await;
    eventually(|| app.moved_events()).is(0).await;
    eventually(async || app.told(sold).len()).is(3).await;
    assert_eq!(app.told(sold)[2].booked.event, seventh);
    assert_eq!(details(&buyer.sees(sold).await["event"]), details_of(&seventh));
    app.stop().await;
}

#[tokio::test]
async fn an_edit_of_what_no_buyer_sees_tells_nobody() {
    let app = TestApp::start().await;
    let (buyer, event) = (app.buyer(), EventId(Uuid::now_v7()));
    app.hears(published(event), event, 1).await;
    let sold = confirmed(&app, &buyer, event).await;
    let before = buyer.sees(sold).await;
    app.hears(updated(event, concert(2), Some(starts_at())), event, 2).await;
    assert_eq!((buyer.sees(sold).await, app.told(sold).len()), (before, 0));
    app.stop().await;
}

#[tokio::test]
async fn cancelling_is_possible_until_the_later_of_what_was_agreed_and_what_is_true_now() {
    let app = TestApp::start().await;
    let (buyer, event) = (app.buyer(), EventId(Uuid::now_v7()));
    let hour = TimeDelta::hours(1);
    let sold = buyer.books_for(event).await;
    app.publishes([reserved(sold, 0, -1)]).await;
    buyer.waits_for(sold, "confirming").await;
    for (version, refundable_until) in [(2, Some(now() - hour)), (3, None)] {
        app.hears(updated(event, put_off(version), refundable_until), event, version).await;
        buyer.cancels(sold).await.is_problem(409, "refund-window-closed");
        assert_eq!(buyer.sees(sold).await["can"], json!([]));
    }
    let until = starts_at();
    app.hears(updated(event, put_off(4), Some(until)), event, 4).await;
    // An older release does not say it: what is known stays.
    app.hears(updated(event, put_off(5), None), event, 5).await;
    let seen = buyer.sees(sold).await;
    assert_eq!((&seen["can"], &seen["refundable_until"]), (&json!(["cancel"]), &json!(until)));
    assert_eq!(buyer.cancels(sold).await.is(202).body["status"], "cancelled");

    // What was agreed stays, whatever the organiser says later.
    let agreed = buyer.books_for(event).await;
    app.publishes([TicketFact::from(held(agreed, 0))]).await;
    buyer.waits_for(agreed, "confirming").await;
    app.hears(updated(event, put_off(6), Some(now() - hour)), event, 6).await;
    assert_eq!(buyer.sees(agreed).await["refundable_until"], json!(until));
    assert_eq!(buyer.cancels(agreed).await.is(202).body["status"], "cancelled");
    app.stop().await;
}

#[tokio::test]
async fn a_booking_whose_seats_were_looked_for_is_told_if_it_got_them_as_they_were_before() {
    let app = TestApp::start().await;
    let (buyer, event) = (app.buyer(), EventId(Uuid::now_v7()));
    app.hears(published(event), event, 1).await;
    let (older, newer) = (buyer.books_for(event).await, buyer.books_for(event).await);
    app.publishes([updated(event, put_off(2), None)]).await;
    eventually(|| app.knows(event)).is(Some(2)).await;
    assert_eq!(details(&buyer.sees(older).await["event"]), json!([(); 4].map(|()| Value::Null)));
    assert_eq!(app.moved_events().await, 1, "not all know it");
    app.publishes([TicketFact::from(held(older, 500))]).await;
    app.receives(older, "BookingEventChanged").await;
    // An edit that no buyer sees, while one is still waited for.
    app.publishes([updated(event, put_off(3), None)]).await;
    eventually(|| app.knows(event)).is(Some(3)).await;
    let held = TicketsReserved { event: put_off(2), ..held(newer, 500) };
    app.publishes([TicketFact::from(held)]).await;
    app.receives(newer, "RequestPayment").await;
    eventually(|| app.moved_events()).is(0).await;
    assert_eq!([older, newer].map(|booking| app.told(booking).len()), [1, 0]);
    for booking in [older, newer] {
        assert_eq!(details(&buyer.sees(booking).await["event"]), details_of(&put_off(3)));
    }
    app.stop().await;
}

#[tokio::test]
async fn a_booking_that_is_paid_while_its_deadline_cancels_it_is_told_later() {
    let app = TestApp::start().await;
    let (buyer, event) = (app.buyer(), EventId(Uuid::now_v7()));
    app.hears(published(event), event, 1).await;
    let (paid, unpaid) = (buyer.books_for(event).await, buyer.books_for(event).await);
    for booking in [paid, unpaid] {
        app.makes_payable(booking).await;
        buyer.waits_for(booking, "awaiting_payment").await;
    }
    app.ends_deadlines(&[paid, unpaid]).await;
    for booking in [paid, unpaid] {
        buyer.waits_for(booking, "cancelling").await;
    }
    app.publishes([updated(event, put_off(2), None)]).await;
    eventually(|| app.knows(event)).is(Some(2)).await;
    app.publishes([payment_cancelled(unpaid)]).await;
    buyer.waits_for(unpaid, "cancelled").await;
    assert_eq!(app.moved_events().await, 1, "one may still get its seats");
    app.publishes([crate::harness::paid(paid)]).await;
    app.receives(paid, "BookingEventChanged").await;
    eventually(|| app.moved_events()).is(0).await;
    assert_eq!(app.told(unpaid).len(), 0);
    app.stop().await;
}

#[tokio::test]
async fn a_deleted_event_is_forgotten() {
    let app = TestApp::start().await;
    let (event, stays) = (EventId(Uuid::now_v7()), EventId(Uuid::now_v7()));
    app.publishes([published(event), published(stays)]).await;
    eventually(|| app.knows(event)).is(Some(1)).await;
    app.publishes([EventFact::from(EventDeleted { event_id: event })]).await;
    eventually(|| app.knows(event)).is(None).await;
    eventually(|| app.knows(stays)).is(Some(1)).await;
    app.stop().await;
}
