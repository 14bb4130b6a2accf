//! What an event has sold, as its organiser sees it.

use karcis_kernel::Role;
use karcis_testkit::{Person, eventually, together};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Concert, TestApp, plan, with};

async fn sales(by: &Person, event: &Concert) -> Value {
    by.get(&format!("/event/sales?event_id={}", event.id)).await.is(200).body
}

fn idr(amount: i64) -> Value {
    json!({"amount": amount, "currency": "IDR"})
}

/// Two ticket types in Tokyo, where it is another day for most of the European one.
fn tokyo() -> Value {
    with(
        plan(1),
        json!({"time_zone": "Asia/Tokyo", "ticket_types": [
            {"name": "VIP", "price": idr(500), "capacity": 20},
            {"name": "Free", "price": idr(0), "capacity": 10},
        ]}),
    )
}

/// Today in Tokyo.
fn today() -> String {
    let now = karcis_process::now() + chrono::TimeDelta::hours(9);
    now.format("%Y-%m-%d").to_string()
}

#[tokio::test]
async fn sales_are_shown_by_ticket_type_and_by_day() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &tokyo()).await;
    let nothing = sales(&organiser, &event).await;
    assert_eq!((&nothing["days"], &nothing["revenue"]), (&json!([]), &idr(0)));

    let before = today();
    app.sold(&event, 3).await;
    let (returned, _) = app.sold(&event, 2).await;
    let (_, codes) = app.sold(&event, 1).await;
    app.ask(event.release(returned)).await;
    app.ask(event.reserve(4)).await;
    let (gone, lost) = (event.reserve(5), event.reserve(1));
    for held in [gone, lost] {
        let booking = held.booking_id;
        app.ask(held).await;
        app.ask(event.release(booking)).await;
    }
    let door = app.person(Role::Door);
    door.post("/event/check-in", &json!({"code": codes[0]})).await.is(200);
    // At midnight in Tokyo it may be another day.
    if before != today() {
        return app.stop().await;
    }
    let shown = sales(&organiser, &event).await;
    let expected = json!({
        "event_id": event.id, "version": shown["version"], "time_zone": "Asia/Tokyo",
        "revenue": idr(2_000), "as_of": shown["as_of"],
        "ticket_types": [
            {"ticket_type_id": event.types[0], "name": "VIP", "capacity": 20, "free": 12, "held": 4,
             "sold": 4, "used": 1, "revenue": idr(2_000)},
            {"ticket_type_id": event.types[1], "name": "Free", "capacity": 10, "free": 10, "held": 0,
             "sold": 0, "used": 0, "revenue": idr(0)},
        ],
        "days": [
            {"day": before, "sold": 6, "refunded": 2, "revenue": idr(3_000), "refunds": idr(1_000)},
        ],
    });
    assert_eq!(shown, expected);
    app.stop().await;
}

#[tokio::test]
async fn days_are_listed_last_first_and_a_new_price_changes_no_old_revenue() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &tokyo()).await;
    app.sold(&event, 2).await;
    let earlier = "UPDATE events.sales_day SET day = day - 1";
    sqlx::query(earlier).execute(app.environment.superuser()).await.expect("it is stored");
    let price = json!([{"ticket_type_id": event.types[0], "price": idr(900)}]);
    let update = with(event.named(), json!({"ticket_types": price}));
    organiser.post("/event/update", &update).await.is(200);
    app.sold(&event, 1).await;
    let shown = sales(&organiser, &event).await;
    let days = shown["days"].as_array().expect("a list");
    let revenues: Vec<&Value> = days.iter().map(|day| &day["revenue"]).collect();
    assert_eq!(revenues, [&idr(900), &idr(1_000)]);
    assert!(days[0]["day"].as_str() > days[1]["day"].as_str());
    assert_eq!(shown["revenue"], idr(1_900));
    app.stop().await;
}

#[tokio::test]
async fn sales_count_what_is_sold_whatever_races() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(300)).await;
    let one = async |number: u32| {
        let (booking, _) = app.sold(&event, 2).await;
        if number.is_multiple_of(3) {
            app.ask(event.release(booking)).await;
            // A repeated command counts nothing.
            app.ask(event.release(booking)).await;
        } else {
            app.ask(event.confirm(booking)).await;
        }
    };
    together(20, (0..60).map(one)).await;
    let shown = sales(&organiser, &event).await;
    let of = |field: &str| -> i64 {
        let days = shown["days"].as_array().expect("a list").iter();
        days.map(|day| day[field].as_i64().expect("a number")).sum()
    };
    assert_eq!((of("sold"), of("refunded")), (120, 40));
    let kind = &shown["ticket_types"][0];
    assert_eq!((&kind["sold"], &kind["revenue"]), (&json!(80), &idr(80 * 750_000)));
    app.stop().await;
}

#[tokio::test]
async fn sales_are_watched_live() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(100)).await;
    let path = format!("/event/sales?event_id={}", event.id);
    let request = organiser.request(Method::GET, &path).header("accept", "text/event-stream");
    let mut watching = request.send().await.expect("a stream");
    assert_eq!(watching.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut seen = async |wanted: &str| {
        while !text.contains(wanted) {
            let chunk = watching.chunk().await.expect("it can be read").expect("it goes on");
            text += std::str::from_utf8(&chunk).expect("UTF-8");
        }
    };
    seen("\"free\":100").await;
    let (booking, codes) = app.sold(&event, 2).await;
    seen("\"sold\":2").await;
    app.person(Role::Door).post("/event/check-in", &json!({"code": codes[0]})).await.is(200);
    seen("\"used\":1").await;
    app.ask(event.release(booking)).await;
    seen("\"refunded\":2").await;
    let edit = with(
        event.named(),
        json!({"ticket_types": [
        {"ticket_type_id": event.types[0], "capacity": 50}]}),
    );
    organiser.post("/event/update", &edit).await.is(200);
    seen("\"free\":50").await;
    let version = eventually(async || {
        let version = sales(&organiser, &event).await["version"].as_i64();
        version.ok_or("a version")
    });
    let version = version.await;
    let known = organiser.request(Method::GET, &path).header("accept", "text/event-stream");
    let mut known =
        known.header("last-event-id", version.to_string()).send().await.expect("a stream");
    app.sold(&event, 1).await;
    let chunk = known.chunk().await.expect("it can be read").expect("it goes on");
    let chunk = std::str::from_utf8(&chunk).expect("UTF-8");
    assert!(!chunk.contains(&format!("id: {version}\n")), "what is known is left out: {chunk}");
    app.stop().await;
}

#[tokio::test]
async fn only_the_organiser_and_admins_see_sales() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let path = format!("/event/sales?event_id={}", event.id);
    app.person(Role::Admin).get(&path).await.is(200);
    app.organiser().get(&path).await.is_problem(404, "not-found");
    for role in [Role::Buyer, Role::Operator, Role::Door] {
        app.person(role).get(&path).await.is_problem(403, "wrong-role");
    }
    app.visitor().get(&path).await.is_problem(401, "not-logged-in");
    app.organiser().get("/event/sales").await.is_about("event_id");
    app.stop().await;
}
