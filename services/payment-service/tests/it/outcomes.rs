//! Operators see how many payments are declined, and why.

use karcis_kernel::{Role, UserId};
use karcis_testkit::{Answer, token};
use serde_json::json;
use uuid::Uuid;

use crate::harness::TestApp;

const OUTCOMES: &str = "/ops/payment/outcomes";

#[tokio::test]
async fn declines_of_the_last_hour_are_counted_with_their_reasons() {
    let app = TestApp::start().await;
    let operator = UserId(Uuid::now_v7());
    assert_eq!(app.sees(operator, OUTCOMES).await["items"], json!([]));
    for _ in 0..3 {
        app.pay(app.buyer().await, "tok_approved").await.is(200);
    }
    for _ in 0..2 {
        let declined = app.pay(app.buyer().await, "tok_insufficient_funds").await;
        declined.is_problem(402, "payment-declined");
    }
    let stolen = app.buyer().await;
    app.pay(stolen, "tok_stolen_card").await.is_problem(402, "payment-declined");
    let old = app.buyer().await;
    app.pay(old, "tok_insufficient_funds").await.is_problem(402, "payment-declined");
    app.lies_back(old).await;

    let counted = |outcome, decline_code, attempts: u64| json!({"outcome": outcome, "decline_code": decline_code, "attempts": attempts});
    let [approved, stolen] =
        [counted("approved", None, 3), counted("declined", Some("stolen_card"), 1)];
    let poor = |attempts| counted("declined", Some("insufficient_funds"), attempts);
    let seen = app.sees(operator, OUTCOMES).await;
    assert_eq!(seen["items"], json!([approved, poor(2), stolen]));
    let seen = app.sees(operator, &format!("{OUTCOMES}?minutes=120")).await;
    assert_eq!(seen["items"], json!([approved, poor(3), stolen]));
    app.stop().await;
}

#[tokio::test]
async fn operators_alone_see_them_of_up_to_a_day() {
    let app = TestApp::start().await;
    let get = async |query: &str, role| {
        let path = format!("{OUTCOMES}{query}");
        Answer::to(app.get(&path).bearer_auth(token(UserId(Uuid::now_v7()), role))).await
    };
    get("", Role::Buyer).await.is_problem(403, "wrong-role");
    get("", Role::Admin).await.is(200);
    get("?minutes=1440", Role::Operator).await.is(200);
    for query in ["?minutes=0", "?minutes=1441", "?minutes=-1", "?minutes=x"] {
        get(query, Role::Operator).await.is_about("minutes");
    }
    app.stop().await;
}

impl TestApp {
    /// This buyer's attempts began 61 minutes ago.
    async fn lies_back(&self, buyer: crate::harness::Buyer) {
        let update =
            "UPDATE payments.attempt SET at = at - interval '61 minutes' WHERE booking_id = $1";
        let updated =
            sqlx::query(update).bind(buyer.booking.0).execute(self.environment.superuser());
        assert_eq!(updated.await.expect("it can be changed").rows_affected(), 1);
    }
}
