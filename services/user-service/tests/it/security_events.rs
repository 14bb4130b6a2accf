//! What may be an attack leaves a line in the log, about nobody by name, and counts.

use karcis_testkit::TestEnvironment;
use reqwest::Method;
use serde_json::json;

use crate::{
    harness::{ADMIN, PASSWORD, Session, TestApp, email},
    logs::lines_with,
};

#[tokio::test]
async fn each_event_is_logged_by_user_id_and_counted() {
    let environment = TestEnvironment::start().await;
    let flags = [&ADMIN[..], &["--failed-logins-per-account", "3"]].concat();
    let users = TestApp::start(&environment, &flags).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let name = "Kartini";
    let stolen = users.registers(name).await;
    let id = stolen.user["user_id"].as_str().unwrap();
    let counted = async |event: &str| {
        let page = users.get("/metrics").await.is(200).body;
        let line = format!("karcis_security_events_total{{event=\"{event}\"}} ");
        let page = page.as_str().unwrap().to_owned();
        let count = page.lines().find_map(|it| it.strip_prefix(line.as_str()));
        count.unwrap_or_else(|| panic!("{event} is not counted")).parse::<u64>().unwrap()
    };
    let names = [
        "login_failed",
        "login_blocked",
        "disabled_refused",
        "token_reused",
        "role_changed",
        "account_disabled",
        "account_enabled",
        "sessions_ended",
    ];
    let mut before = Vec::new();
    for event in names {
        before.push(counted(event).await);
    }

    let next = Session::of(users.refreshes(&stolen).await.is(200));
    users.refreshes(&next).await.is(200);
    users.refreshes(&stolen).await.is_problem(401, "not-logged-in");
    let asks = async |path: &str, mut body: serde_json::Value| {
        body["email"] = json!(email(name));
        users.send(Method::POST, path, &admin.access_token, &body).await.is(200);
    };
    asks("/user/role", json!({"role": "door"})).await;
    asks("/user/disable", json!({"reason": "left"})).await;
    users.logs_in(name, PASSWORD).await.is_problem(401, "wrong-credentials");
    asks("/user/enable", json!({"reason": "came back"})).await;
    let here = Session::of(users.logs_in(name, PASSWORD).await.is(200));
    users.logs_in(name, PASSWORD).await.is(200);
    users.ends(&here, "/sessions").await.is(204);
    for _ in 0..2 {
        users.logs_in(name, "wrong").await.is_problem(401, "wrong-credentials");
    }
    for _ in 0..5 {
        users.logs_in(name, "wrong").await.is_problem(429, "too-many-requests");
    }

    for (event, before) in names.into_iter().zip(before) {
        assert!(counted(event).await > before, "{event}");
        // Floods of blocked ones are sampled, over all tests of this process.
        if event != "login_blocked" {
            let lines = lines_with(&[&format!("security=\"{event}\""), id]);
            assert!(!lines.is_empty(), "no line of {event} about {id}");
        }
    }
    let lines = lines_with(&["security="]);
    for personal in [name, &email(name), "127.0.0.", PASSWORD] {
        let about = lines.iter().find(|line| line.contains(personal));
        assert!(about.is_none(), "{personal} is in {about:?}");
    }
    users.stop().await;
}
