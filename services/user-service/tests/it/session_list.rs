//! People see where they are logged in, and end sessions.

use karcis_testkit::TestEnvironment;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{PASSWORD, Session, TestApp, email};

#[tokio::test]
async fn people_see_their_sessions_and_no_others() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let first = users.registers("Sari").await;
    users.registers("Dewi").await;
    let agent = format!("Phone\u{e9} {}", "x".repeat(300));
    let login = Client::new().post(users.url("/login")).header("user-agent", agent.as_bytes());
    let login = login.json(&json!({"email": email("Sari"), "password": PASSWORD}));
    let phone = Session::of(karcis_testkit::Answer::to(login).await.is(200));
    let phone = Session::of(users.refreshes(&phone).await.is(200));

    let seen = users.sessions(&first).await;
    assert_eq!(seen.len(), 2, "{seen:#?}");
    let (newest, current) = (&seen[0], &seen[1]);
    let name = newest["user_agent"].as_str().unwrap();
    assert!(name.starts_with("Phone\u{e9} xxx") && name.chars().count() == 200, "{name}");
    assert!(newest["last_used_at"].as_str() > newest["created_at"].as_str(), "{newest:#}");
    assert_eq!((&newest["current"], &current["current"]), (&json!(false), &json!(true)));
    assert_eq!((&current["user_agent"], current.as_object().unwrap().len()), (&Value::Null, 5));
    let mine: Vec<bool> =
        users.sessions(&phone).await.iter().map(|it| it["current"] == true).collect();
    assert_eq!(mine, [true, false]);
    users.get("/sessions").await.is_problem(401, "not-logged-in");
    users.stop().await;
}

#[tokio::test]
async fn an_ended_session_refreshes_and_changes_nothing() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let here = users.registers("Sari").await;
    let thief = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    let dewi = users.registers("Dewi").await;
    let id = |seen: &[Value], current: bool| {
        let session = seen.iter().find(|it| it["current"] == current).unwrap();
        format!("/sessions/{}", session["session_id"].as_str().unwrap())
    };
    let others = id(&users.sessions(&dewi).await, true);
    let theirs = id(&users.sessions(&here).await, false);
    for path in [others.as_str(), &format!("/sessions/{}", Uuid::now_v7()), "/sessions/x"] {
        users.ends(&here, path).await.is_problem(404, "not-found");
    }
    users.ends(&here, &theirs).await.is(204);
    users.ends(&here, &theirs).await.is_problem(404, "not-found");

    users.refreshes(&thief).await.is_problem(401, "not-logged-in");
    users.updates(&thief, &json!({"name": "Mine"})).await.is_problem(401, "not-logged-in");
    for (method, path) in [(Method::GET, "/sessions"), (Method::DELETE, "/sessions")] {
        let answer = users.send(method, path, &thief.access_token, &Value::Null).await;
        answer.is_problem(401, "not-logged-in");
    }
    users.refreshes(&dewi).await.is(200);
    let here = Session::of(users.refreshes(&here).await.is(200));
    let mine = id(&users.sessions(&here).await, true);
    users.ends(&here, &mine).await.is(204);
    users.refreshes(&here).await.is_problem(401, "not-logged-in");
    users.stop().await;
}

#[tokio::test]
async fn all_other_sessions_can_be_ended_at_once() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let here = users.registers("Sari").await;
    let there = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    users.ends(&here, "/sessions").await.is(204);
    users.ends(&here, "/sessions").await.is(204);
    users.refreshes(&there).await.is_problem(401, "not-logged-in");
    assert_eq!(users.sessions(&here).await.len(), 1);
    users.refreshes(&here).await.is(200);
    users.stop().await;
}

#[tokio::test]
async fn an_account_has_a_hundred_sessions_at_most() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let first = users.registers("Sari").await;
    let more = "INSERT INTO users.session (session_id, user_id, expires_at)
        SELECT gen_random_uuid(), user_id, now() + interval '1 day'
        FROM users.account, generate_series(1, 120)";
    sqlx::query(more).execute(environment.superuser()).await.unwrap();
    let last = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    assert_eq!(users.sessions(&last).await.len(), 100);
    users.refreshes(&first).await.is_problem(401, "not-logged-in");
    users.stop().await;
}
