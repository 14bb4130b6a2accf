//! From registering to logging out.

use karcis_schemas::USERS;
use karcis_testkit::TestEnvironment;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, PASSWORD, Session, TestApp, email};

#[tokio::test]
async fn registering_logs_in_as_a_buyer() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let body = json!({"email": " Sari@Mail.Example", "password": PASSWORD, "name": " Sari "});
    let sari = Session::of(users.post("/register", &body).await.is(201));
    let profile = users.profile(&sari).await;
    assert_eq!(profile, sari.user);
    let expected = json!({
        "user_id": profile["user_id"], "email": "sari@mail.example",
        "email_verified": false, "name": "Sari",
        "phone": null, "locale": null, "time_zone": null, "role": "buyer",
        "created_at": profile["created_at"], "version": 1,
    });
    assert_eq!(profile, expected);
    users.stop().await;
}

#[tokio::test]
async fn an_address_has_one_account_whatever_its_case() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
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
    environment.all_sent(USERS).await;
    users.stop().await;
}

#[tokio::test]
async fn a_refresh_token_is_good_for_one_use_and_reuse_ends_the_session() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
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
async fn two_tabs_that_refresh_together_both_stay_logged_in() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let session = users.registers("Sari").await;
    let mut tabs = [session.clone(), session];
    for round in 0..6 {
        let (one, other) = tokio::join!(users.refreshes(&tabs[0]), users.refreshes(&tabs[1]));
        // Whichever token a shared store keeps is good, and so are both of two stores.
        tabs = [Session::of(one.is(200)), Session::of(other.is(200))];
        assert_ne!(tabs[0].refresh_token, tabs[1].refresh_token);
        for tab in &tabs {
            assert_eq!(users.profile(tab).await["name"], "Sari", "round {round}");
        }
        if round % 2 == 1 {
            tabs.reverse();
        }
        if round == 3 {
            tabs = [tabs[1].clone(), tabs[1].clone()];
        }
    }
    assert_eq!(users.sessions(&tabs[0]).await.len(), 1, "it is one session");
    users.stop().await;
}

#[tokio::test]
async fn a_thief_who_refreshed_together_with_the_owner_is_found_at_the_next_refresh() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    for (name, thief_is_first) in [("Sari", true), ("Dewi", false)] {
        let session = users.registers(name).await;
        let (one, other) = tokio::join!(users.refreshes(&session), users.refreshes(&session));
        let (owner, thief) = (Session::of(one.is(200)), Session::of(other.is(200)));
        let (first, second) = if thief_is_first { (thief, owner) } else { (owner, thief) };
        let next = Session::of(users.refreshes(&first).await.is(200));
        let age = "UPDATE users.refresh_token SET used_at = used_at - interval '10 s'";
        sqlx::query(age).execute(environment.superuser()).await.unwrap();
        users.refreshes(&second).await.is_problem(401, "not-logged-in");
        users.refreshes(&next).await.is_problem(401, "not-logged-in");
    }
    users.stop().await;
}

#[tokio::test]
async fn who_missed_the_answer_may_repeat_a_refresh_for_ten_seconds() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let age = |seconds: i32| {
        let age = "UPDATE users.refresh_token SET used_at = used_at - $1 * interval '1 s'";
        sqlx::query(age).bind(seconds).execute(environment.superuser())
    };
    let sari = users.registers("Sari").await;
    users.refreshes(&sari).await.is(200);
    let second = Session::of(users.refreshes(&sari).await.is(200));
    let third = Session::of(users.refreshes(&second).await.is(200));
    assert_eq!(users.sessions(&third).await.len(), 1, "it is the same session");
    age(10).await.unwrap();
    users.refreshes(&second).await.is_problem(401, "not-logged-in");
    users.refreshes(&third).await.is_problem(401, "not-logged-in");
    users.stop().await;
}

#[tokio::test]
async fn a_refresh_that_fails_uses_nothing_up() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let locale = |text: Option<&'static str>| {
        let update = "UPDATE users.account SET locale = $1";
        sqlx::query(update).bind(text).execute(environment.superuser())
    };
    locale(Some("no language")).await.unwrap();
    users.refreshes(&sari).await.is_problem(500, "internal-error");
    locale(None).await.unwrap();
    let age = "UPDATE users.refresh_token SET used_at = used_at - interval '1 min'";
    sqlx::query(age).execute(environment.superuser()).await.unwrap();
    users.refreshes(&sari).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn a_session_ends_at_an_age_however_often_it_is_refreshed() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let age = |hours: i32| {
        let age = "UPDATE users.session SET created_at = created_at - $1 * interval '1 hour'";
        sqlx::query(age).bind(hours).execute(environment.superuser())
    };
    let mut buyer = users.registers("Sari").await;
    let mut admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    age(11).await.unwrap();
    buyer = Session::of(users.refreshes(&buyer).await.is(200));
    admin = Session::of(users.refreshes(&admin).await.is(200));
    let expires = "SELECT expires_at < now() + interval '1 hour' FROM users.session
        JOIN users.account USING (user_id) WHERE role = 'admin'";
    let soon: bool = sqlx::query_scalar(expires).fetch_one(environment.superuser()).await.unwrap();
    assert!(soon, "the session's end is stored");
    age(1).await.unwrap();
    users.refreshes(&admin).await.is_problem(401, "not-logged-in");
    buyer = Session::of(users.refreshes(&buyer).await.is(200));
    age(90 * 24 - 13).await.unwrap();
    buyer = Session::of(users.refreshes(&buyer).await.is(200));
    age(1).await.unwrap();
    users.refreshes(&buyer).await.is_problem(401, "not-logged-in");
    users.stop().await;
}

#[tokio::test]
async fn an_expired_refresh_token_is_refused() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let expire = "UPDATE users.refresh_token SET expires_at = now()";
    sqlx::query(expire).execute(environment.superuser()).await.unwrap();
    users.refreshes(&sari).await.is_problem(401, "not-logged-in");
    users.stop().await;
}

#[tokio::test]
async fn refresh_tokens_and_passwords_are_stored_as_hashes() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let kept: Vec<(Vec<u8>,)> = sqlx::query_as("SELECT token_hash FROM users.refresh_token")
        .fetch_all(environment.superuser())
        .await
        .unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].0.len(), 32);
    assert!(sari.refresh_token.len() >= 43, "256 bits");
    let (password,): (String,) = sqlx::query_as("SELECT password_hash FROM users.account")
        .fetch_one(environment.superuser())
        .await
        .unwrap();
    assert!(password.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{password}");
    users.stop().await;
}

#[tokio::test]
async fn logging_out_ends_the_session_and_can_be_repeated() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
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
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
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
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let sari = users.registers("Sari").await;
    let erase = "DELETE FROM users.account WHERE email = $1";
    sqlx::query(erase).bind(email("Sari")).execute(environment.superuser()).await.unwrap();
    let answer = users.send(Method::GET, "/profile", &sari.access_token, &Value::Null).await;
    answer.is_problem(404, "not-found");
    users.updates(&sari, &json!({"name": "Dewi"})).await.is_problem(404, "not-found");
    users.updates(&sari, &json!({"name": ""})).await.is_about("name");
    assert_eq!(users.sessions(&sari).await, Vec::<Value>::new());
    users.refreshes(&sari).await.is_problem(401, "not-logged-in");
    users.stop().await;
}
