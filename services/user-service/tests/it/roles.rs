//! Admins give roles.

use karcis_http::Claims;
use karcis_testkit::{Answer, TestEnvironment};
use reqwest::Method;
use serde_json::json;

use crate::harness::{ADMIN, PASSWORD, Session, TestApp, email};

async fn gives(users: &TestApp, giver: &Session, name: &str, role: &str) -> Answer {
    let body = json!({"email": email(name), "role": role});
    users.send(Method::POST, "/user/role", &giver.access_token, &body).await
}

fn role_in(token: &str) -> String {
    let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap();
    claims.role.to_string()
}

#[tokio::test]
async fn another_role_ends_the_sessions_and_counts_from_the_next_log_in_on() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let mut sari = users.registers("Sari").await;
    for (version, role) in (2..).zip(["organiser", "operator", "door", "admin", "buyer"]) {
        let profile = gives(&users, &admin, "SARI", role).await.is(200).body;
        assert_eq!((&profile["role"], &profile["version"]), (&json!(role), &json!(version)));
        users.refreshes(&sari).await.is_problem(401, "not-logged-in");
        sari = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
        assert_eq!(role_in(&sari.access_token), role);
        assert_eq!(users.profile(&sari).await["role"], role);
    }
    assert_eq!(gives(&users, &admin, "Sari", "buyer").await.is(200).body["version"], 6);
    users.refreshes(&sari).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn a_demoted_admins_token_does_nothing_any_more() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    users.registers("Sari").await;
    users.registers("Dewi").await;
    gives(&users, &admin, "Sari", "admin").await.is(200);
    let sari = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    gives(&users, &sari, "Dewi", "door").await.is(200);

    gives(&users, &admin, "Sari", "buyer").await.is(200);
    assert_eq!(role_in(&sari.access_token), "admin", "the token still says so");
    gives(&users, &sari, "Dewi", "admin").await.is_problem(401, "not-logged-in");
    for path in ["/user/disable", "/user/enable"] {
        let body = json!({"email": email("Dewi"), "reason": "revenge"});
        let answer = users.send(Method::POST, path, &sari.access_token, &body).await;
        answer.is_problem(401, "not-logged-in");
    }
    users.updates(&sari, &json!({"name": "Queen"})).await.is_problem(401, "not-logged-in");
    users.ends(&sari, "/sessions").await.is_problem(401, "not-logged-in");

    // A role that was changed behind the service's back: the session is live, the role is not.
    let demote = "UPDATE users.account SET role = 'operator' WHERE email = $1";
    sqlx::query(demote).bind(email("Admin")).execute(environment.superuser()).await.unwrap();
    gives(&users, &admin, "Dewi", "admin").await.is_problem(403, "wrong-role");
    users.stop().await;
}

#[tokio::test]
async fn of_two_admins_who_demote_each_other_at_once_one_stays() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    for round in 0..5 {
        let names = [format!("Sari{round}"), format!("Dewi{round}")];
        let mut both = Vec::new();
        for name in &names {
            users.registers(name).await;
            gives(&users, &admin, name, "admin").await.is(200);
            both.push(Session::of(users.logs_in(name, PASSWORD).await.is(200)));
        }
        let (one, other) = tokio::join!(
            gives(&users, &both[0], &names[1], "buyer"),
            gives(&users, &both[1], &names[0], "buyer"),
        );
        let won = [&one, &other].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(won, 1, "{:#} {:#}", one.body, other.body);
    }
    users.stop().await;
}

#[tokio::test]
async fn only_an_admin_gives_roles() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let sari = users.registers("Sari").await;
    let body = json!({"email": email("Sari"), "role": "admin"});
    users.post("/user/role", &body).await.is_problem(401, "not-logged-in");
    for role in ["buyer", "organiser", "operator", "door"] {
        gives(&users, &admin, "Sari", role).await.is(200);
        let sari = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
        gives(&users, &sari, "Sari", "admin").await.is_problem(403, "wrong-role");
        assert_eq!(users.profile(&sari).await["role"], role);
    }
    gives(&users, &admin, "Sari", "king").await.is_about("role");
    gives(&users, &admin, "Nobody", "door").await.is_problem(404, "not-found");
    gives(&users, &admin, "Admin", "buyer").await.is_about("email");
    gives(&users, &admin, "Admin", "admin").await.is(200);
    let none = json!({"email": "sari", "role": "door"});
    let answer = users.send(Method::POST, "/user/role", &admin.access_token, &none).await;
    answer.is_about("email");
    drop(sari);
    users.stop().await;
}
