//! From the order to the tickets.

use karcis_contracts::{PaymentFact, PaymentFailed};
use karcis_kernel::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::desk::{
    Desk, codes, confirmed, order, paid, payment, read, released, requested, reserved,
};

#[tokio::test]
async fn a_booking_is_reserved_paid_and_confirmed() {
    let desk = Desk::open().await;
    let buyer = desk.buyer();
    let booking = buyer.books().await;
    let new = buyer.sees(booking).await;
    assert_eq!((&new["status"], &new["can"]), (&json!("pending"), &json!(["cancel"])));
    for unknown in ["reason", "total", "pay_by", "refundable_until", "refund"] {
        assert_eq!(new[unknown], Value::Null, "{unknown}");
    }
    assert_eq!(new["event"]["title"], Value::Null);
    assert_eq!(new["items"][0]["quantity"], 2);

    desk.makes_payable(booking).await;
    buyer.waits_for(booking, "awaiting_payment").await;
    let payable = buyer.sees(booking).await;
    assert_eq!(payable["can"], json!(["pay", "cancel"]));
    assert_eq!(payable["total"], json!({"amount": 1_000, "currency": "IDR"}));
    assert_eq!(payable["event"]["title"], "Concert");
    assert_eq!(payable["items"][0]["name"], "VIP");
    assert!(payable["pay_by"].is_string());

    desk.sells(booking).await;
    buyer.waits_for(booking, "confirmed").await;
    let sold = buyer.sees(booking).await;
    let codes = codes(booking).map(|code| code.to_string());
    for (ticket, code) in sold["tickets"].as_array().expect("tickets").iter().zip(&codes) {
        assert_eq!(ticket["code"], *code);
        assert_eq!(ticket["qr"], format!("/tickets/{code}.svg"));
    }
    assert!(sold["version"].as_i64() > payable["version"].as_i64());
    desk.hears(booking, "BookingConfirmed").await;
    assert_eq!(
        buyer.timeline(booking).await,
        [
            "create: reserving ReserveTickets BookingCreated",
            "TicketsReserved: awaiting RequestPayment",
            "PaymentRequested: awaiting",
            "PaymentSucceeded: confirming ConfirmTickets",
            "TicketsConfirmed: confirmed BookingConfirmed",
        ]
    );
    desk.close().await;
}

#[tokio::test]
async fn every_answer_may_come_three_times_and_late() {
    let desk = Desk::open().await;
    let buyer = desk.buyer();
    let booking = buyer.books().await;
    desk.hears(booking, "ReserveTickets").await;
    desk.say([(); 3].map(|()| reserved(booking, 500, 60))).await;
    desk.hears(booking, "RequestPayment").await;
    desk.say([(); 3].map(|()| requested(booking))).await;
    desk.say([(); 3].map(|()| paid(booking))).await;
    desk.say([requested(booking), requested(booking)]).await;
    desk.hears(booking, "ConfirmTickets").await;
    desk.say([reserved(booking, 1, 60), confirmed(booking), confirmed(booking)]).await;
    desk.say([reserved(booking, 2, 60), confirmed(booking)]).await;
    buyer.waits_for(booking, "confirmed").await;
    buyer.cancels(booking).await;
    desk.say([confirmed(booking), released(booking), released(booking)]).await;
    desk.say([paid(booking), refunded(booking), refunded(booking)]).await;
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
        desk.hears(booking, once).await;
        assert_eq!(desk.count(booking, once), 1, "{once}");
    }
    assert_eq!(desk.count(booking, "CancelPayment"), 0);
    desk.close().await;
}

fn refunded(booking: crate::desk::Booked) -> PaymentFact {
    crate::cancelling::refunded(booking)
}

#[tokio::test]
async fn a_free_booking_needs_no_payment() {
    let desk = Desk::open().await;
    let buyer = desk.buyer();
    let booking = buyer.books().await;
    desk.hears(booking, "ReserveTickets").await;
    desk.reserves(booking, 0).await;
    desk.hears(booking, "ConfirmTickets").await;
    desk.say([confirmed(booking)]).await;
    buyer.waits_for(booking, "confirmed").await;
    assert_eq!(buyer.sees(booking).await["pay_by"], Value::Null);
    assert_eq!(desk.count(booking, "RequestPayment"), 0);
    desk.close().await;
}

#[tokio::test]
async fn a_declined_payment_gives_the_seats_back() {
    let desk = Desk::open().await;
    let buyer = desk.buyer();
    let booking = buyer.books().await;
    desk.makes_payable(booking).await;
    let (payment_id, _) = payment(booking);
    let decline_code = "stolen_card".to_owned();
    let failed = PaymentFailed { booking_id: booking.id, payment_id, decline_code };
    desk.say([PaymentFact::from(failed)]).await;
    desk.hears(booking, "ReleaseTickets").await;
    desk.say([released(booking)]).await;
    desk.hears(booking, "BookingCancelled").await;
    let seen = buyer.sees(booking).await;
    assert_eq!((&seen["status"], &seen["reason"]), (&json!("cancelled"), &json!("payment_failed")));
    assert_eq!((&seen["refund"], &seen["can"]), (&Value::Null, &json!([])));
    desk.close().await;
}

#[tokio::test]
async fn who_prefers_to_wait_is_answered_when_it_is_the_buyers_turn() {
    let desk = Desk::open().await;
    // Nobody waits longer than 10 s: by now the consumers have joined their groups.
    desk.makes_payable(desk.buyer().books().await).await;
    let buyer = desk.buyer();
    let new = crate::desk::Booked {
        id: karcis_kernel::BookingId(uuid::Uuid::nil()),
        event_id: karcis_kernel::EventId(uuid::Uuid::now_v7()),
        ticket_type_id: karcis_kernel::TicketTypeId(uuid::Uuid::now_v7()),
    };
    let request = buyer
        .request(Method::POST, "/booking/create")
        .header("prefer", "wait=10")
        .json(&order(new.event_id, new.ticket_type_id));
    let waiting = async { read(request.send().await).await };
    let answering = async {
        let list = || async {
            let (_, list) = buyer.get("/bookings").await;
            let item = list["items"][0].clone();
            if item.is_object() { Ok(crate::desk::id_of(&item)) } else { Err("no booking yet") }
        };
        let id = karcis_testkit::eventually(list).await;
        desk.makes_payable(crate::desk::Booked { id, ..new }).await;
    };
    let ((status, answer), ()) = tokio::join!(waiting, answering);
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(answer["status"], "awaiting_payment");
    desk.close().await;
}

#[tokio::test]
async fn the_timeline_is_for_the_buyer_and_for_operators() {
    let desk = Desk::open().await;
    let booking = desk.buyer().books().await;
    let path = format!("/bookings/{}/timeline", booking.id);
    for (role, status) in [
        (Role::Operator, StatusCode::OK),
        (Role::Admin, StatusCode::OK),
        (Role::Buyer, StatusCode::NOT_FOUND),
        (Role::Organiser, StatusCode::NOT_FOUND),
    ] {
        assert_eq!(desk.person(role).get(&path).await.0, status, "{role}");
    }
    desk.close().await;
}
