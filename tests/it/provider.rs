//! What a payment provider does that is neither a yes nor a no, as buyers see it.

use karcis_fleet::{Fleet, Ledger};
use karcis_testkit::{Answer, eventually};
use reqwest::{Client, redirect::Policy};

#[tokio::test]
async fn a_buyer_who_approves_on_the_providers_page_gets_the_tickets() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    let waiting = sari.pays(&booking, "tok_action_required").await.is(202);
    assert_eq!(waiting.body["status"], "action_required");
    let page = waiting.body["next_action"]["url"].as_str().unwrap();
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    Answer::to(client.post(page).body("decision=approve")).await.is(303);
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    assert_eq!(fleet.ledger(&booking).await, Ledger::captured_once(750_000));
}

#[tokio::test]
async fn money_that_comes_after_the_booking_was_cancelled_goes_back() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 2).await;
    sari.pays(&booking, "tok_executes_late").await.is(202);
    sari.cancels(&booking).await.is(202);
    eventually(|| sari.sees(&booking)).is("cancelled").await;
    eventually(|| fleet.free(&concert, "VIP")).is(10).await;
    eventually(|| fleet.ledger(&booking)).is(Ledger::refunded_once(1_500_000)).await;
    eventually(async || sari.payment(&booking).await["refunded"]["amount"].clone())
        .is(1_500_000)
        .await;
    assert_eq!(sari.sees(&booking).await, "cancelled");
}

#[tokio::test]
async fn a_refused_refund_makes_the_booking_stuck_until_the_provider_agrees() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    sari.pays(&booking, "tok_refund_refused").await.is(200);
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    sari.cancels(&booking).await.is(202);
    let superuser = fleet.environment().superuser();
    let stuck = async || {
        let stuck = "SELECT coalesce(stuck, '') FROM bookings.booking WHERE id = $1";
        let stuck = sqlx::query_scalar(stuck).bind(booking.id.0).fetch_one(superuser).await;
        let stuck: String = stuck.unwrap();
        stuck
    };
    eventually(stuck).is("refund_refused").await;
    assert_eq!(sari.sees(&booking).await, "refunding");

    let agree = "UPDATE simulated_gateway.charge SET method = 'tok_approved' WHERE intent = $1";
    sqlx::query(agree).bind(booking.id.0).execute(superuser).await.unwrap();
    eventually(|| sari.sees(&booking)).is("cancelled").await;
    assert_eq!(stuck().await, "");
    assert_eq!(fleet.ledger(&booking).await, Ledger::refunded_once(750_000));
}
