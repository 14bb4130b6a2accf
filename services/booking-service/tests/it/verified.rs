//! Where it is required, only those book who have shown to read their e-mail address.

use karcis_http::{AUDIENCE, Claims, ISSUER};
use karcis_kernel::{EventId, Role, TicketTypeId};
use karcis_process::now;
use karcis_testkit::token_of;
use serde_json::json;
use uuid::Uuid;

use crate::harness::{Buyer, TestApp, order};

/// The same buyer with a token that says that the address is verified.
fn verified(buyer: &Buyer) -> karcis_testkit::Person {
    let iat = now().timestamp();
    let claims = Claims {
        iss: ISSUER.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: buyer.user_id,
        role: Role::Buyer,
        iat,
        exp: iat + 900,
        sid: None,
        email_verified: true,
        name: None,
    };
    let mut person = (**buyer).clone();
    person.token = Some(token_of(&claims));
    person
}

#[tokio::test]
async fn an_address_has_to_be_verified_where_that_is_required() {
    let flags = ["--require-verified-email", "true", "--resend-after", "10m"];
    let app = TestApp::start_with(&flags).await;
    let buyer = app.buyer();
    let order = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
    let refused = buyer.post("/booking/create", &order).await;
    let refused = refused.is_problem(403, "email-not-verified");
    assert!(refused.body["detail"].to_string().contains("POST /email/verify"));
    // Before the body is looked at, as with every 403; and without a token it is 401.
    buyer.post("/booking/create", &json!({})).await.is_problem(403, "email-not-verified");
    app.visitor.post("/booking/create", &order).await.is_problem(401, "not-logged-in");
    assert_eq!(buyer.get("/bookings").await.is(200).body["items"], json!([]));

    verified(&buyer).post("/booking/create", &order).await.is(202);
    app.stop().await;
}

#[tokio::test]
async fn by_default_it_is_not_required() {
    let app = TestApp::start().await;
    app.buyer().books().await;
    app.stop().await;
}
