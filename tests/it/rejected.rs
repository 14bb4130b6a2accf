//! Orders that cannot be had are rejected, each with its reason, and hold nothing.

use chrono::{Duration, SecondsFormat, Utc};
use karcis_fleet::{Concert, Fleet, FleetAnswer, Person};
use karcis_schemas::BOOKING;
use karcis_testkit::eventually;
use serde_json::{Value, json};
use uuid::Uuid;

/// Orders and waits for the rejection.
async fn is_rejected(buyer: &Person, order: &Value, reason: &str) {
    let created = buyer.post(&BOOKING, "/booking/create", order).await.is(202);
    let booking = created.booking();
    eventually(|| buyer.sees_why(&booking)).is(("rejected".to_owned(), reason.to_owned())).await;
    assert_eq!(buyer.booking(&booking).await["can"], json!([]));
    buyer.cancels(&booking).await.is_problem(409, "booking-rejected");
    buyer.pays(&booking, "tok_approved").await.is_problem(404, "not-found");
}

async fn nothing_is_held(fleet: &Fleet, concert: &Concert) {
    let stock = fleet.stock(concert, "VIP").await;
    assert_eq!((stock.free, stock.held), (stock.capacity, 0));
}

#[tokio::test]
async fn sold_out() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 3).tickets("GA", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    is_rejected(&sari, &concert.order(&[("GA", 1), ("VIP", 4)]), "sold_out").await;
    nothing_is_held(&fleet, &concert).await;
    assert_eq!(fleet.free(&concert, "GA").await, 10, "all or nothing");
}

#[tokio::test]
async fn the_price_is_not_the_one_that_was_shown() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 3).published().await;
    let sari = fleet.buyer("Sari").await;
    let mut order = concert.order(&[("VIP", 1)]);
    order["expected_total"] = json!({"amount": 700_000, "currency": "IDR"});
    is_rejected(&sari, &order, "price_changed").await;
    nothing_is_held(&fleet, &concert).await;
}

#[tokio::test]
async fn a_third_unpaid_booking() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let first = sari.books(&concert, "VIP", 1).await;
    sari.books(&concert, "VIP", 1).await;
    is_rejected(&sari, &concert.order(&[("VIP", 1)]), "too_many_holds").await;
    assert_eq!(fleet.free(&concert, "VIP").await, 8);

    sari.pays_up(&first).await;
    eventually(|| sari.sees(&first)).is("confirmed").await;
    let third = sari.books(&concert, "VIP", 1).await;
    assert_eq!(sari.sees(&third).await, "awaiting_payment");
}

#[tokio::test]
async fn sales_are_closed() {
    let fleet = Fleet::start().await;
    let yesterday = (Utc::now() - Duration::days(1)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let over = json!({
        "name": "VIP", "capacity": 10, "price": {"amount": 1, "currency": "IDR"},
        "sales_end": yesterday,
    });
    let concert = fleet.concert().ticket_type(over).published().await;
    let sari = fleet.buyer("Sari").await;
    is_rejected(&sari, &concert.order(&[("VIP", 1)]), "sales_closed").await;
    nothing_is_held(&fleet, &concert).await;
}

#[tokio::test]
async fn more_than_one_buyer_may_have() {
    let fleet = Fleet::start().await;
    let few = json!({
        "name": "VIP", "capacity": 10, "price": {"amount": 1, "currency": "IDR"},
        "max_per_booking": 2,
    });
    let concert = fleet.concert().ticket_type(few).published().await;
    let sari = fleet.buyer("Sari").await;
    is_rejected(&sari, &concert.order(&[("VIP", 3)]), "over_limit").await;
    nothing_is_held(&fleet, &concert).await;
}

#[tokio::test]
async fn there_is_no_such_event() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let mut order = concert.order(&[("VIP", 1)]);
    order["event_id"] = json!(Uuid::now_v7());
    is_rejected(&sari, &order, "event_not_found").await;
}

#[tokio::test]
async fn the_event_is_called_off() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    concert.is_called_off().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.orders(&concert, "VIP", 1).await;
    eventually(async || {
        let (status, reason) = sari.sees_why(&booking).await;
        // The first to read of it refuses: event-service, or booking-service by itself.
        match (status.as_str(), reason.as_str()) {
            ("rejected" | "cancelled", "event_cancelled") => Ok(()),
            _ => Err((status, reason)),
        }
    })
    .await;
    nothing_is_held(&fleet, &concert).await;
}
