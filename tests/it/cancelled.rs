//! Buyers cancel: at every stage the seats come back and so does whatever was paid.

use chrono::{Duration, Utc};
use karcis_fleet::{Booking, Concert, Fleet, Ledger, Person};
use karcis_schemas::{BOOKING, EVENT, PAYMENT};
use karcis_testkit::eventually;
use serde_json::json;

/// The end of every cancelled booking.
async fn is_undone(fleet: &Fleet, concert: &Concert, buyer: &Person, booking: &Booking) {
    let cancelled = ("cancelled".to_owned(), "cancelled_by_buyer".to_owned());
    eventually(|| buyer.sees_why(booking)).is(cancelled).await;
    eventually(|| fleet.free(concert, "VIP")).is(10).await;
    assert_eq!(fleet.ledger(booking).await.kept(), 0);
    let again = buyer.cancels(booking).await.is(202).body;
    assert_eq!(again["status"], "cancelled");
}

async fn ten_seats(fleet: &Fleet) -> (Concert, Person) {
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    (concert, fleet.buyer("Sari").await)
}

#[tokio::test]
async fn while_it_is_reserving() {
    let fleet = Fleet::start().await;
    let (concert, sari) = ten_seats(&fleet).await;
    fleet.stop(&EVENT).await;
    let booking = sari.orders(&concert, "VIP", 2).await;
    assert_eq!(sari.sees(&booking).await, "pending");
    sari.cancels(&booking).await.is(202);
    fleet.start_again(&EVENT).await;
    is_undone(&fleet, &concert, &sari, &booking).await;
    assert_eq!(sari.commands(&booking).await, ["ReserveTickets", "ReleaseTickets"]);
}

#[tokio::test]
async fn while_it_awaits_payment() {
    let fleet = Fleet::start().await;
    let (concert, sari) = ten_seats(&fleet).await;
    let booking = sari.books(&concert, "VIP", 2).await;
    sari.cancels(&booking).await.is(202);
    is_undone(&fleet, &concert, &sari, &booking).await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::default());
    sari.pays(&booking, "tok_approved").await.is_problem(409, "payment-closed");
}

#[tokio::test]
async fn twice_while_the_payment_is_being_cancelled() {
    let fleet = Fleet::start().await;
    let (concert, sari) = ten_seats(&fleet).await;
    let booking = sari.books(&concert, "VIP", 2).await;
    fleet.stop(&PAYMENT).await;
    for _ in 0..2 {
        assert_eq!(sari.cancels(&booking).await.is(202).body["status"], "cancelling");
    }
    fleet.start_again(&PAYMENT).await;
    is_undone(&fleet, &concert, &sari, &booking).await;
}

#[tokio::test]
async fn while_it_is_being_confirmed() {
    let fleet = Fleet::start().await;
    let (concert, sari) = ten_seats(&fleet).await;
    let booking = sari.books(&concert, "VIP", 2).await;
    fleet.stop(&EVENT).await;
    sari.pays_up(&booking).await;
    eventually(|| sari.sees(&booking)).is("confirming").await;
    assert_eq!(sari.cancels(&booking).await.is(202).body["status"], "refunding");
    fleet.start_again(&EVENT).await;
    is_undone(&fleet, &concert, &sari, &booking).await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::refunded_once(1_500_000));
}

#[tokio::test]
async fn after_it_was_confirmed() {
    let fleet = Fleet::start().await;
    let (concert, sari) = ten_seats(&fleet).await;
    let booking = sari.books(&concert, "VIP", 2).await;
    sari.pays_up(&booking).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    let seen = sari.booking(&booking).await;
    let code = seen["tickets"][0]["code"].as_str().unwrap();

    sari.cancels(&booking).await.is(202);
    is_undone(&fleet, &concert, &sari, &booking).await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::refunded_once(1_500_000));
    let refund = json!({"amount": {"amount": 1_500_000, "currency": "IDR"}, "status": "done"});
    assert_eq!(sari.booking(&booking).await["refund"], refund);
    let ticket = sari.get(&EVENT, &format!("/tickets/{code}")).await.is(200).body;
    assert_eq!(ticket["status"], "cancelled");
}

#[tokio::test]
async fn again_while_the_seats_are_being_released() {
    let fleet = Fleet::start().await;
    let (concert, sari) = ten_seats(&fleet).await;
    let booking = sari.books(&concert, "VIP", 2).await;
    fleet.stop(&EVENT).await;
    sari.cancels(&booking).await.is(202);
    eventually(|| sari.sees(&booking)).is("cancelled").await;
    assert_eq!(sari.cancels(&booking).await.is(202).body["status"], "cancelled");
    fleet.start_again(&EVENT).await;
    is_undone(&fleet, &concert, &sari, &booking).await;
}

#[tokio::test]
async fn again_while_it_is_being_refunded() {
    let fleet = Fleet::start().await;
    let (concert, sari) = ten_seats(&fleet).await;
    let booking = sari.books(&concert, "VIP", 2).await;
    sari.pays_up(&booking).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    fleet.stop(&PAYMENT).await;
    for _ in 0..2 {
        let refunding = sari.cancels(&booking).await.is(202).body;
        assert_eq!(refunding["status"], "refunding");
        assert_eq!(refunding["refund"]["status"], "pending");
    }
    eventually(|| fleet.free(&concert, "VIP")).is(10).await;
    fleet.start_again(&PAYMENT).await;
    is_undone(&fleet, &concert, &sari, &booking).await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::refunded_once(1_500_000));
}

#[tokio::test]
async fn while_a_payment_is_under_way() {
    let fleet = Fleet::start().await;
    let (concert, sari) = ten_seats(&fleet).await;
    let booking = sari.books(&concert, "VIP", 2).await;
    // Nothing is captured or voided as long as nobody can write in the provider's books.
    let mut books = fleet.environment().superuser().begin().await.unwrap();
    let lock = sqlx::query("LOCK TABLE simulated_gateway.intent IN EXCLUSIVE MODE");
    lock.execute(&mut *books).await.unwrap();
    let paying = async { sari.pays(&booking, "tok_slow").await.is(202) };
    let cancelling = async {
        eventually(async || sari.payment(&booking).await["status"].clone()).is("processing").await;
        assert_eq!(sari.cancels(&booking).await.is(202).body["status"], "cancelling");
    };
    tokio::join!(paying, cancelling);
    books.rollback().await.unwrap();
    is_undone(&fleet, &concert, &sari, &booking).await;
}

#[tokio::test]
async fn not_once_the_refund_window_has_closed() {
    let fleet = Fleet::start().await;
    let yesterday = Utc::now() - Duration::days(1);
    let concert = fleet.concert().tickets("VIP", 10).refundable_until(yesterday).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 2).await;
    sari.pays_up(&booking).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;

    assert_eq!(sari.booking(&booking).await["can"], json!([]));
    sari.cancels(&booking).await.is_problem(409, "refund-window-closed");
    assert_eq!(sari.sees(&booking).await, "confirmed");
    assert_eq!(fleet.ledger(&booking).await, Ledger::captured_once(1_500_000));
}

#[tokio::test]
async fn never_by_somebody_else() {
    let fleet = Fleet::start().await;
    let (concert, sari) = ten_seats(&fleet).await;
    let booking = sari.books(&concert, "VIP", 2).await;
    let budi = fleet.buyer("Budi").await;
    budi.cancels(&booking).await.is_problem(404, "not-found");
    budi.pays(&booking, "tok_approved").await.is_problem(404, "not-found");
    let path = format!("/bookings/{}", booking.id);
    budi.get(&BOOKING, &path).await.is_problem(404, "not-found");
    assert_eq!(sari.sees(&booking).await, "awaiting_payment");
}
