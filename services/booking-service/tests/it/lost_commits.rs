//! The answer to a COMMIT is lost: what was done counts, and is done once.

use karcis_kernel::{EventId, TicketTypeId};
use karcis_testkit::{Answer, LostCommits, TestEnvironment, eventually};
use reqwest::Method;
use uuid::Uuid;

use crate::harness::{Buyer, TestApp, id_of, order, paid, requested, reserved};

const CREATE: &str = "INSERT INTO booking ";
const CHANGE: &str = "UPDATE booking SET version";

async fn start() -> (TestApp, LostCommits) {
    let mut environment = TestEnvironment::start().await;
    let proxy = environment.losing_commits().await;
    (TestApp::start_on(environment, &["--resend-after", "10m"]).await, proxy)
}

async fn creates(buyer: &Buyer, key: &str) -> Answer {
    let order = order(EventId(Uuid::from_u128(1)), TicketTypeId(Uuid::from_u128(2)));
    let request = buyer.request(Method::POST, "/booking/create");
    Answer::to(request.header("idempotency-key", key).json(&order)).await
}

#[tokio::test]
async fn a_booking_whose_commit_lost_its_answer_is_answered_and_exists_once() {
    let (app, proxy) = start().await;
    let buyer = app.buyer();
    proxy.lose(CREATE);
    let with_key = id_of(&creates(&buyer, "one").await.is(202).body);
    assert_eq!(proxy.lost(), 1);
    let again = creates(&buyer, "one").await.is(202);
    assert_eq!(id_of(&again.body), with_key);
    assert!(again.headers.contains_key("idempotent-replayed"));

    proxy.lose(CREATE);
    let without_key = buyer.books().await;
    assert_eq!(proxy.lost(), 2);
    app.receives(without_key, "ReserveTickets").await;
    assert_eq!(app.count(without_key, "ReserveTickets"), 1);

    let list = buyer.get("/bookings").await.is(200).body;
    let listed: Vec<_> = list["items"].as_array().expect("items").iter().map(id_of).collect();
    assert_eq!(listed, [without_key.id, with_key]);
    app.stop().await;
}

#[tokio::test]
async fn a_cancel_whose_commit_lost_its_answer_is_one_step() {
    let (app, proxy) = start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    proxy.lose(CHANGE);
    assert_eq!(buyer.cancels(booking).await.is(202).body["status"], "cancelled");
    assert_eq!(proxy.lost(), 1);
    app.receives(booking, "ReleaseTickets").await;
    assert_eq!(app.count(booking, "ReleaseTickets"), 1);
    assert_eq!(buyer.timeline(booking).await.len(), 2);
    app.stop().await;
}

#[tokio::test]
async fn a_reply_whose_commit_lost_its_answer_is_one_step() {
    let (app, proxy) = start().await;
    let buyer = app.buyer();
    let booking = buyer.books().await;
    app.receives(booking, "ReserveTickets").await;
    proxy.lose(CHANGE);
    app.publishes([reserved(booking, 500, 60)]).await;
    app.receives(booking, "RequestPayment").await;
    eventually(async || proxy.lost()).is(1).await;
    app.publishes([requested(booking)]).await;
    buyer.waits_for(booking, "awaiting_payment").await;
    proxy.lose(CHANGE);
    app.publishes([paid(booking)]).await;
    app.receives(booking, "ConfirmTickets").await;
    eventually(async || proxy.lost()).is(2).await;
    for command in ["ReserveTickets", "RequestPayment", "ConfirmTickets"] {
        assert_eq!(app.count(booking, command), 1, "{command}");
    }
    assert_eq!(buyer.timeline(booking).await.len(), 4);
    app.stop().await;
}
