//! Admins give roles.

use karcis_http::Claims;
use karcis_testkit::{Answer, TestEnvironment};
use reqwest::Method;
use serde_json::json;

use crate::harness::{PASSWORD, Session, TestApp, email};

const ADMIN: [&str; 4] = ["--admin-email", "admin@mail.example", "--admin-password", PASSWORD];

async fn gives(users: &TestApp, giver: &Session, name: &str, role: &str) -> Answer {
    let body = json!({"email": email(name), "role": role});
    users.send(Method::POST, "/user/role", &giver.access_token, &body).await
}

fn role_in(token: &str) -> String {
    let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).unwrap();
    claims.role.to_string()
}

#[tokio::test]
async fn a_role_counts_from_the_next_token_on() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let mut sari = users.registers("Sari").await;
    for (version, role) in (2..).zip(["organiser", "operator", "door", "admin", "buyer"]) {
        let profile = gives(&users, &admin, "SARI", role).await.is(200).body;
        assert_eq!((&profile["role"], &profile["version"]), (&json!(role), &json!(version)));
        assert_eq!(users.profile(&sari).await["role"], role);
        sari = Session::of(users.refreshes(&sari).await.is(200));
        assert_eq!(role_in(&sari.access_token), role);
    }
    assert_eq!(gives(&users, &admin, "Sari", "buyer").await.is(200).body["version"], 6);
    users.stop().await;
}

#[tokio::test]
async fn only_an_admin_gives_roles() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &ADMIN).await;
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
