//! The tickets that are sold of an event, in pages and as a file.

use karcis_kernel::Role;
use karcis_testkit::{Answer, Person};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Concert, TestApp, plan, with};

async fn page(by: &Person, event: &Concert, more: &str) -> Value {
    by.get(&format!("/event/attendees?event_id={}{more}", event.id)).await.is(200).body
}

async fn file(by: &Person, event: &Concert, more: &str) -> Answer {
    let path = format!("/event/attendees?event_id={}{more}", event.id);
    Answer::to(by.request(Method::GET, &path).header("accept", "text/csv")).await.is(200)
}

fn codes(page: &Value) -> Vec<Value> {
    let items = page["items"].as_array().expect("a list");
    items.iter().map(|item| item["code"].clone()).collect()
}

#[tokio::test]
async fn what_is_sold_is_listed_newest_first() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(100)).await;
    let (booking, first) = app.sold(&event, 3).await;
    let (released, _) = app.sold(&event, 2).await;
    let (_, last) = app.sold(&event, 2).await;
    app.ask(event.release(released)).await;
    app.ask(event.reserve(1)).await;
    let door = app.person(Role::Door);
    let check_in = json!({"code": first[0], "gate": "North"});
    let used = door.post("/event/check-in", &check_in).await.is(200).body;
    let newest_first = json!([last[1], last[0], first[2], first[1], first[0]]);
    let all = page(&organiser, &event, "").await;
    assert_eq!((json!(codes(&all)), &all["next_cursor"]), (newest_first.clone(), &Value::Null));
    let expected = json!({
        "code": first[0], "ticket_type_id": event.types[0], "name": "VIP", "booking_id": booking,
        "state": "used", "checked_in_at": used["checked_in_at"], "gate": "North",
    });
    assert_eq!(all["items"][4], expected);
    assert_eq!(all["items"][3]["state"], "valid");
    let (mut listed, mut more) = (vec![], String::new());
    loop {
        let page = page(&organiser, &event, &format!("&limit=2{more}")).await;
        listed.extend(codes(&page));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        more = format!("&cursor={cursor}");
    }
    assert_eq!(json!(listed), newest_first);
    app.stop().await;
}

#[tokio::test]
async fn tickets_are_found_by_type_code_and_booking() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let price = json!({"amount": 0, "currency": "IDR"});
    let types = json!([
        {"name": "Fête", "price": price, "capacity": 100},
        {"name": "100%", "price": price, "capacity": 100},
    ]);
    let event = app.made(&organiser, &with(plan(1), json!({"ticket_types": types}))).await;
    let (booking, codes_of_first) = app.sold(&event, 2).await;
    let (other_booking, _) = app.sold(&event, 1).await;
    let code = codes_of_first[0].to_string();
    for (text, expected) in [
        ("fete", 3),
        ("F%C3%8ATE", 3),
        ("100%25", 0),
        ("%25", 0),
        (&code, 1),
        (&code[..12], 1),
        (&code[..12].to_uppercase(), 1),
        (&booking.to_string(), 2),
        (&other_booking.to_string(), 1),
        (&Uuid::now_v7().to_string(), 0),
        ("%20", 3),
        ("", 3),
    ] {
        let found = page(&organiser, &event, &format!("&q={text}")).await;
        assert_eq!(codes(&found).len(), expected, "{text}");
    }
    let long = format!("/event/attendees?event_id={}&q={}", event.id, "x".repeat(201));
    organiser.get(&long).await.is_about("q");
    app.stop().await;
}

#[tokio::test]
async fn a_file_has_all_of_them_and_no_formulas() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let named = json!([{"name": "=HYPERLINK(\"http://x\")", "capacity": 5_000,
        "price": {"amount": 0, "currency": "IDR"}, "max_per_booking": 1_000}]);
    let event = app.made(&organiser, &with(plan(1), json!({"ticket_types": named}))).await;
    let empty = file(&organiser, &event, "").await;
    let head = "code,ticket_type_id,name,booking_id,state,checked_in_at,gate\r\n";
    assert_eq!(empty.body, head);
    assert_eq!(empty.headers["content-type"], "text/csv; charset=utf-8; header=present");
    assert!(
        empty.headers["content-disposition"]
            .to_str()
            .expect("a header in ASCII")
            .starts_with("attachment")
    );
    assert_eq!(empty.headers["cache-control"], "no-store");

    let (booking, codes) = app.sold(&event, 1_000).await;
    let (_, more) = app.sold(&event, 1_000).await;
    let (_, last) = app.sold(&event, 1).await;
    let door = app.person(Role::Door);
    let check_in = json!({"code": codes[0], "gate": "-1 level"});
    let used = door.post("/event/check-in", &check_in).await.is(200).body;
    let body = file(&organiser, &event, "&limit=1").await.body;
    let lines: Vec<&str> = body.as_str().expect("a text").split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + codes.len() + more.len() + last.len());
    let (name, at) =
        ("'=HYPERLINK(\"\"http://x\"\")", used["checked_in_at"].as_str().expect("a time"));
    let line = |code: &str, booking: &str, rest: &str| {
        format!("\"{code}\",\"{}\",\"{name}\",\"{booking}\",{rest}", event.types[0])
    };
    let (code, booking) = (codes[0].to_string(), booking.to_string());
    let rest = format!("\"used\",\"{at}\",\"'-1 level\"");
    assert_eq!(lines.last(), Some(&line(&code, &booking, &rest).as_str()));
    let unused = line(&codes[1].to_string(), &booking, "\"valid\",\"\",\"\"");
    assert!(lines.contains(&unused.as_str()), "{unused}");
    let found = file(&organiser, &event, &format!("&q={booking}")).await.body;
    assert_eq!(found.as_str().expect("a text").lines().count(), 1 + codes.len());
    app.stop().await;
}

#[tokio::test]
async fn a_few_files_are_written_at_once_and_slow_readers_hold_no_connection() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let many =
        json!([{"name": "VIP", "capacity": 200_000, "price": {"amount": 0, "currency": "IDR"}}]);
    let event = app.made(&organiser, &with(plan(1), json!({"ticket_types": many}))).await;
    app.sold(&event, 1).await;
    // As many as no buffer between the two has room for.
    let insert = "
        INSERT INTO events.ticket (code, booking_id, ticket_type_id, place)
        SELECT gen_random_uuid(), booking_id, ticket_type_id, number
        FROM events.ticket, generate_series(2, 100000) AS number";
    let inserting = sqlx::query(insert).execute(app.environment.superuser());
    inserting.await.expect("the tickets are stored");
    let path = format!("/event/attendees?event_id={}", event.id);
    let ask = || organiser.request(Method::GET, &path).header("accept", "text/csv").send();
    let (first, second) = (ask().await.expect("a file"), ask().await.expect("a file"));
    assert_eq!(ask().await.expect("an answer").status(), 503, "two are being written");
    for _ in 0..20 {
        page(&organiser, &event, "").await;
    }
    drop(first);
    let body = second.text().await.expect("the file is complete");
    assert_eq!(body.lines().count(), 100_001);
    karcis_testkit::eventually(|| async { ask().await.expect("an answer").status().as_u16() })
        .is(200)
        .await;
    app.stop().await;
}
