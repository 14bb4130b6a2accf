//! A booking as an entry of its buyer's calendar.

use chrono::TimeDelta;
use karcis_contracts::EventFact;
use karcis_kernel::EventId;
use karcis_testkit::{Answer, eventually};
use uuid::Uuid;

use crate::{
    harness::{Booked, Buyer, TestApp},
    moved::{put_off, updated},
};

async fn entry(buyer: &Buyer, booking: Booked) -> Answer {
    buyer.get(&format!("/bookings/{}/calendar.ics", booking.id)).await
}

/// The value of the property in the entry's file.
async fn says(buyer: &Buyer, booking: Booked, property: &str) -> String {
    let answer = entry(buyer, booking).await.is(200);
    let text = answer.body.as_str().expect("a text").to_owned();
    let value = text.split("\r\n").find_map(|line| line.strip_prefix(property)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("{property} in {text}")).to_owned()
}

#[tokio::test]
async fn an_entry_says_what_is_true_of_the_booking_now() {
    let app = TestApp::start().await;
    let (buyer, event) = (app.buyer(), EventId(Uuid::now_v7()));
    let booking = buyer.books_for(event).await;
    entry(&buyer, booking).await.is_problem(404, "not-found");
    app.makes_payable(booking).await;
    buyer.waits_for(booking, "awaiting_payment").await;
    assert_eq!(says(&buyer, booking, "STATUS").await, "TENTATIVE");
    app.sells(booking).await;
    buyer.waits_for(booking, "confirmed").await;
    let file = entry(&buyer, booking).await.is(200);
    assert_eq!(file.headers["content-type"], "text/calendar; charset=utf-8");
    assert_eq!(file.headers["cache-control"], "no-store");
    for (property, value) in [
        ("UID", booking.id.to_string()),
        ("STATUS", "CONFIRMED".to_owned()),
        ("DTSTART", "20990620T123000Z".to_owned()),
        ("SUMMARY", "Concert".to_owned()),
        ("LOCATION", "Hall".to_owned()),
        ("DESCRIPTION", "2 × VIP".to_owned()),
    ] {
        assert_eq!(says(&buyer, booking, property).await, value);
    }
    let sequence =
        async || says(&buyer, booking, "SEQUENCE").await.parse::<i64>().expect("a number");
    let before = sequence().await;
    let EventFact::EventUpdated(mut fact) = updated(event, put_off(2), None) else {
        panic!("an update")
    };
    fact.ends_at = Some(put_off(2).starts_at + TimeDelta::hours(3));
    app.publishes([EventFact::from(fact)]).await;
    eventually(|| says(&buyer, booking, "SUMMARY")).is("Concert\\, postponed".to_owned()).await;
    assert_eq!(says(&buyer, booking, "DTSTART").await, "21000416T123000Z");
    assert_eq!(says(&buyer, booking, "DTEND").await, "21000416T153000Z");
    let moved = sequence().await;
    assert!(moved > before, "{moved} after {before}");
    buyer.cancels(booking).await.is(202);
    assert_eq!(says(&buyer, booking, "STATUS").await, "CANCELLED");
    assert!(sequence().await > moved);
    entry(&app.buyer(), booking).await.is_problem(404, "not-found");
    let visitor = app.visitor.get(&format!("/bookings/{}/calendar.ics", booking.id)).await;
    visitor.is_problem(401, "not-logged-in");
    app.stop().await;
}
