//! An event that is sent back as it was shown, as forms do.

use karcis_testkit::{Answer, together};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{TestApp, in_days, plan, with};

#[tokio::test]
async fn an_event_is_accepted_as_it_was_shown_in_every_stage() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let full = json!({
        "description": "Dua\nhari", "ends_at": in_days(367), "max_per_buyer": 6,
        "refundable_until": in_days(300), "ticket_types": [
            {"name": "Sabtu", "price": {"amount": 10, "currency": "USD"}, "capacity": 8,
                "max_per_booking": 2, "sales_start": in_days(1), "sales_end": in_days(366)},
            {"name": "Minggu", "price": {"amount": 0, "currency": "USD"}, "capacity": 9},
        ],
    });
    for (stage, changes) in [
        ("draft", json!({"status": "draft"})),
        ("published", json!({})),
        ("published", full.clone()),
        ("cancelled", full.clone()),
        ("ended", full),
    ] {
        let event = app.made(&organiser, &with(plan(4), changes)).await;
        match stage {
            "cancelled" => {
                let cancel = with(event.named(), json!({"reason": "rain"}));
                organiser.post("/event/cancel", &cancel).await.is(202);
            }
            "ended" => app.let_pass(&event, 500).await,
            _ => {}
        }
        let path = format!("/events/{}", event.id);
        let shown = organiser.get(&path).await.is(200).body;
        assert_eq!(shown["status"], stage);
        let mut sent = shown.clone();
        for method in [Method::PUT, Method::POST, Method::PATCH] {
            let request = organiser.request(method, "/event/update").json(&sent);
            // Its answer can be sent back too.
            sent = Answer::to(request).await.is(200).body;
        }
        // An item of a list has no description, which then stays as it is.
        let listed = organiser.get("/events?organiser=me").await.is(200).body["items"].clone();
        let items = listed.as_array().expect("a list");
        let item = items.iter().find(|item| item["event_id"] == shown["event_id"]);
        let request = organiser.request(Method::PUT, "/event/update").json(item.expect("mine"));
        Answer::to(request).await.is(200);
        let again = organiser.get(&path).await.is(200).body;
        let no_numbers = |event| with(event, json!({"as_of": null}));
        assert_eq!(no_numbers(again), no_numbers(shown), "{stage}");
    }
    app.stop().await;
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_if_it_is_another() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(4)).await;
    for (changes, field) in [
        (json!({"status": "draft"}), "status"),
        (json!({"status": "cancelled"}), "status"),
        (json!({"status": null}), "status"),
        (json!({"status": "sold"}), "status"),
        (json!({"status": {"published": null}}), "status"),
        (json!({"organiser_id": app.organiser().user_id}), "organiser_id"),
        (json!({"as_of": "noon"}), "as_of"),
        (
            json!({"ticket_types": [{"ticket_type_id": event.types[0], "available": "4"}]}),
            "ticket_types[0].available",
        ),
        (json!({"free": 4}), "free"),
    ] {
        organiser.post("/event/update", &with(event.named(), changes)).await.is_about(field);
    }
    app.stop().await;
}

#[tokio::test]
async fn a_new_ticket_type_that_is_sent_twice_is_added_once() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(4)).await;
    let balcony = |name: &str| {
        with(
            event.named(),
            json!({"ticket_types": [
                {"name": name, "price": {"amount": 300, "currency": "IDR"}, "capacity": 70},
            ]}),
        )
    };
    let body = balcony("Balkon");
    let sent = together(8, (0..8).map(|_| organiser.post("/event/update", &body))).await;
    let (added, refused): (Vec<_>, Vec<_>) = sent.into_iter().partition(|a| a.status == 200);
    assert_eq!(added.len(), 1);
    for answer in refused {
        answer.is_about("ticket_types[0].name");
    }
    organiser.post("/event/update", &balcony("  BALKON ")).await.is_about("ticket_types[0].name");
    let types = |event: &Value| event["ticket_types"].as_array().map(Vec::len);
    let seen = app.visitor().get(&format!("/events/{}", event.id)).await.is(200).body;
    assert_eq!(types(&seen), Some(2));
    let twice = json!([
        {"name": "Utara", "price": {"amount": 1, "currency": "IDR"}, "capacity": 1},
        {"name": "utara", "price": {"amount": 1, "currency": "IDR"}, "capacity": 1},
    ]);
    let twice = with(plan(1), json!({"ticket_types": twice}));
    organiser.post("/event/create", &twice).await.is_about("ticket_types[1].name");
    app.stop().await;
}

#[tokio::test]
async fn another_time_zone_alone_moves_the_clocks_and_the_answer_says_so() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let plan = with(
        plan(1),
        json!({
            "starts_at": "2035-07-14T13:00:00Z", "ends_at": "2035-07-14T18:30:00Z",
        }),
    );
    let event = app.made(&organiser, &plan).await;
    for (zone, starts_at, ends_at) in [
        ("Asia/Jayapura", "2035-07-14T22:00:00+09:00", "2035-07-15T03:30:00+09:00"),
        ("Asia/Kathmandu", "2035-07-14T18:45:00+05:45", "2035-07-15T00:15:00+05:45"),
        ("America/New_York", "2035-07-14T09:00:00-04:00", "2035-07-14T14:30:00-04:00"),
    ] {
        let moved = with(event.named(), json!({"time_zone": zone}));
        let after = organiser.post("/event/update", &moved).await.is(200).body;
        assert_eq!(after["starts_at"], "2035-07-14T13:00:00Z", "the moment is the same");
        assert_eq!(after["local"], json!({"starts_at": starts_at, "ends_at": ends_at}), "{zone}");
    }
    let endless = with(event.named(), json!({"ends_at": null}));
    let after = organiser.post("/event/update", &endless).await.is(200).body;
    assert_eq!(after["local"]["ends_at"], Value::Null);
    app.stop().await;
}
