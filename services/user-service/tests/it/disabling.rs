//! Admins disable and enable accounts.

use karcis_testkit::{Answer, TestEnvironment};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, PASSWORD, Session, TestApp, email};

async fn asks(users: &TestApp, who: &Session, path: &str, name: &str) -> Answer {
    let body = json!({"email": email(name), "reason": "sells on the black market"});
    users.send(Method::POST, path, &who.access_token, &body).await
}

#[tokio::test]
async fn a_disabled_account_is_logged_out_everywhere_until_it_is_enabled() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let sari = users.registers("Sari").await;
    let profile = asks(&users, &admin, "/user/disable", "Sari").await.is(200).body;
    assert_eq!((&profile["user_id"], &profile["version"]), (&sari.user["user_id"], &json!(2)));
    let again = asks(&users, &admin, "/user/disable", "Sari").await.is(200).body;
    assert_eq!(again["version"], 2);

    users.refreshes(&sari).await.is_problem(401, "not-logged-in");
    users.updates(&sari, &json!({"name": "Dewi"})).await.is_problem(401, "not-logged-in");
    let without_trace = |mut answer: Answer| {
        answer.body["trace_id"].take();
        answer.is(401).body
    };
    let right = without_trace(users.logs_in("Sari", PASSWORD).await);
    let wrong = without_trace(users.logs_in("Sari", "wrong").await);
    assert_eq!(right, wrong, "nobody learns that the password is right");
    // A session that was there all the same is refused too.
    let revive = "INSERT INTO users.session (session_id, user_id, expires_at)
        SELECT $1, user_id, now() + interval '1 day' FROM users.account WHERE email = $2";
    let session = uuid::Uuid::now_v7();
    let revive = sqlx::query(revive).bind(session).bind(email("Sari"));
    revive.execute(environment.superuser()).await.unwrap();
    let token = "INSERT INTO users.refresh_token (token_hash, session_id, expires_at)
        VALUES (sha256('revived'), $1, now() + interval '1 day')";
    sqlx::query(token).bind(session).execute(environment.superuser()).await.unwrap();
    let revived = json!({"refresh_token": "revived"});
    users.post("/token/refresh", &revived).await.is_problem(401, "not-logged-in");

    asks(&users, &admin, "/user/enable", "Sari").await.is(200);
    asks(&users, &admin, "/user/enable", "Sari").await.is(200);
    let sari = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    assert_eq!(sari.user["version"], 3);
    users.stop().await;
}

#[tokio::test]
async fn only_an_admin_disables_and_only_others() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let sari = users.registers("Sari").await;
    for path in ["/user/disable", "/user/enable"] {
        asks(&users, &sari, path, "Admin").await.is_problem(403, "wrong-role");
        asks(&users, &admin, path, "Nobody").await.is_problem(404, "not-found");
        let send =
            async |body: Value| users.send(Method::POST, path, &admin.access_token, &body).await;
        send(json!({"email": email("Sari")})).await.is_about("reason");
        send(json!({"email": email("Sari"), "reason": " "})).await.is_about("reason");
        send(json!({"email": "sari", "reason": "why"})).await.is_about("email");
    }
    asks(&users, &admin, "/user/disable", "Admin").await.is_about("email");
    asks(&users, &admin, "/user/enable", "Admin").await.is(200);
    users.stop().await;
}
