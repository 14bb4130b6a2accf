//! An event as the pattern of another.

use karcis_kernel::Role;
use serde_json::{Value, json};

use crate::harness::{TestApp, in_days, plan, with};

/// An event with everything that can be set.
fn whole() -> Value {
    let price = |amount: i64| json!({"amount": amount, "currency": "IDR"});
    with(
        plan(1),
        json!({
            "description": "An evening.", "starts_at": in_days(30), "ends_at": in_days(31),
            "refundable_until": in_days(20), "max_per_buyer": 4,
            "ticket_types": [
                {"name": "Early", "price": price(100), "capacity": 10, "max_per_booking": 2,
                 "sales_start": in_days(-10), "sales_end": in_days(10)},
                {"name": "Late", "price": price(200), "capacity": 20},
            ],
        }),
    )
}

#[tokio::test]
async fn a_copy_is_a_draft_whose_dates_are_moved_together() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &whole()).await;
    app.sold(&event, 2).await;
    let close = json!({"ticket_types": [{"ticket_type_id": event.types[0], "closed": true}]});
    organiser.post("/event/update", &with(event.named(), close)).await.is(200);
    // A hundred days later.
    let later = |date: &Value| {
        let date: chrono::DateTime<chrono::Utc> =
            date.as_str().and_then(|date| date.parse().ok()).expect("a time");
        json!(date + chrono::TimeDelta::days(100))
    };
    let wanted = with(event.named(), json!({"starts_at": later(&event.body["starts_at"])}));
    let answer = organiser.post("/event/duplicate", &wanted).await.is(201);
    let copy = answer.body;
    assert_eq!(
        answer.headers["location"],
        format!("/events/{}", copy["event_id"].as_str().expect("an id"))
    );
    let mut expected = event.body.clone();
    for path in [
        "/starts_at",
        "/ends_at",
        "/refundable_until",
        "/ticket_types/0/sales_start",
        "/ticket_types/0/sales_end",
        "/ticket_types/1/sales_end",
    ] {
        let date = expected.pointer_mut(path).expect("it has this date");
        *date = later(date);
    }
    for (path, value) in [("event_id", &copy["event_id"]), ("as_of", &copy["as_of"])] {
        assert_ne!(*value, event.body[path]);
        expected[path] = value.clone();
    }
    expected["status"] = json!("draft");
    for index in [0, 1] {
        let of_copy = &copy["ticket_types"][index]["ticket_type_id"];
        assert_ne!(*of_copy, json!(event.types[index]));
        expected["ticket_types"][index]["ticket_type_id"] = of_copy.clone();
    }
    assert_eq!(copy, expected, "the rest is the same, all of it free and open");
    let path = format!("/events/{}", copy["event_id"].as_str().expect("an id"));
    app.visitor().get(&path).await.is_problem(404, "not-found");
    assert_eq!(organiser.get(&path).await.is(200).body["title"], "Dewa 19");
    let publish = json!({"event_id": copy["event_id"]});
    assert_eq!(
        organiser.post("/event/publish", &publish).await.is(200).body["status"],
        "published"
    );
    app.stop().await;
}

#[tokio::test]
async fn a_cancelled_event_can_be_the_pattern_too() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let cancel = with(event.named(), json!({"reason": "rain"}));
    organiser.post("/event/cancel", &cancel).await.is(202);
    let wanted = with(event.named(), json!({"starts_at": in_days(500)}));
    let copy = organiser.post("/event/duplicate", &wanted).await.is(201).body;
    assert_eq!((&copy["status"], &copy["cancel_reason"]), (&json!("draft"), &Value::Null));
    app.stop().await;
}

#[tokio::test]
async fn dates_beyond_the_calendar_are_refused() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &whole()).await;
    for starts_at in
        ["9999-12-30T12:00:00Z", "1970-01-05T00:00:00Z", "9999-12-31T00:00:00Z", "soon"]
    {
        let wanted = with(event.named(), json!({"starts_at": starts_at}));
        organiser.post("/event/duplicate", &wanted).await.is_about("starts_at");
    }
    organiser.post("/event/duplicate", &event.named()).await.is_about("starts_at");
    let own = organiser.get("/events?organiser=me").await.is(200).body;
    assert_eq!(own["items"].as_array().map(Vec::len), Some(1), "nothing is added");
    app.stop().await;
}

#[tokio::test]
async fn an_admins_copy_is_the_organisers_and_recorded() {
    let app = TestApp::start().await;
    let (organiser, admin) = (app.organiser(), app.person(Role::Admin));
    let event = app.made(&organiser, &plan(10)).await;
    let wanted = with(event.named(), json!({"starts_at": in_days(500)}));
    let copy = admin.post("/event/duplicate", &wanted).await.is(201).body;
    assert_eq!(copy["organiser_id"], json!(organiser.user_id));
    organiser.post("/event/duplicate", &wanted).await.is(201);
    app.organiser().post("/event/duplicate", &wanted).await.is_problem(404, "not-found");
    app.person(Role::Door).post("/event/duplicate", &wanted).await.is_problem(403, "wrong-role");
    let audit = app.person(Role::Operator).get("/ops/event/audit").await.is(200).body;
    let entries = audit["items"].as_array().expect("a list");
    let fields = ["actor_id", "action", "subject_id"].map(|field| &entries[0][field]);
    assert_eq!(json!(fields), json!([admin.user_id, "duplicate_event", event.id]));
    assert_eq!(entries.len(), 1, "what organisers do to their own is not recorded");
    app.stop().await;
}
