//! From the order to the tickets.

use karcis_contracts::{PaymentFact, PaymentFailed, TicketFact, TicketsConfirmed};
use karcis_kernel::{BookingId, EventId, Role, TicketTypeId, UserId};
use karcis_schemas::BOOKINGS;
use karcis_testkit::{Answer, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{
    Booked, TestApp, codes, confirmed, id_of, issued, order, paid, payment, refunded, released,
    requested, reserved, tickets,
};

#[tokio::test]
async fn a_booking_is_reserved_paid_and_confirmed() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    let new = buyer.sees(booking).await;
    assert_eq!((&new["status"], &new["can"]), (&json!("pending"), &json!(["cancel"])));
    for unknown in ["reason", "total", "pay_by", "refundable_until", "refund"] {
        assert_eq!(new[unknown], Value::Null, "{unknown}");
    }
    assert_eq!(new["event"]["title"], Value::Null);
    assert_eq!(new["items"][0]["quantity"], 2);

    app.makes_payable(booking).await;
    buyer.waits_for(booking, "awaiting_payment").await;
    let payable = buyer.sees(booking).await;
    assert_eq!(payable["can"], json!(["pay", "cancel"]));
    assert_eq!(payable["total"], json!({"amount": 1_000, "currency": "IDR"}));
    assert_eq!(payable["event"]["title"], "Concert");
    assert_eq!(payable["items"][0]["name"], "VIP");
    assert!(payable["pay_by"].is_string());

    app.sells(booking).await;
    buyer.waits_for(booking, "confirmed").await;
    let sold = buyer.sees(booking).await;
    let codes = codes(booking).map(|code| code.to_string());
    for (ticket, code) in sold["tickets"].as_array().expect("tickets").iter().zip(&codes) {
        assert_eq!(ticket["code"], *code);
        assert_eq!(ticket["qr"], format!("/tickets/{code}.svg"));
    }
    assert!(sold["version"].as_i64() > payable["version"].as_i64());
    app.receives(booking, "BookingConfirmed").await;
    assert_eq!(
        buyer.timeline(booking).await,
        [
            "create: reserving ReserveTickets BookingCreated",
            "TicketsReserved: awaiting RequestPayment BookingReserved",
            "PaymentRequested: awaiting",
            "PaymentSucceeded: confirming ConfirmTickets",
            "TicketsConfirmed: confirmed BookingConfirmed",
        ]
    );
    app.stop().await;
}

#[tokio::test]
async fn every_answer_may_come_three_times_and_late() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.receives(booking, "ReserveTickets").await;
    app.publishes([(); 3].map(|()| reserved(booking, 500, 60))).await;
    app.receives(booking, "RequestPayment").await;
    app.publishes([(); 3].map(|()| requested(booking))).await;
    app.publishes([(); 3].map(|()| paid(booking))).await;
    app.publishes([requested(booking), requested(booking)]).await;
    app.receives(booking, "ConfirmTickets").await;
    app.publishes([reserved(booking, 1, 60), confirmed(booking), confirmed(booking)]).await;
    app.publishes([issued(booking), issued(booking)]).await;
    app.publishes([reserved(booking, 2, 60), confirmed(booking)]).await;
    app.publishes([issued(booking)]).await;
    buyer.waits_for(booking, "confirmed").await;
    buyer.cancels(booking).await;
    app.publishes([issued(booking)]).await;
    app.publishes([confirmed(booking), released(booking), released(booking)]).await;
    app.publishes([paid(booking), refunded(booking), refunded(booking)]).await;
    buyer.waits_for(booking, "cancelled").await;

    assert_eq!(buyer.sees(booking).await["total"]["amount"], 1_000, "the first price counts");
    assert_eq!(buyer.timeline(booking).await.len(), 8);
    for once in [
        "ReserveTickets",
        "RequestPayment",
        "ConfirmTickets",
        "RefundPayment",
        "ReleaseTickets",
        "BookingCreated",
        "BookingConfirmed",
        "BookingCancelled",
    ] {
        app.receives(booking, once).await;
        assert_eq!(app.count(booking, once), 1, "{once}");
    }
    assert_eq!(app.count(booking, "CancelPayment"), 0);
    app.stop().await;
}

/// Takes a new booking to where its tickets are to be confirmed.
async fn confirming(app: &TestApp, booking: Booked) {
    app.receives(booking, "ReserveTickets").await;
    app.reserves(booking, 0).await;
    app.receives(booking, "ConfirmTickets").await;
}

#[tokio::test]
async fn a_confirmation_without_codes_is_for_others() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let (booking, witness) = (buyer.books().await, buyer.books().await);
    confirming(&app, booking).await;
    confirming(&app, witness).await;
    // A booking's messages keep their order, and so do these two in one partition or in one batch:
    // the last shows that the first was read.
    app.publishes([confirmed(booking), confirmed(witness)]).await;
    app.publishes([issued(witness)]).await;
    buyer.waits_for(witness, "confirmed").await;
    assert_eq!(buyer.sees(booking).await["status"], "confirming");
    app.publishes([issued(booking)]).await;
    buyer.waits_for(booking, "confirmed").await;
    assert!(app.environment.dead_letters(BOOKINGS).await.is_empty());
    app.stop().await;
}

#[tokio::test]
async fn codes_that_come_after_the_seats_are_released_change_nothing() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    confirming(&app, booking).await;
    buyer.cancels(booking).await;
    app.receives(booking, "ReleaseTickets").await;
    app.publishes([confirmed(booking), released(booking)]).await;
    buyer.waits_for(booking, "cancelled").await;
    // Another topic has another order.
    let witness = buyer.books().await;
    confirming(&app, witness).await;
    app.publishes([issued(booking), issued(booking), issued(witness)]).await;
    buyer.waits_for(witness, "confirmed").await;
    let seen = buyer.sees(booking).await;
    assert_eq!((&seen["status"], &seen["tickets"]), (&json!("cancelled"), &json!([])));
    app.stop().await;
}

#[tokio::test]
async fn an_event_service_of_an_older_release_confirms_with_codes() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    confirming(&app, booking).await;
    let (booking_id, event_id) = (booking.id, booking.event_id);
    let older = TicketsConfirmed { booking_id, event_id, tickets: Some(tickets(booking)) };
    app.publishes([TicketFact::from(older)]).await;
    buyer.waits_for(booking, "confirmed").await;
    let shown = &buyer.sees(booking).await["tickets"];
    assert_eq!(shown[1]["code"], codes(booking)[1].to_string());
    app.stop().await;
}

#[tokio::test]
async fn a_free_booking_needs_no_payment() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.receives(booking, "ReserveTickets").await;
    app.reserves(booking, 0).await;
    app.receives(booking, "ConfirmTickets").await;
    app.publishes([issued(booking)]).await;
    buyer.waits_for(booking, "confirmed").await;
    assert_eq!(buyer.sees(booking).await["pay_by"], Value::Null);
    assert_eq!(app.count(booking, "RequestPayment"), 0);
    app.stop().await;
}

#[tokio::test]
async fn a_declined_payment_gives_the_seats_back() {
    let app = TestApp::start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.makes_payable(booking).await;
    let (payment_id, _) = payment(booking);
    let decline_code = "stolen_card".to_owned();
    let failed = PaymentFailed { booking_id: booking.id, payment_id, decline_code };
    app.publishes([PaymentFact::from(failed)]).await;
    app.receives(booking, "ReleaseTickets").await;
    app.publishes([released(booking)]).await;
    app.receives(booking, "BookingCancelled").await;
    let seen = buyer.sees(booking).await;
    assert_eq!((&seen["status"], &seen["reason"]), (&json!("cancelled"), &json!("payment_failed")));
    assert_eq!((&seen["refund"], &seen["can"]), (&Value::Null, &json!([])));
    app.stop().await;
}

#[tokio::test]
async fn a_request_that_prefers_to_wait_is_answered_once_the_buyer_can_pay() {
    let app = TestApp::start().await;
    // The service waits 10 s at most: first let the consumers join their groups.
    app.makes_payable(app.buyer().books().await).await;
    let buyer = app.buyer();
    let new = Booked {
        id: BookingId(Uuid::nil()),
        event_id: EventId(Uuid::now_v7()),
        ticket_type_id: TicketTypeId(Uuid::now_v7()),
    };
    let request = buyer
        .request(Method::POST, "/booking/create")
        .header("prefer", "wait=10")
        .json(&order(new.event_id, new.ticket_type_id));
    let waiting = Answer::to(request);
    let answering = async {
        let list = || async {
            let item = buyer.get("/bookings").await.body["items"][0].clone();
            if item.is_object() { Ok(id_of(&item)) } else { Err("no booking yet") }
        };
        let id = eventually(list).await;
        app.makes_payable(Booked { id, ..new }).await;
    };
    let (answer, ()) = tokio::join!(waiting, answering);
    assert_eq!(answer.is(202).body["status"], "awaiting_payment");
    app.stop().await;
}

#[tokio::test]
async fn the_timeline_is_for_the_buyer_and_for_operators() {
    let app = TestApp::start().await;
    let booking = app.buyer().books().await;
    let path = format!("/bookings/{}/timeline", booking.id);
    for (role, status) in
        [(Role::Operator, 200), (Role::Admin, 200), (Role::Buyer, 404), (Role::Organiser, 404)]
    {
        app.person(UserId(Uuid::now_v7()), role).get(&path).await.is(status);
    }
    app.stop().await;
}
