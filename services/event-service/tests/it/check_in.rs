//! Tickets at the door: each is admitted once.

use karcis_kernel::{Role, TicketCode};
use karcis_testkit::{Person, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{TestApp, in_days, plan, with};

async fn shows(door: &Person, code: &TicketCode, more: Value) -> Value {
    door.post("/event/check-in", &with(json!({"code": code}), more)).await.is(200).body
}

async fn result(door: &Person, code: &TicketCode, more: Value) -> String {
    shows(door, code, more).await["result"].as_str().expect("a result").to_owned()
}

async fn status(app: &TestApp, code: &TicketCode) -> Value {
    app.visitor().get(&format!("/tickets/{code}")).await.is(200).body["status"].clone()
}

/// How many of the event's tickets count as used.
async fn used(app: &TestApp) -> i32 {
    let select = sqlx::query_scalar("SELECT used FROM events.ticket_type");
    select.fetch_one(app.environment.superuser()).await.expect("the ticket type is stored")
}

#[tokio::test]
async fn a_ticket_is_admitted_once_and_then_says_when_where_and_by_whom() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let (booking, codes) = app.sold(&event, 2).await;
    let (north, south) = (app.person(Role::Door), app.person(Role::Door));
    let admitted = shows(&north, &codes[0], json!({"gate": " North "})).await;
    let expected = json!({
        "result": "admitted", "code": codes[0], "event_id": event.id,
        "ticket_type_id": event.types[0], "name": "VIP", "booking_id": booking,
        "checked_in_at": admitted["checked_in_at"], "checked_in_by": north.user_id,
        "gate": "North",
    });
    assert_eq!(admitted, expected);
    let already = shows(&south, &codes[0], json!({"gate": "South"})).await;
    assert_eq!(already, with(expected, json!({"result": "already"})));
    assert_eq!((status(&app, &codes[0]).await, used(&app).await), (json!("used"), 1));
    assert_eq!(status(&app, &codes[1]).await, "valid");
    // As people type it.
    let typed = format!(" {} ", codes[1].to_string().to_uppercase());
    let answer = north.post("/event/check-in", &json!({"code": typed})).await.is(200).body;
    assert_eq!((&answer["result"], &answer["code"]), (&json!("admitted"), &json!(codes[1])));
    assert_eq!(answer["gate"], Value::Null);
    app.stop().await;
}

#[tokio::test]
async fn of_two_doors_at_once_one_admits() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(100)).await;
    let (_, codes) = app.sold(&event, 10).await;
    let doors = [app.person(Role::Door), app.person(Role::Door)];
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()";
    for (used_before, code) in codes.iter().enumerate() {
        // Both wait for the event, so that they decide at the same moment.
        let pool = app.environment.superuser();
        let mut locking = pool.begin().await.expect("a transaction begins");
        let lock = sqlx::query("SELECT FROM events.event WHERE event_id = $1 FOR UPDATE");
        lock.bind(event.id.0).execute(&mut *locking).await.expect("the event is locked");
        let both_wait = async {
            let count = || async { sqlx::query_scalar::<_, i64>(waiting).fetch_one(pool).await };
            eventually(|| async { count().await.expect("it is counted") }).is(2).await;
            locking.rollback().await.expect("the event is free");
        };
        let scan = |door| result(door, code, json!({}));
        let ((), first, second) = tokio::join!(both_wait, scan(&doors[0]), scan(&doors[1]));
        let mut results = [first, second];
        results.sort();
        assert_eq!(results, ["admitted", "already"]);
        assert_eq!(used(&app).await, used_before as i32 + 1);
    }
    app.stop().await;
}

#[tokio::test]
async fn the_same_request_again_is_admitted_again() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let (_, codes) = app.sold(&event, 2).await;
    let door = app.person(Role::Door);
    let (own, other) =
        (json!({"check_in_id": Uuid::now_v7()}), json!({"check_in_id": Uuid::now_v7()}));
    let first = shows(&door, &codes[0], own.clone()).await;
    assert_eq!(first["result"], "admitted");
    assert_eq!(shows(&door, &codes[0], own.clone()).await, first, "its answer may have been lost");
    assert_eq!(result(&door, &codes[0], other).await, "already");
    assert_eq!(result(&door, &codes[0], json!({})).await, "already");
    assert_eq!(result(&door, &codes[1], own).await, "admitted", "it is of one ticket");
    assert_eq!(used(&app).await, 2);
    app.stop().await;
}

#[tokio::test]
async fn a_use_can_be_undone() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let (_, codes) = app.sold(&event, 1).await;
    let (door, code, undo) = (app.person(Role::Door), &codes[0], json!({"undo": true}));
    assert_eq!(result(&door, code, undo.clone()).await, "undone", "it was not used");
    assert_eq!(result(&door, code, json!({"gate": "North"})).await, "admitted");
    for _ in 0..2 {
        let undone = shows(&door, code, undo.clone()).await;
        let members = ["result", "checked_in_at", "checked_in_by", "gate"].map(|it| &undone[it]);
        assert_eq!(json!(members), json!(["undone", null, null, null]));
        assert_eq!((status(&app, code).await, used(&app).await), (json!("valid"), 0));
    }
    assert_eq!(result(&door, code, json!({})).await, "admitted");
    assert_eq!((status(&app, code).await, used(&app).await), (json!("used"), 1));
    app.stop().await;
}

#[tokio::test]
async fn what_was_given_back_is_cancelled() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let (booking, codes) = app.sold(&event, 2).await;
    let (_, kept) = app.sold(&event, 1).await;
    let door = app.person(Role::Door);
    assert_eq!(result(&door, &codes[0], json!({})).await, "admitted");
    app.ask(event.release(booking)).await;
    for code in &codes {
        assert_eq!(result(&door, code, json!({})).await, "cancelled");
    }
    assert_eq!(status(&app, &codes[0]).await, "used", "what was used stays used");
    assert_eq!(result(&door, &codes[1], json!({"undo": true})).await, "cancelled");
    assert_eq!(result(&door, &codes[0], json!({"undo": true})).await, "undone");
    assert_eq!(status(&app, &codes[0]).await, "cancelled");
    let cancel = with(event.named(), json!({"reason": "rain"}));
    organiser.post("/event/cancel", &cancel).await.is(202);
    let answer = shows(&door, &kept[0], json!({})).await;
    assert_eq!((&answer["result"], &answer["name"]), (&json!("cancelled"), &json!("VIP")));
    app.stop().await;
}

#[tokio::test]
async fn what_is_not_for_this_door_is_unknown() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let elsewhere = app.made(&organiser, &plan(10)).await;
    let (_, codes) = app.sold(&event, 3).await;
    let (door, code) = (app.person(Role::Door), &codes[0]);
    let unknown = json!({
        "result": "unknown", "code": code, "event_id": null, "ticket_type_id": null, "name": null,
        "booking_id": null, "checked_in_at": null, "checked_in_by": null, "gate": null,
    });
    assert_eq!(shows(&app.organiser(), code, json!({})).await, unknown, "another's event");
    assert_eq!(shows(&door, code, elsewhere.named()).await, unknown, "another event's door");
    let undo = json!({"undo": true});
    assert_eq!(result(&app.organiser(), code, undo.clone()).await, "unknown");
    let never = TicketCode::from_bits(7);
    assert_eq!(result(&door, &never, undo).await, "unknown");
    for scanned in ["https://example.com/menu", "", "0"] {
        let answer = door.post("/event/check-in", &json!({"code": scanned})).await.is(200).body;
        assert_eq!(answer, with(unknown.clone(), json!({"code": null})), "{scanned}");
    }
    assert_eq!((status(&app, code).await, used(&app).await), (json!("valid"), 0));
    for (code, by) in codes.iter().zip([&organiser, &app.person(Role::Admin), &door]) {
        assert_eq!(result(by, code, event.named()).await, "admitted");
    }
    for role in [Role::Buyer, Role::Operator] {
        let answer = app.person(role).post("/event/check-in", &json!({"code": code})).await;
        answer.is_problem(403, "wrong-role");
    }
    let visitor = app.visitor().post("/event/check-in", &json!({"code": code})).await;
    visitor.is_problem(401, "not-logged-in");
    app.stop().await;
}

#[tokio::test]
async fn a_door_that_had_no_network_reports_later() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let (_, codes) = app.sold(&event, 2).await;
    let (door, yesterday) = (app.person(Role::Door), in_days(-1));
    for (at, message) in [(in_days(1), "not after"), (in_days(-8), "within the last 7 days")] {
        let refused =
            door.post("/event/check-in", &json!({"code": codes[0], "at": at})).await.is_about("at");
        assert!(refused.body.to_string().contains(message), "{}", refused.body);
    }
    door.post("/event/check-in", &json!({"code": codes[0], "gate": " "})).await.is_about("gate");
    assert_eq!(used(&app).await, 0, "bad input changes nothing");
    let late = shows(&door, &codes[0], json!({"at": yesterday})).await;
    assert_eq!((&late["result"], &late["checked_in_at"]), (&json!("admitted"), &json!(yesterday)));
    // The first report that arrives stands, even if another door was earlier.
    let earlier = shows(&door, &codes[0], json!({"at": in_days(-2)})).await;
    assert_eq!(
        (&earlier["result"], &earlier["checked_in_at"]),
        (&json!("already"), &json!(yesterday))
    );
    // A clock that is a minute ahead does no harm.
    let ahead = karcis_process::now() + chrono::TimeDelta::minutes(1);
    let now = shows(&door, &codes[1], json!({"at": ahead})).await;
    let at: chrono::DateTime<chrono::Utc> =
        now["checked_in_at"].as_str().expect("a time").parse().expect("a time");
    assert!(at < ahead, "{now}");
    app.stop().await;
}
