//! What changed of an event's tickets, for doors that may lose their network.

use std::collections::HashMap;

use karcis_kernel::{Role, TicketCode};
use karcis_testkit::{Person, together};
use serde_json::{Value, json};

use crate::harness::{Concert, TestApp, plan, with};

/// A door that keeps what it has read, and where it goes on.
struct Door {
    person: Person,
    event: String,
    since: Option<String>,
    states: HashMap<String, String>,
}

impl Door {
    fn new(app: &TestApp, event: &Concert) -> Self {
        let person = app.person(Role::Door);
        Self { person, event: event.id.to_string(), since: None, states: HashMap::new() }
    }

    /// Reads all that changed, in pages of so many. Returns how many tickets came.
    async fn reads(&mut self, limit: u16) -> usize {
        let (mut came, mut cursor) = (0, None::<String>);
        loop {
            let mut path = format!("/event/check-in/list?event_id={}&limit={limit}", self.event);
            if let Some(since) = &self.since {
                path += &format!("&since={since}");
            }
            if let Some(cursor) = &cursor {
                path += &format!("&cursor={cursor}");
            }
            let page = self.person.get(&path).await.is(200).body;
            for item in page["items"].as_array().expect("a list") {
                let text = |field: &str| item[field].as_str().expect("a text").to_owned();
                self.states.insert(text("code"), text("state"));
                came += 1;
            }
            let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
            cursor = text(&page["next_cursor"]);
            if cursor.is_none() {
                self.since = text(&page["since"]);
                return came;
            }
        }
    }

    fn state(&self, code: &TicketCode) -> Option<&str> {
        self.states.get(&code.to_string()).map(String::as_str)
    }
}

#[tokio::test]
async fn a_door_reads_all_tickets_and_then_what_changes() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(100)).await;
    let elsewhere = app.made(&app.organiser(), &plan(100)).await;
    app.sold(&elsewhere, 3).await;
    app.ask(event.reserve(1)).await;
    let mut door = Door::new(&app, &event);
    assert_eq!(door.reads(2).await, 0);
    let (booking, codes) = app.sold(&event, 5).await;
    let (_, others) = app.sold(&event, 2).await;
    assert_eq!(door.reads(2).await, 7);
    assert!(codes.iter().chain(&others).all(|code| door.state(code) == Some("valid")));
    assert_eq!(door.reads(2).await, 0);

    let check_in = json!({"code": others[0], "gate": "North"});
    let used = door.person.post("/event/check-in", &check_in).await.is(200).body;
    assert_eq!(door.reads(2).await, 1);
    assert_eq!(door.state(&others[0]), Some("used"));
    let path = format!("/event/check-in/list?event_id={}&limit=100", event.id);
    let all = door.person.get(&path).await.is(200).body;
    assert_eq!(all["event_status"], "published");
    let item = all["items"].as_array().and_then(|items| items.last()).expect("it changed last");
    let expected = json!({
        "code": others[0], "ticket_type_id": event.types[0], "name": "VIP",
        "booking_id": used["booking_id"], "state": "used", "gate": "North",
        "checked_in_at": used["checked_in_at"],
    });
    assert_eq!(*item, expected);

    door.person.post("/event/check-in", &with(check_in, json!({"undo": true}))).await.is(200);
    door.person.post("/event/check-in", &json!({"code": codes[0]})).await.is(200);
    app.ask(event.release(booking)).await;
    assert_eq!(door.reads(2).await, 6);
    assert_eq!(door.state(&others[0]), Some("valid"));
    assert!(codes.iter().all(|code| door.state(code) == Some("cancelled")));
    // Undone after it was given back: it comes again, cancelled as before.
    door.person.post("/event/check-in", &json!({"code": codes[0], "undo": true})).await.is(200);
    assert_eq!((door.reads(100).await, door.state(&codes[0])), (1, Some("cancelled")));
    app.stop().await;
}

#[tokio::test]
async fn who_polls_while_tickets_are_sold_and_used_misses_none() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(1_000)).await;
    let mut door = Door::new(&app, &event);
    let gate = app.person(Role::Door);
    let one = async |number: u32| {
        let (booking, codes) = app.sold(&event, 3).await;
        gate.post("/event/check-in", &json!({"code": codes[0]})).await.is(200);
        if number.is_multiple_of(3) {
            app.ask(event.release(booking)).await;
        }
        (codes, number.is_multiple_of(3))
    };
    let polling = async {
        while door.states.len() < 150 {
            door.reads(7).await;
        }
    };
    let (sold, ()) = tokio::join!(together(10, (0..50).map(one)), polling);
    door.reads(7).await;
    assert_eq!(door.states.len(), 150);
    for (codes, is_released) in sold {
        let expected = if is_released { ["cancelled"; 3] } else { ["used", "valid", "valid"] };
        let seen: Vec<_> = codes.iter().map(|code| door.state(code).expect("it came")).collect();
        assert_eq!(seen, expected);
    }
    app.stop().await;
}

#[tokio::test]
async fn only_those_who_admit_to_the_event_read_its_tickets() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    app.sold(&event, 1).await;
    for list in ["/event/check-in/list", "/event/attendees"] {
        let path = format!("{list}?event_id={}", event.id);
        for person in [&organiser, &app.person(Role::Admin), &app.person(Role::Door)] {
            let page = person.get(&path).await.is(200);
            assert_eq!(page.body["items"].as_array().map(Vec::len), Some(1));
            assert_eq!(page.headers["cache-control"], "no-store");
        }
        app.organiser().get(&path).await.is_problem(404, "not-found");
        app.person(Role::Buyer).get(&path).await.is_problem(403, "wrong-role");
        app.person(Role::Operator).get(&path).await.is_problem(403, "wrong-role");
        app.visitor().get(&path).await.is_problem(401, "not-logged-in");
        let unknown = format!("{list}?event_id={}", uuid::Uuid::now_v7());
        app.person(Role::Door).get(&unknown).await.is_problem(404, "not-found");
        organiser.get(&format!("{path}&limit=0")).await.is_about("limit");
        organiser.get(&format!("{path}&cursor=x")).await.is_about("cursor");
        organiser.get(list).await.is_about("event_id");
    }
    let path = format!("/event/check-in/list?event_id={}&since=x", event.id);
    organiser.get(&path).await.is_about("since");
    app.stop().await;
}

#[tokio::test]
async fn a_page_of_the_longest_texts_stays_below_64_kib() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let name = "\"".repeat(199) + "🎫";
    let long = json!([{"name": name, "price": {"amount": 0, "currency": "IDR"}, "capacity": 1_000,
        "max_per_booking": 100}]);
    let event = app.made(&organiser, &with(plan(1), json!({"ticket_types": long}))).await;
    app.sold(&event, 100).await;
    for list in ["/event/check-in/list", "/event/attendees"] {
        let (mut came, mut more) = (0, String::new());
        loop {
            let path = format!("{list}?event_id={}&limit=100{more}", event.id);
            let page = organiser.get(&path).await.is(200).body;
            assert!(page.to_string().len() <= 64 * 1024);
            came += page["items"].as_array().expect("a list").len();
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            more = format!("&cursor={cursor}");
        }
        assert_eq!(came, 100);
    }
    app.stop().await;
}
