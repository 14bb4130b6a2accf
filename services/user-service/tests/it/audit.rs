//! What admins do is recorded, and operators read it.

use karcis_testkit::TestEnvironment;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{ADMIN, PASSWORD, Session, TestApp, email};

#[tokio::test]
async fn every_privileged_act_is_recorded_with_who_what_whom_when_and_why() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let sari = users.registers("Sari").await;
    for (path, body) in [
        ("/user/role", json!({"role": "operator", "reason": " helps out "})),
        ("/user/role", json!({"role": "operator", "reason": "again"})),
        ("/user/disable", json!({"reason": "left"})),
        ("/user/enable", json!({"reason": "came back"})),
        ("/user/role", json!({"role": "nothing"})),
    ] {
        let mut body = body;
        body["email"] = json!(email("Sari"));
        users.send(Method::POST, path, &admin.access_token, &body).await;
    }
    let sari_id = &sari.user["user_id"];
    let operator = Session::of(users.logs_in("Sari", PASSWORD).await.is(200));
    let audit = |query: String| {
        let path = format!("/ops/user/audit{query}");
        let (users, operator) = (&users, &operator);
        async move { users.send(Method::GET, &path, &operator.access_token, &Value::Null).await }
    };
    let all = audit(String::new()).await.is(200).body;
    let seen: Vec<Value> = all["items"].as_array().unwrap().iter().map(what).collect();
    let (by, on) = (&admin.user["user_id"], sari_id);
    let first = json!([null, "give_role", by, null, "the first admin of the settings"]);
    assert_eq!(
        seen,
        [
            json!([by, "enable_account", on, null, "came back"]),
            json!([by, "disable_account", on, null, "left"]),
            json!([by, "give_role", on, "buyer to operator", "helps out"]),
            first,
        ]
    );
    assert!(all["items"][0]["at"].is_string() && all["items"][0]["trace_id"].is_string());
    assert_eq!(all["next_cursor"], Value::Null);

    let page = audit("?limit=3".to_owned()).await.is(200).body;
    assert_eq!(page["items"].as_array().unwrap().len(), 3);
    let rest = format!("?limit=3&cursor={}", page["next_cursor"].as_str().unwrap());
    let rest = audit(rest).await.is(200).body;
    assert_eq!(rest["items"].as_array().unwrap(), &all["items"].as_array().unwrap()[3..]);
    audit("?cursor=x".to_owned()).await.is_about("cursor");
    audit("?limit=101".to_owned()).await.is_about("limit");
    users.get("/ops/user/audit").await.is_problem(401, "not-logged-in");
    users.get("/ops/event/audit").await.is_problem(404, "not-found");
    let buyer = users.registers("Dewi").await;
    let answer =
        users.send(Method::GET, "/ops/user/audit", &buyer.access_token, &Value::Null).await;
    answer.is_problem(403, "wrong-role");
    users.stop().await;
}

fn what(entry: &Value) -> Value {
    json!(["actor_id", "action", "subject_id", "detail", "reason"].map(|field| &entry[field]))
}
