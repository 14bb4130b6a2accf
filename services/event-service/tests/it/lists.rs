//! Lists of events: an organiser's own, in which order, until when, and what is on sale.

use karcis_kernel::Role;
use karcis_testkit::{Person, eventually};
use serde_json::{Value, json};

use crate::harness::{TestApp, in_days, plan, with};

async fn titles(who: &Person, query: &str) -> Vec<String> {
    let list = who.get(&format!("/events?{query}")).await.is(200).body;
    let items = list["items"].as_array().expect("a list has items");
    items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()).collect()
}

/// All pages of two.
async fn paged(who: &Person, query: &str) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/events?limit=2&{query}{cursor}");
        let page = who.get(&path).await.is(200).body;
        let items = page["items"].as_array().expect("a page has items");
        seen.extend(items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { return seen };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn an_organiser_lists_his_own_events_in_all_stages() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let plan_of = |title: &str, days: i64, status: &str| {
        let changes = json!({"title": title, "starts_at": in_days(days), "status": status});
        with(plan(1), changes)
    };
    let over = app.made(&organiser, &plan_of("Over", 5, "published")).await;
    app.let_pass(&over, 50).await;
    app.made(&organiser, &plan_of("Draft", 20, "draft")).await;
    app.made(&organiser, &plan_of("Public", 30, "published")).await;
    for (title, days, status) in [("Called off", 40, "published"), ("Secret", 10, "draft")] {
        let event = app.made(&organiser, &plan_of(title, days, status)).await;
        let cancel = with(event.named(), json!({"reason": "rain"}));
        organiser.post("/event/cancel", &cancel).await.is(202);
    }
    let other = app.organiser();
    app.made(&other, &plan_of("Another's draft", 15, "draft")).await;
    app.made(&other, &plan_of("Another's", 16, "published")).await;

    for (query, expected) in [
        ("organiser=me", &["Called off", "Public", "Draft", "Secret", "Over"] as &[&str]),
        ("organiser=me&status=published", &["Public"]),
        ("organiser=me&status=draft", &["Draft"]),
        ("organiser=me&status=cancelled", &["Called off", "Secret"]),
        ("organiser=me&status=ended", &["Over"]),
        ("organiser=me&q=OFF+called", &["Called off"]),
        (&format!("organiser=me&from={}&to={}", in_days(15), in_days(35)), &["Public", "Draft"]),
    ] {
        assert_eq!(titles(&organiser, query).await, expected, "{query}");
        assert_eq!(paged(&organiser, query).await, expected, "{query}");
    }
    assert_eq!(titles(&other, "organiser=me").await, ["Another's", "Another's draft"]);
    for role in [Role::Admin, Role::Buyer, Role::Door] {
        assert!(titles(&app.person(role), "organiser=me").await.is_empty(), "{role}");
    }
    let visitor = app.visitor();
    visitor.get("/events?organiser=me").await.is_problem(401, "not-logged-in");
    organiser.get("/events?organiser=you").await.is_about("organiser");
    app.stop().await;
}

#[tokio::test]
async fn what_is_over_is_listed_newest_first() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let starts = [10, 20, 20, 30, 40].map(in_days);
    for (n, starts_at) in (1..).zip(&starts) {
        let changes = json!({"title": format!("Event {n}"), "starts_at": starts_at});
        let event = app.made(&organiser, &with(plan(1), changes)).await;
        app.let_pass(&event, 100).await;
    }
    let visitor = app.visitor();
    let ended =
        |numbers: &[i32]| -> Vec<String> { numbers.iter().map(|n| format!("Event {n}")).collect() };
    assert_eq!(paged(&visitor, "status=ended").await, ended(&[5, 4, 3, 2, 1]));
    let between = format!("status=ended&from={}&to={}", in_days(-81), in_days(-59));
    assert_eq!(paged(&visitor, &between).await, ended(&[5, 4, 3, 2]));
    app.stop().await;
}

#[tokio::test]
async fn a_list_has_what_starts_at_from_and_not_what_starts_at_to() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    for (title, starts_at) in [
        ("before", "2035-05-05T04:59:59.999999Z"),
        ("five", "2035-05-05T05:00:00Z"),
        ("half", "2035-05-05T05:30:29.5Z"),
        ("six", "2035-05-05T06:00:00Z"),
    ] {
        for status in ["published", "draft"] {
            let changes = json!({"title": title, "starts_at": starts_at, "status": status});
            app.made(&organiser, &with(plan(1), changes)).await;
        }
    }
    for (from, to, expected) in [
        ("05:00:00Z", "06:00:00Z", &["five", "half"] as &[&str]),
        ("05:00:00Z", "06:00:00.000001Z", &["five", "half", "six"]),
        ("05:00:00.000001Z", "05:30:29.5Z", &[]),
        ("04:59:59.999999Z", "05:00:00Z", &["before"]),
        ("05:30:29.5Z", "05:30:29.500001Z", &["half"]),
        ("05:00:00Z", "05:00:00Z", &[]),
        ("06:00:00Z", "05:00:00Z", &[]),
    ] {
        let query = format!("from=2035-05-05T{from}&to=2035-05-05T{to}");
        assert_eq!(titles(&app.visitor(), &query).await, expected, "{query}");
        let mut newest_first = expected.to_vec();
        newest_first.reverse();
        let query = format!("{query}&status=draft");
        assert_eq!(titles(&organiser, &query).await, newest_first, "{query}");
        assert_eq!(paged(&organiser, &query).await, newest_first, "{query}");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_list_says_what_is_not_on_sale_and_when_it_will_be() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let ticket = |name: &str, more: Value| {
        let base = json!({"name": name, "price": {"amount": 40, "currency": "SGD"}, "capacity": 2});
        with(base, more)
    };
    let soon = in_days(3);
    let types = json!([ticket("Early", json!({})), ticket("Late", json!({"sales_start": soon})),]);
    let event = app.made(&organiser, &with(plan(1), json!({"ticket_types": types}))).await;
    let listed = async || {
        let list = app.visitor().get("/events").await.is(200).body;
        let item = &list["items"][0];
        (item["availability"].clone(), item["on_sale_at"].clone())
    };
    assert_eq!(listed().await, (json!("many"), json!(null)));
    app.ask(event.reserve(2)).await;
    eventually(listed).is((json!("not_on_sale"), json!(soon))).await;
    for (index, left) in [(1, ("sold_out", json!(null))), (0, ("not_on_sale", json!(null)))] {
        let closed = json!({"ticket_types": [
            {"ticket_type_id": event.types[index], "closed": true},
        ]});
        organiser.post("/event/update", &with(event.named(), closed)).await.is(200);
        eventually(listed).is((json!(left.0), left.1)).await;
    }
    app.stop().await;
}
