//! Paid bookings are confirmed, and each is charged once, whatever the way to the provider loses.

use karcis_fleet::{Fleet, Ledger, Stock};
use karcis_schemas::EVENT;
use karcis_testkit::{Answer, eventually, together};
use serde_json::json;

#[tokio::test]
async fn a_paid_booking_is_confirmed_and_charged_once() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;

    let booking = sari.books(&concert, "VIP", 2).await;
    assert_eq!(sari.sees(&booking).await, "awaiting_payment");
    assert_eq!(sari.booking(&booking).await["can"], json!(["pay", "cancel"]));
    sari.pays_up(&booking).await;

    eventually(|| sari.sees(&booking)).is("confirmed").await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::captured_once(1_500_000));
    let stock = fleet.stock(&concert, "VIP").await;
    assert_eq!(stock, Stock { capacity: 10, free: 8, held: 0, sold: 2 });
    let sent = ["ReserveTickets", "RequestPayment", "ConfirmTickets"];
    assert_eq!(sari.commands(&booking).await, sent);
}

#[tokio::test]
async fn a_confirmed_booking_has_a_ticket_for_each_seat() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).priced("GA", 10, 100).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books_all(&concert, &[("VIP", 1), ("GA", 2)]).await;
    assert_eq!(sari.booking(&booking).await["tickets"], json!([]));
    sari.pays_up(&booking).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;

    let seen = sari.booking(&booking).await;
    let tickets = seen["tickets"].as_array().unwrap();
    let mut names: Vec<_> = tickets.iter().map(|ticket| ticket["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["GA", "GA", "VIP"]);
    for ticket in tickets {
        let code = ticket["code"].as_str().unwrap();
        let shown = sari.get(&EVENT, &format!("/tickets/{code}")).await.is(200).body;
        assert_eq!((&shown["status"], &shown["name"]), (&json!("valid"), &ticket["name"]));
        let qr = sari.get(&EVENT, ticket["qr"].as_str().unwrap()).await.is(200);
        assert_eq!(qr.headers["content-type"], "image/svg+xml");
        assert!(qr.body.as_str().unwrap().contains("<svg"));
    }
}

#[tokio::test]
async fn somebody_who_registers_can_book_and_pay() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.registers("Sari Dewi").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    sari.pays_up(&booking).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;
}

#[tokio::test]
async fn paying_again_charges_nothing() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    let attempts = (0..8).map(|_| sari.pays(&booking, "tok_approved"));
    let answers: Vec<Answer> = together(8, attempts).await;
    // One of them charges, though the bank may take longer than it waits.
    let charging = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert!(charging >= 1, "{answers:#?}");
    assert_eq!(sari.pays_up(&booking).await.body["status"], "succeeded");
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::captured_once(750_000));
}

#[tokio::test]
async fn a_slow_bank_is_waited_for() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    let processing = sari.pays(&booking, "tok_slow").await.is(202);
    assert_eq!(processing.body["status"], "processing");
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::captured_once(750_000));
}

#[tokio::test]
async fn free_tickets_need_no_payment() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().priced("Free", 10, 0).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "Free", 3).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    assert_eq!(sari.commands(&booking).await, ["ReserveTickets", "ConfirmTickets"]);
    sari.pays(&booking, "tok_approved").await.is_problem(404, "not-found");
    assert_eq!(fleet.ledger(&booking).await, Ledger::default());
    let stock = fleet.stock(&concert, "Free").await;
    assert_eq!(stock, Stock { capacity: 10, free: 7, held: 0, sold: 3 });
}
