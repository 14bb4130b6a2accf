//! Operators end sessions of others, of one person or of everybody.

use karcis_testkit::TestEnvironment;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{ADMIN, PASSWORD, Session, TestApp};

const EVERYBODY: &str = "/ops/user/sessions/end";

#[tokio::test]
async fn an_operator_ends_the_sessions_of_one_person_or_of_everybody() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &ADMIN).await;
    let admin = Session::of(users.logs_in("Admin", PASSWORD).await.is(200));
    let (sari, budi) = (users.registers("Sari").await, users.registers("Budi").await);
    users.logs_in("Sari", PASSWORD).await.is(200);
    let why = json!({"reason": "a token was stolen"});
    let ends = async |who: &Session, path: &str, body: &Value| {
        users.send(Method::POST, path, &who.access_token, body).await
    };
    let of_sari = format!("/ops/user/{}/sessions/end", sari.user["user_id"].as_str().unwrap());
    for path in [EVERYBODY, &of_sari] {
        ends(&sari, path, &why).await.is_problem(403, "wrong-role");
        ends(&admin, path, &json!({"reason": " "})).await.is_about("reason");
        users.post(path, &why).await.is_problem(401, "not-logged-in");
    }
    let nobody = format!("/ops/user/{}/sessions/end", Uuid::now_v7());
    ends(&admin, &nobody, &why).await.is_problem(404, "not-found");

    for ended in [2, 0] {
        assert_eq!(ends(&admin, &of_sari, &why).await.is(200).body, json!({"ended": ended}));
    }
    users.refreshes(&sari).await.is_problem(401, "not-logged-in");
    let budi = Session::of(users.refreshes(&budi).await.is(200));
    for ended in [2, 0] {
        assert_eq!(ends(&admin, EVERYBODY, &why).await.is(200).body, json!({"ended": ended}));
    }
    users.refreshes(&budi).await.is_problem(401, "not-logged-in");
    users.logs_in("Sari", PASSWORD).await.is(200);

    let audit = users.send(Method::GET, "/ops/user/audit", &admin.access_token, &Value::Null);
    let audit = audit.await.is(200).body;
    let fields = ["actor_id", "action", "subject_id", "detail", "reason"];
    let acts = audit["items"].as_array().unwrap().iter().take(2);
    let acts: Vec<Value> = acts.map(|act| json!(fields.map(|field| &act[field]))).collect();
    let act = |on: &Value, detail: Value| {
        json!([admin.user["user_id"], "end_sessions", on, detail, "a token was stolen"])
    };
    let everybody = act(&json!(Uuid::nil()), json!("of everybody"));
    assert_eq!(acts, [everybody, act(&sari.user["user_id"], Value::Null)]);
    users.stop().await;
}
