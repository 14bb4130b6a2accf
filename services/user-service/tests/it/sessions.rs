//! From registering to logging out.

use karcis_schemas::USERS;
use karcis_testkit::TestEnvironment;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Session, TestApp, email};

#[tokio::test]
async fn registering_logs_in_as_a_buyer() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    let body = json!({"email": " Sari@Mail.Example", "password": PASSWORD, "name": " Sari "});
    let sari = Session::of(users.post("/register", &body).await.is(201));
    let profile = users.profile(&sari).await;
    assert_eq!(profile, sari.user);
    let expected = json!({
        "user_id": profile["user_id"], "email": "sari@mail.example", "name": "Sari",
        "phone": null, "locale": null, "time_zone": null, "role": "buyer",
        "created_at": profile["created_at"], "version": 1,
    });
    assert_eq!(profile, expected);
    users.stop().await;
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    let attempts = (0..6).map(|n| {
        let email = if n % 2 == 0 { "sari@mail.example" } else { "SARI@mail.example" };
        let body = json!({"email": email, "password": PASSWORD, "name": "Sari"});
        let users = &users;
        async move { users.post("/register", &body).await.status.as_u16() }
    });
    let mut statuses = futures_util::future::join_all(attempts).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    let again = json!({"email": "sari@mail.example", "password": PASSWORD, "name": "Dewi"});
    users.post("/register", &again).await.is_problem(409, "email-taken");
    bed.all_sent(USERS).await;
    users.stop().await;
}

#[tokio::test]
async fn a_refresh_token_is_good_for_one_use_and_reuse_ends_the_session() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    users.registers("Sari").await;
    let first = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    let elsewhere = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));

    let second = Session::of(users.refreshes(&first).await.is(200));
    assert_ne!(second.refresh_token, first.refresh_token);
    let third = Session::of(users.refreshes(&second).await.is(200));
    assert_eq!(third.user, first.user);

    users.refreshes(&first).await.is_problem(401, "not-logged-in");
    users.refreshes(&third).await.is_problem(401, "not-logged-in");
    users.refreshes(&elsewhere).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn of_two_who_refresh_at_once_one_wins_and_the_session_ends() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    for round in 0..5 {
        let session = users.registers(&format!("Sari{round}")).await;
        let (one, other) = tokio::join!(users.refreshes(&session), users.refreshes(&session));
        let (winner, loser) = if one.status == 200 { (one, other) } else { (other, one) };
        loser.is_problem(401, "not-logged-in");
        let winner = Session::of(winner.is(200));
        users.refreshes(&winner).await.is_problem(401, "not-logged-in");
    }
    users.stop().await;
}

#[tokio::test]
async fn an_expired_refresh_token_is_refused() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    let sari = users.registers("Sari").await;
    let expire = "UPDATE users.refresh_token SET expires_at = now()";
    sqlx::query(expire).execute(bed.superuser()).await.unwrap();
    users.refreshes(&sari).await.is_problem(401, "not-logged-in");
    users.stop().await;
}

#[tokio::test]
async fn refresh_tokens_and_passwords_are_stored_as_hashes() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    let sari = users.registers("Sari").await;
    let kept: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT token_hash FROM users.refresh_token")
        .fetch_all(bed.superuser())
        .await
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].0.len(), 32);
    assert!(sari.refresh_token.len() >= 43, "256 bits");
    let (password,): (String,) = sqlx::query_as("SELECT password_hash FROM users.account")
        .fetch_one(bed.superuser())
        .await
        .unwrap();
    assert!(password.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{password}");
    users.stop().await;
}

#[tokio::test]
async fn logging_out_ends_the_session_and_can_be_repeated() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    let sari = users.registers("Sari").await;
    let elsewhere = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    let body = json!({"refresh_token": sari.refresh_token});
    assert_eq!(users.post("/logout", &body).await.is(204).body, Value::Null);
    users.post("/logout", &body).await.is(204);
    users.post("/logout", &json!({"refresh_token": "nonsense"})).await.is(204);
    users.refreshes(&sari).await.is_problem(401, "not-logged-in");
    users.refreshes(&elsewhere).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn a_profile_needs_a_log_in() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    users.get("/profile").await.is_problem(401, "not-logged-in");
    let sari = users.registers("Sari").await;
    let altered = format!("{}x", sari.access_token);
    let answer = users.send(Method::GET, "/profile", &altered, &Value::Null).await;
    answer.is_problem(401, "not-logged-in");
    let answer = users.send(Method::GET, "/profile", &sari.refresh_token, &Value::Null).await;
    answer.is_problem(401, "not-logged-in");
    users.stop().await;
}

#[tokio::test]
async fn a_deleted_account_has_no_profile_and_no_sessions() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    let sari = users.registers("Sari").await;
    let erase = "DELETE FROM users.account WHERE email = $1";
    sqlx::query(erase).bind(email("Sari")).execute(bed.superuser()).await.unwrap();
    let answer = users.send(Method::GET, "/profile", &sari.access_token, &Value::Null).await;
    answer.is_problem(404, "not-found");
    users.updates(&sari, &json!({"name": "Dewi"})).await.is_problem(404, "not-found");
    users.refreshes(&sari).await.is_problem(401, "not-logged-in");
    users.stop().await;
}
