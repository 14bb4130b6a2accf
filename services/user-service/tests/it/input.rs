//! Invalid input is refused with the name of the field.

use karcis_testkit::TestEnvironment;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, TestApp};

#[tokio::test]
async fn each_wrong_field_is_named() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    let registration = |field: &str, value: Value| {
        let mut body = json!({"email": "s@mail.example", "password": PASSWORD, "name": "Sari"});
        body[field] = value;
        body
    };
    let long = |length: usize| Value::String("é".repeat(length));
    for (path, body, field) in [
        ("/register", json!({"password": PASSWORD, "name": "Sari"}), "email"),
        ("/register", json!({"email": "s@mail.example", "name": "Sari"}), "password"),
        ("/register", json!({"email": "s@mail.example", "password": PASSWORD}), "name"),
        ("/register", registration("email", json!(null)), "email"),
        ("/register", registration("email", json!("sari")), "email"),
        ("/register", registration("email", json!(["s@mail.example"])), "email"),
        ("/register", registration("email", json!("s\u{0}@mail.example")), "email"),
        (
            "/register",
            registration("email", json!(format!("s@{}.example", "a".repeat(250)))),
            "email",
        ),
        ("/register", registration("password", json!("7 chars")), "password"),
        ("/register", registration("password", long(129)), "password"),
        ("/register", registration("password", json!("12345678")), "password"),
        ("/register", registration("password", json!("Password1")), "password"),
        ("/register", registration("password", json!(12345678)), "password"),
        ("/register", registration("name", json!("")), "name"),
        ("/register", registration("name", json!(" \t ")), "name"),
        ("/register", registration("name", json!("Sa\nri")), "name"),
        ("/register", registration("name", long(201)), "name"),
        ("/register", registration("role", json!("admin")), "role"),
        ("/login", json!({"email": "s@mail.example"}), "password"),
        ("/login", json!({"email": "sari", "password": PASSWORD}), "email"),
        (
            "/login",
            json!({"email": "s@mail.example", "password": "x", "remember": true}),
            "remember",
        ),
        ("/token/refresh", json!({}), "refresh_token"),
        ("/token/refresh", json!({"refresh_token": 7}), "refresh_token"),
        ("/logout", json!({"refresh_token": null}), "refresh_token"),
    ] {
        let answer = users.post(path, &body).await.is_about(field);
        assert!(!answer.body.to_string().contains(PASSWORD), "{:#}", answer.body);
    }
    let nothing_right = json!({"email": "", "password": "", "name": ""});
    let answer = users.post("/register", &nothing_right).await;
    answer.is_about("email").is_about("password").is_about("name");
    let (accounts,): (i64,) = sqlx::query_as("SELECT count(*) FROM users.account")
        .fetch_one(bed.superuser())
        .await
        .unwrap();
    assert_eq!(accounts, 0);
    users.stop().await;
}

#[tokio::test]
async fn values_just_within_the_limits_are_accepted() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    for (number, (password, name)) in [
        ("xK4#9qPz".to_owned(), "X".to_owned()),
        (('一'..).take(128).collect(), "é".repeat(200)),
        ("'; DROP TABLE account; --".to_owned(), "Robert'); --".to_owned()),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("o'hara+{number}@mail.example");
        let body = json!({"email": email, "password": password, "name": name});
        assert_eq!(users.post("/register", &body).await.is(201).body["user"]["name"], name);
        users.post("/login", &json!({"email": email, "password": password})).await.is(200);
    }
    users.stop().await;
}

#[tokio::test]
async fn malformed_bodies_are_refused_in_the_order_of_the_contract() {
    let bed = TestEnvironment::start().await;
    let users = TestApp::start(&bed, &[]).await;
    for path in ["/register", "/login", "/token/refresh", "/logout"] {
        for (kind, body, status, slug) in [
            ("application/json", "{".to_owned(), 400, "not-json"),
            ("application/json", String::new(), 400, "not-json"),
            ("text/plain", "{}".to_owned(), 415, "unsupported-media-type"),
            ("application/json", "[]".to_owned(), 422, "invalid-input"),
            ("application/json", "x".repeat(65 * 1024), 413, "too-large"),
        ] {
            users.send_raw(path, kind, body).await.is_problem(status, slug);
        }
        users.get(path).await.is_problem(405, "method-not-allowed");
    }
    users.get("/nowhere").await.is_problem(404, "not-found");
    users.stop().await;
}
