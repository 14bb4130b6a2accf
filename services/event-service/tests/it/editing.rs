//! What organisers do over HTTP, what they may not, and what is malformed.

use karcis_contracts::{EventFact, Message};
use karcis_kernel::Role;
use karcis_testkit::{Answer, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Concert, TestApp, in_days, plan, with};

#[tokio::test]
async fn a_new_event_is_shown_as_the_contract_says() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let plan = with(plan(10), json!({"description": "Pop\nand rock", "ends_at": null}));
    let answer = organiser.post("/event/create", &plan).await.is(201);
    let location = answer.headers["location"].to_str().expect("a path").to_owned();
    let event = answer.body;
    assert_eq!(location, format!("/events/{}", event["event_id"].as_str().expect("an id")));
    let starts_at = &plan["starts_at"];
    let ticket_type = &event["ticket_types"][0];
    let expected = json!({
        "event_id": event["event_id"], "version": 1, "status": "published", "cancel_reason": null,
        "title": "Dewa 19", "description": "Pop\nand rock", "venue": "Istora Senayan",
        "starts_at": starts_at, "ends_at": null, "time_zone": "Asia/Jakarta",
        "refundable_until": starts_at, "refundable_after_start": false,
        "organiser_id": organiser.user_id, "max_per_buyer": null,
        "ticket_types": [{
            "ticket_type_id": ticket_type["ticket_type_id"], "name": "VIP",
            "price": {"amount": 750_000, "currency": "IDR"}, "capacity": 10, "available": 10,
            "max_per_booking": 10, "sales_start": null, "sales_end": starts_at, "closed": false,
        }],
        "as_of": event["as_of"],
    });
    assert_eq!(event, expected);
    let mut seen = app.visitor().get(&location).await.is(200).body;
    seen["as_of"] = event["as_of"].clone();
    assert_eq!(seen, event);
    app.stop().await;
}

#[tokio::test]
async fn the_largest_event_is_answered_with_no_more_than_a_body_may_have() {
    let app = TestApp::start().await;
    // No character takes more bytes in JSON, as control characters are refused.
    let wide = |characters: usize| "🎟".repeat(characters);
    let ticket_type = |number: usize| {
        json!({
            "name": format!("{}{number:02}", wide(198)), "capacity": 1_000_000,
            "price": {"amount": 1_000_000_000_000_i64, "currency": "IDR"}, "max_per_booking": 1_000,
            "sales_start": "2026-01-01T00:00:00.000001Z", "sales_end": "2036-01-01T00:00:00.000001Z",
        })
    };
    let largest = json!({
        "title": wide(200), "venue": wide(200), "description": wide(10_000),
        "starts_at": "2036-08-17T12:00:00.000001Z", "ends_at": "2036-08-17T15:00:00.000001Z",
        "refundable_until": "2036-08-16T12:00:00.000001Z",
        "time_zone": "America/Argentina/ComodRivadavia",
        "ticket_types": (0..20).map(ticket_type).collect::<Vec<_>>(),
    });
    assert!(largest.to_string().len() <= 64 * 1024, "such a body is accepted");
    let organiser = app.organiser();
    let created = organiser.post("/event/create", &largest).await.is(201);
    let same = json!({"event_id": created.body["event_id"]});
    let updated = organiser.post("/event/update", &same).await.is(200);
    let cancel = with(same, json!({"reason": wide(1_000)}));
    let cancelled = organiser.post("/event/cancel", &cancel).await.is(202);
    for (answer, reason_bytes) in [(created, 0), (updated, 0), (cancelled, wide(1_000).len())] {
        let bytes = answer.body.to_string().len();
        assert!((60_000..=64 * 1024 + reason_bytes).contains(&bytes), "{bytes} bytes");
    }
    app.stop().await;
}

#[tokio::test]
async fn malformed_events_are_refused_with_the_field_that_is_wrong() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let of_type = |change: Value| {
        let base = plan(10)["ticket_types"][0].clone();
        json!({"ticket_types": [with(base, change)]})
    };
    let idr = |amount: i64| json!({"price": {"amount": amount, "currency": "IDR"}});
    for (change, field) in [
        (json!({"title": ""}), "title"),
        (json!({"title": "x".repeat(201)}), "title"),
        (json!({"title": "a\u{7}b"}), "title"),
        (json!({"title": null}), "title"),
        (json!({"title": 7}), "title"),
        (json!({"venue": "  "}), "venue"),
        (json!({"description": "x".repeat(10_001)}), "description"),
        (json!({"starts_at": "tomorrow"}), "starts_at"),
        (json!({"starts_at": "2020-01-01T00:00:00Z"}), "starts_at"),
        (json!({"starts_at": "+12345-01-01T00:00:00Z"}), "starts_at"),
        (json!({"ends_at": in_days(1)}), "ends_at"),
        (json!({"time_zone": "Jakarta"}), "time_zone"),
        (json!({"max_per_buyer": 0}), "max_per_buyer"),
        (json!({"max_per_buyer": 1_000_001}), "max_per_buyer"),
        (json!({"max_per_buyer": "4"}), "max_per_buyer"),
        (json!({"status": "cancelled"}), "status"),
        (json!({"status": {"draft": null}}), "status"),
        (json!({"ticket_types": []}), "ticket_types"),
        (json!({"ticket_types": "VIP"}), "ticket_types"),
        (json!({"colour": "red"}), "colour"),
        (of_type(json!({"name": ""})), "ticket_types[0].name"),
        (of_type(json!({"capacity": 0})), "ticket_types[0].capacity"),
        (of_type(json!({"capacity": 1_000_001})), "ticket_types[0].capacity"),
        (of_type(json!({"capacity": 1.5})), "ticket_types[0].capacity"),
        (of_type(json!({"max_per_booking": 0})), "ticket_types[0].max_per_booking"),
        (of_type(json!({"max_per_booking": 1_001})), "ticket_types[0].max_per_booking"),
        (of_type(idr(-1)), "ticket_types[0].price.amount"),
        (of_type(idr(1_000_000_000_001)), "ticket_types[0].price.amount"),
        (
            of_type(json!({"price": {"amount": 1, "currency": "XXX"}})),
            "ticket_types[0].price.currency",
        ),
        (of_type(json!({"sales_end": in_days(366)})), "ticket_types[0].sales_end"),
        (of_type(json!({"sales_start": in_days(366)})), "ticket_types[0].sales_start"),
    ] {
        let answer = organiser.post("/event/create", &with(plan(10), change.clone())).await;
        assert_eq!(answer.status.as_u16(), 422, "{change}");
        answer.is_about(field);
    }
    let post = || organiser.request(Method::POST, "/event/create");
    let json = "application/json";
    Answer::to(post().header("content-type", json).body("{")).await.is_problem(400, "not-json");
    let plain = post().header("content-type", "text/plain").body("{}");
    Answer::to(plain).await.is_problem(415, "unsupported-media-type");
    let big = with(plan(10), json!({"description": "x".repeat(65_536)}));
    organiser.post("/event/create", &big).await.is_problem(413, "too-large");
    let nul = with(plan(10), json!({"title": "a\0b"}));
    organiser.post("/event/create", &nul).await.is(422);
    app.stop().await;
}

#[tokio::test]
async fn an_update_changes_what_it_names() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let plan = with(plan(10), json!({"description": "Pop", "refundable_until": in_days(100)}));
    let event = app.made(&organiser, &plan).await;
    let vip = event.types[0];
    let changes = json!({
        "title": "Dewa 20", "description": null, "refundable_until": null, "version": 1,
        "ticket_types": [
            {"ticket_type_id": vip, "capacity": 20, "max_per_booking": 4},
        ],
    });
    for (method, version) in [(Method::PUT, 2), (Method::PATCH, 3), (Method::POST, 4)] {
        let mut changes =
            with(with(event.named(), changes.clone()), json!({"version": version - 1}));
        let types = changes["ticket_types"].as_array_mut().expect("a list");
        types.push(json!({
            "name": format!("Lawn {version}"), "price": {"amount": 0, "currency": "IDR"},
            "capacity": 5,
        }));
        let request = organiser.request(method, "/event/update").json(&changes);
        let after = Answer::to(request).await.is(200).body;
        assert_eq!(after["version"], version);
        assert_eq!(after["title"], "Dewa 20");
        assert_eq!(after["description"], Value::Null);
        assert_eq!(after["refundable_until"], after["starts_at"]);
        assert_eq!(after["ticket_types"][0]["capacity"], 20);
        assert_eq!(after["ticket_types"][0]["max_per_booking"], 4);
        assert_eq!(after["ticket_types"][0]["name"], "VIP", "absent is unchanged");
        assert_eq!(after["ticket_types"][version - 1]["name"], format!("Lawn {version}"));
        let path = format!("/events/{}", event.id);
        assert_eq!(app.visitor().get(&path).await.is(200).body["version"], version);
    }
    let same = with(event.named(), json!({"title": "Dewa 20"}));
    let after = organiser.post("/event/update", &same).await.is(200).body;
    assert_eq!(after["version"], 4, "nothing changed, so it is no edit");
    let back = with(
        event.named(),
        json!({
            "ticket_types": [{"ticket_type_id": vip, "max_per_booking": null, "closed": true}],
        }),
    );
    let after = organiser.post("/event/update", &back).await.is(200).body;
    assert_eq!(after["ticket_types"][0]["max_per_booking"], 10, "cleared is the default");
    assert_eq!(after["ticket_types"][0]["closed"], true);
    app.stop().await;
}

#[tokio::test]
async fn an_update_that_cannot_be_is_refused() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let vip = event.types[0];
    let stranger = "0197c0de-0000-7000-8000-000000000000";
    let of_vip = |change| json!({"ticket_types": [with(json!({"ticket_type_id": vip}), change)]});
    let update =
        async |change: Value| organiser.post("/event/update", &with(event.named(), change)).await;
    for (change, field) in [
        (json!({"title": null}), "title"),
        (json!({"starts_at": null}), "starts_at"),
        (json!({"ticket_types": null}), "ticket_types"),
        (json!({"status": "draft"}), "status"),
        (json!({"ends_at": in_days(1)}), "ends_at"),
        (of_vip(json!({"price": null})), "ticket_types[0].price"),
        (of_vip(json!({"capacity": null})), "ticket_types[0].capacity"),
        (json!({"ticket_types": [{"ticket_type_id": stranger}]}), "ticket_types[0].ticket_type_id"),
        (json!({"ticket_types": [{"name": "Lawn", "capacity": 1}]}), "ticket_types[0].price"),
        (
            json!({"ticket_types": [
                {"name": "Lawn", "capacity": 1, "price": {"amount": 1, "currency": "USD"}},
            ]}),
            "ticket_types[0].price.currency",
        ),
    ] {
        update(change).await.is_about(field);
    }
    update(json!({"version": 7})).await.is_problem(409, "version-conflict");

    app.ask(event.reserve(3)).await;
    let dollars = of_vip(json!({"price": {"amount": 9, "currency": "USD"}}));
    update(dollars).await.is_problem(409, "currency-frozen");
    update(of_vip(json!({"capacity": 2}))).await.is_problem(409, "capacity-below-sold");
    let after = update(of_vip(json!({"capacity": 3}))).await.is(200).body;
    assert_eq!(after["ticket_types"][0]["available"], 0);
    assert_eq!(after["version"], 2, "sales are no edits");
    let cancel = with(event.named(), json!({"reason": "rain"}));
    organiser.post("/event/cancel", &cancel).await.is(202);
    update(json!({"title": "Late"})).await.is_problem(409, "event-over");
    app.stop().await;
}

#[tokio::test]
async fn organisers_touch_only_their_own_events() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let calls = [
        ("/event/update", with(event.named(), json!({"title": "Mine"}))),
        ("/event/unpublish", event.named()),
        ("/event/publish", event.named()),
        ("/event/cancel", with(event.named(), json!({"reason": "spite"}))),
        ("/event/delete", event.named()),
    ];
    for (path, body) in &calls {
        app.visitor().post(path, body).await.is_problem(401, "not-logged-in");
        for role in [Role::Buyer, Role::Operator, Role::Door] {
            app.person(role).post(path, body).await.is_problem(403, "wrong-role");
        }
        app.organiser().post(path, body).await.is_problem(404, "not-found");
    }
    let buyer = app.person(Role::Buyer);
    buyer.post("/event/create", &plan(1)).await.is_problem(403, "wrong-role");
    let admin = app.person(Role::Admin);
    for ((path, body), status) in calls.iter().zip([200, 200, 200, 202, 204]) {
        admin.post(path, body).await.is(status);
    }
    app.stop().await;
}

#[tokio::test]
async fn an_event_is_published_taken_back_and_deleted_until_it_is_booked() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let stage = async |event: &Concert, path: &str| organiser.post(path, &event.named()).await;
    let event = app.made(&organiser, &with(plan(10), json!({"status": "draft"}))).await;
    assert_eq!(event.body["status"], "draft");
    for (path, status, version) in [
        ("/event/unpublish", "draft", 1),
        ("/event/publish", "published", 2),
        ("/event/publish", "published", 2),
        ("/event/unpublish", "draft", 3),
        ("/event/publish", "published", 4),
    ] {
        let answer = stage(&event, path).await.is(200).body;
        assert_eq!((&answer["status"], &answer["version"]), (&json!(status), &json!(version)));
    }
    let booking = event.reserve(1);
    app.ask(booking.clone()).await;
    app.ask(event.release(booking.booking_id)).await;
    stage(&event, "/event/unpublish").await.is_problem(409, "event-has-bookings");
    stage(&event, "/event/delete").await.is_problem(409, "event-has-bookings");

    let past = with(plan(10), json!({"status": "draft", "starts_at": in_days(-1)}));
    let past = app.made(&organiser, &past).await;
    stage(&past, "/event/publish").await.is_problem(409, "event-over");

    let event = app.made(&organiser, &plan(10)).await;
    let path = format!("/event/delete?event_id={}", event.id);
    let delete = || organiser.request(Method::DELETE, &path);
    Answer::to(delete()).await.is(204);
    Answer::to(delete()).await.is_problem(404, "not-found");
    app.visitor().get(&format!("/events/{}", event.id)).await.is_problem(404, "not-found");
    let nameless = organiser.request(Method::DELETE, "/event/delete");
    Answer::to(nameless).await.is_about("event_id");
    app.stop().await;
}

#[tokio::test]
async fn the_world_hears_of_what_it_can_see() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &with(plan(10), json!({"status": "draft"}))).await;
    let title = |title: &str| with(event.named(), json!({"title": title}));
    for (path, body) in [
        ("/event/update", title("Still a draft")),
        ("/event/publish", event.named()),
        ("/event/update", title("Seen")),
        ("/event/unpublish", event.named()),
        ("/event/publish", event.named()),
        ("/event/delete", event.named()),
    ] {
        let answer = organiser.post(path, &body).await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
    }
    let kinds = async || -> Vec<&str> { app.facts(event.id).iter().map(Message::kind).collect() };
    eventually(kinds)
        .is([
            "karcis.EventPublished.v1",
            "karcis.EventUpdated.v1",
            "karcis.EventDeleted.v1",
            "karcis.EventPublished.v1",
            "karcis.EventDeleted.v1",
        ])
        .await;
    let facts = app.facts(event.id);
    let EventFact::EventUpdated(updated) = &facts[1] else { panic!("{facts:?}") };
    assert_eq!((updated.title.as_str(), updated.version), ("Seen", 4));
    app.stop().await;
}

#[tokio::test]
async fn a_ticket_type_is_paused_and_reopened() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    for (closed, reply) in [(true, "TicketsRejected"), (false, "TicketsReserved")] {
        let types = json!([{"ticket_type_id": event.types[0], "closed": closed}]);
        let update = with(event.named(), json!({"ticket_types": types}));
        let updated = organiser.post("/event/update", &update).await.is(200).body;
        assert_eq!(updated["ticket_types"][0]["closed"], closed);
        let answer = format!("{:?}", app.ask(event.reserve(1)).await);
        assert!(answer.starts_with(reply), "{answer}");
    }
    app.stop().await;
}
