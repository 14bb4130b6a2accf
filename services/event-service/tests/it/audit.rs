//! What an admin does to another's event is recorded.

use karcis_kernel::Role;
use serde_json::{Value, json};

use crate::harness::{TestApp, plan, with};

#[tokio::test]
async fn what_an_admin_does_to_an_event_of_somebody_else_is_recorded() {
    let app = TestApp::start().await;
    let (organiser, admin) = (app.organiser(), app.person(Role::Admin));
    let mut expected = Vec::new();
    for (by, is_recorded) in [(&organiser, false), (&admin, true)] {
        for (path, more, action, reason) in [
            ("/event/unpublish", json!({}), "unpublish_event", Value::Null),
            ("/event/delete", json!({}), "delete_event", Value::Null),
            ("/event/cancel", json!({"reason": "rain"}), "cancel_event", json!("rain")),
        ] {
            let event = app.made(&organiser, &plan(10)).await;
            // What changes nothing is no act.
            for _ in 0..2 {
                by.post(path, &with(event.named(), more.clone())).await;
            }
            if is_recorded {
                expected.insert(0, json!([by.user_id, action, event.id, reason]));
            }
        }
    }
    let own = app.made(&admin, &plan(10)).await;
    admin.post("/event/delete", &own.named()).await.is(204);
    let booked = app.made(&organiser, &plan(10)).await;
    app.ask(booked.reserve(1)).await;
    admin.post("/event/delete", &booked.named()).await.is_problem(409, "event-has-bookings");

    let operator = app.person(Role::Operator);
    let audit = operator.get("/ops/event/audit").await.is(200).body;
    let entries = audit["items"].as_array().expect("a list").iter();
    let fields = ["actor_id", "action", "subject_id", "reason"];
    let entries: Vec<Value> = entries.map(|it| json!(fields.map(|field| &it[field]))).collect();
    assert_eq!(entries, expected);
    organiser.get("/ops/event/audit").await.is_problem(403, "wrong-role");
    app.stop().await;
}
