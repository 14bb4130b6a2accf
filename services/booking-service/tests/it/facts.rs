//! What bookings tell everybody: the event, the tickets and the money.

use karcis_contracts::{
    Booked as What, BookingCancelled, BookingConfirmed, BookingFact, BookingRejected,
    BookingReserved, EventCancelled, EventFact, EventSnapshot, RejectReason, ReservedItem,
    TicketFact, TicketsRejected,
};
use karcis_kernel::{Currency, EventId, Money};
use karcis_testkit::eventually;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    harness::{Booked, TestApp, concert, held, refunded, released},
    moved::{published, updated},
};

/// Both tickets, of this event.
fn both(booking: Booked, event: EventSnapshot, price: i64) -> What {
    let unit_price = Money::new(price, Currency::Idr);
    let items = vec![ReservedItem {
        ticket_type_id: booking.ticket_type_id,
        name: "VIP".into(),
        quantity: 2,
        unit_price,
    }];
    What { event, items, total: Money::new(2 * price, Currency::Idr) }
}

#[tokio::test]
async fn what_a_buyer_has_and_has_to_pay_is_told_with_each_step() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    let (booking_id, event_id, user_id) = (booking.id, booking.event_id, buyer.user_id);
    app.makes_payable(booking).await;
    app.receives(booking, "BookingReserved").await;
    let seen = buyer.sees(booking).await;
    let pay_by = seen["pay_by"].as_str().expect("a time").parse().expect("RFC 3339");
    app.sells(booking).await;
    app.receives(booking, "BookingConfirmed").await;
    buyer.cancels(booking).await.is(202);
    app.receives(booking, "ReleaseTickets").await;
    app.publishes([refunded(booking)]).await;
    app.publishes([released(booking)]).await;
    app.receives(booking, "BookingCancelled").await;
    let booked = both(booking, concert(1), 500);
    let facts = app.facts(booking);
    let expected: [BookingFact; 3] = [
        BookingReserved { booking_id, user_id, event_id, booked: booked.clone(), pay_by }.into(),
        BookingConfirmed {
            booking_id,
            user_id,
            event_id,
            booked: Some(booked.clone()),
            tickets_are_mailed: true,
        }
        .into(),
        BookingCancelled {
            booking_id,
            user_id,
            event_id,
            reason: "cancelled_by_buyer".to_owned(),
            refunded: Some(booked.total),
            booked: Some(booked),
            event_cancel_reason: None,
        }
        .into(),
    ];
    assert_eq!(facts[1..], expected);
    app.stop().await;
}

#[tokio::test]
async fn a_free_booking_never_waits_to_be_paid_and_gets_no_money_back() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.publishes([TicketFact::from(held(booking, 0))]).await;
    app.receives(booking, "ConfirmTickets").await;
    buyer.cancels(booking).await.is(202);
    app.publishes([released(booking)]).await;
    app.receives(booking, "BookingCancelled").await;
    assert_eq!(app.count(booking, "BookingReserved"), 0);
    let Some(BookingFact::BookingCancelled(fact)) = app.facts(booking).pop() else {
        panic!("not cancelled")
    };
    assert_eq!((fact.refunded, fact.booked), (None, Some(both(booking, concert(1), 0))));
    app.stop().await;
}

#[tokio::test]
async fn a_rejected_booking_names_its_event_if_it_is_known() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let (known, unknown) = (EventId(Uuid::now_v7()), EventId(Uuid::now_v7()));
    app.publishes([published(known)]).await;
    eventually(|| app.knows(known)).is(Some(1)).await;
    for (event_id, event) in [(known, Some(concert(1))), (unknown, None)] {
        let booking = buyer.books_for(event_id).await;
        let (booking_id, reason) = (booking.id, RejectReason::SoldOut);
        app.publishes([TicketFact::from(TicketsRejected { booking_id, event_id, reason })]).await;
        app.receives(booking, "BookingRejected").await;
        let (user_id, reason) = (buyer.user_id, "sold_out".to_owned());
        let fact = BookingRejected { booking_id, user_id, event_id, reason, event };
        assert_eq!(app.facts(booking).pop(), Some(fact.into()));
    }
    app.stop().await;
}

#[tokio::test]
async fn why_an_event_is_cancelled_is_shown_and_told_whatever_is_said_later() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    // Of one event the details are known, of the other nothing.
    let events = [EventId(Uuid::now_v7()), EventId(Uuid::now_v7())];
    app.publishes([published(events[0])]).await;
    eventually(|| app.knows(events[0])).is(Some(1)).await;
    for event_id in events {
        let booking = buyer.books_for(event_id).await;
        app.makes_payable(booking).await;
        app.sells(booking).await;
        buyer.waits_for(booking, "confirmed").await;
        assert_eq!(buyer.sees(booking).await["event"]["cancel_reason"], Value::Null);
        let cancelled =
            |reason: &str| EventFact::from(EventCancelled { event_id, reason: reason.to_owned() });
        app.publishes([cancelled("the stage was flooded"), cancelled("something else")]).await;
        app.receives(booking, "ReleaseTickets").await;
        let seen = buyer.sees(booking).await;
        assert_eq!(seen["event"]["cancel_reason"], "the stage was flooded");
        assert_eq!(seen["event"]["title"], "Concert");
        // What is edited and said again after that changes nothing of it, and tells nobody.
        app.publishes([updated(
            event_id,
            EventSnapshot { title: "New".into(), ..concert(2) },
            None,
        )])
        .await;
        app.publishes([cancelled("something else")]).await;
        eventually(|| app.knows(event_id)).is(Some(2)).await;
        app.publishes([refunded(booking)]).await;
        app.publishes([released(booking)]).await;
        app.receives(booking, "BookingCancelled").await;
        let Some(BookingFact::BookingCancelled(fact)) = app.facts(booking).pop() else {
            panic!("not cancelled")
        };
        assert_eq!(fact.event_cancel_reason.as_deref(), Some("the stage was flooded"));
        assert_eq!(fact.reason, "event_cancelled");
        assert_eq!(fact.refunded, Some(Money::new(1_000, Currency::Idr)));
        assert_eq!(app.count(booking, "BookingEventChanged"), 0);
        let seen = buyer.sees(booking).await;
        assert_eq!(seen["event"]["cancel_reason"], "the stage was flooded");
    }
    app.stop().await;
}
