//! One buyer's flood is cut and is nobody else's trouble.

use karcis_kernel::{EventId, TicketTypeId};
use karcis_testkit::together;
use uuid::Uuid;

use crate::harness::{TestApp, order};

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
    let accepted = answers.iter().filter(|answer| answer.status == 202).count();
    let most = 60 * (minutes as usize + 1);
    assert!((60..=most).contains(&accepted), "{accepted} of {FLOOD} accepted in {minutes} min");
    for answer in answers.into_iter().filter(|answer| answer.status != 202) {
        let answer = answer.is_problem(429, "too-many-requests");
        assert!(answer.headers.contains_key("retry-after"));
    }
    buyer.post("/booking/create", &order).await.is(202);
    // Whatever else the account does is not limited with it.
    bot.get("/bookings").await.is(200);
    app.stop().await;
}

#[tokio::test]
async fn a_person_in_a_hurry_is_not_refused() {
    let app = TestApp::start_with(&["--rate-limits", "on", "--resend-after", "10m"]).await;
    let buyer = app.buyer();
    let order = order(EventId(Uuid::from_u128(1)), TicketTypeId(Uuid::from_u128(2)));
    for _ in 0..20 {
        let booking = buyer.post("/booking/create", &order).await.is(202).body;
        let path = format!("/bookings/{}", booking["booking_id"].as_str().expect("an id"));
        for _ in 0..10 {
            buyer.get(&path).await.is(200);
        }
    }
    app.stop().await;
}
