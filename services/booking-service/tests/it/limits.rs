//! One buyer's flood is cut and is nobody else's trouble.

use karcis_kernel::{EventId, TicketTypeId};
use karcis_testkit::{eventually, together};
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{Buyer, TestApp, order};

/// As many as one buyer once sent in 18 s, in proportion.
const FLOOD: usize = 400;

#[tokio::test]
async fn a_flood_of_creates_is_cut_to_a_minutes_worth_and_others_notice_nothing() {
    let app = TestApp::start_with(&["--rate-limits", "on", "--resend-after", "10m"]).await;
    let (bot, buyer) = (app.buyer(), app.buyer());
    let order = order(EventId(Uuid::from_u128(1)), TicketTypeId(Uuid::from_u128(2)));
    let began = std::time::Instant::now();
    let answers = together(100, (0..FLOOD).map(|_| bot.post("/booking/create", &order))).await;
    let minutes = began.elapsed().as_secs() / 60 + 1;
    // A busy machine may refuse one with 503, which is not the limit's doing.
    let (refused, accepted): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|answer| answer.status == 429);
    let accepted = accepted.len();
    let most = 60 * (minutes as usize + 1);
    assert!((60..=most).contains(&accepted), "{accepted} of {FLOOD} accepted in {minutes} min");
    for answer in refused {
        let answer = answer.is_problem(429, "too-many-requests");
        assert!(answer.headers.contains_key("retry-after"));
    }
    creates(&buyer, &order).await;
    // Whatever else the account does is not limited with it.
    assert_ne!(bot.get("/bookings").await.status, 429);
    app.stop().await;
}

#[tokio::test]
async fn a_person_in_a_hurry_is_not_refused() {
    let app = TestApp::start_with(&["--rate-limits", "on", "--resend-after", "10m"]).await;
    let buyer = app.buyer();
    let order = order(EventId(Uuid::from_u128(1)), TicketTypeId(Uuid::from_u128(2)));
    for _ in 0..20 {
        let booking_id = creates(&buyer, &order).await;
        let path = format!("/bookings/{booking_id}");
        for _ in 0..10 {
            assert_ne!(buyer.get(&path).await.status, 429);
        }
    }
    app.stop().await;
}

/// Creates a booking, again while the machine is too busy, and returns its id.
async fn creates(buyer: &Buyer, order: &Value) -> String {
    let created = async || {
        let answer = buyer.post("/booking/create", order).await;
        assert_ne!(answer.status, 429, "{}", answer.body);
        let id = answer.body["booking_id"].as_str().map(str::to_owned);
        id.ok_or(answer.status)
    };
    eventually(created).await
}
