//! Tickets are mailed when a booking is confirmed, and when its buyer asks for them again.

use karcis_contracts::{Booked as What, TicketMail, TicketMailRequested};
use karcis_testkit::{Answer, eventually};
use serde_json::json;

use crate::harness::{Booked, Buyer, TestApp, concert, refunded, released, tickets};

async fn asks(buyer: &Buyer, booking: Booked) -> Answer {
    buyer.post(&format!("/bookings/{}/resend", booking.id), &json!({})).await
}

async fn confirmed(app: &TestApp, buyer: &Buyer) -> Booked {
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    app.sells(booking).await;
    buyer.waits_for(booking, "confirmed").await;
    booking
}

#[tokio::test]
async fn tickets_are_mailed_once_and_again_when_their_buyer_asks() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = confirmed(&app, &buyer).await;
    let mails = async || app.ticket_mails(booking).len();
    eventually(mails).is(1).await;
    let version = buyer.sees(booking).await["version"].as_i64().expect("a version");
    asks(&buyer, booking).await.is(202);
    eventually(mails).is(2).await;
    let [TicketMail::TicketMailRequested(first), TicketMail::TicketMailRequested(again)] =
        &app.ticket_mails(booking)[..]
    else {
        panic!("two e-mails")
    };
    let What { event, total, .. } = first.booked.clone();
    assert_eq!((event, total.amount), (concert(1), 1_000));
    assert_eq!((&first.tickets, first.asked_at), (&tickets(booking), None));
    assert_eq!(first.user_id, buyer.user_id);
    assert!(again.asked_at.is_some());
    assert_eq!(*first, TicketMailRequested { asked_at: None, ..again.clone() });
    let seen = buyer.sees(booking).await;
    assert_eq!(seen["version"], version, "the booking stays as it is");
    app.stop().await;
}

#[tokio::test]
async fn only_the_buyer_of_a_confirmed_booking_gets_tickets_again() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let new = buyer.books().await;
    asks(&buyer, new).await.is_problem(409, "booking-not-confirmed");
    let booking = confirmed(&app, &buyer).await;
    asks(&app.buyer(), booking).await.is_problem(404, "not-found");
    let path = format!("/bookings/{}/resend", booking.id);
    app.visitor.post(&path, &json!({})).await.is_problem(401, "not-logged-in");
    buyer.cancels(booking).await.is(202);
    asks(&buyer, booking).await.is_problem(409, "booking-not-confirmed");
    app.receives(booking, "ReleaseTickets").await;
    app.publishes([refunded(booking)]).await;
    app.publishes([released(booking)]).await;
    app.receives(booking, "BookingCancelled").await;
    assert_eq!(app.ticket_mails(booking).len(), 1);
    app.stop().await;
}

#[tokio::test]
async fn tickets_come_again_three_times_an_hour() {
    let app = TestApp::start_with(&["--rate-limits", "on", "--resend-after", "10m"]).await;
    let buyer = app.buyer();
    let (booking, other) = (confirmed(&app, &buyer).await, confirmed(&app, &buyer).await);
    for _ in 0..5 {
        // Somebody else uses nothing of it up.
        asks(&app.buyer(), booking).await.is_problem(404, "not-found");
    }
    for _ in 0..3 {
        asks(&buyer, booking).await.is(202);
    }
    let refused = asks(&buyer, booking).await.is_problem(429, "too-many-requests");
    assert!(refused.headers.contains_key("retry-after"));
    asks(&buyer, other).await.is(202);
    app.stop().await;
}
