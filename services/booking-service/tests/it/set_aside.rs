//! What operators do with the messages that a service set aside: dead letters and parked messages.

use karcis_contracts::{Message, TicketCodes, TicketFact};
use karcis_kernel::{Role, UserId};
use karcis_testkit::{Person, eventually};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Booked, TestApp, codes};

const LIST: &str = "/ops/booking/dead-letters";
const NEVER: Uuid = Uuid::nil();

#[tokio::test]
async fn a_dead_letter_is_shown_sent_again_and_thrown_away() {
    let app = TestApp::start().await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let booking = buyer.books().await;
    assert_eq!(items(&operator, LIST).await, Vec::<Value>::new());
    let body = json!({"booking_id": booking.id}).to_string();
    app.says(booking, TicketFact::TOPIC, "karcis.TicketsReserved.v1", &body).await;

    let dead = one_of(&operator, LIST).await;
    assert_eq!(dead["topic"], "karcis.tickets.v1");
    assert_eq!(dead["type"], "karcis.TicketsReserved.v1");
    assert_eq!([&dead["booking_id"], &dead["key"]], [&json!(booking.id), &json!(booking.id)]);
    assert_eq!([&dead["body"], &dead["body_bytes"]], [&json!(body), &json!(body.len())]);
    assert!(dead["error"].as_str().is_some_and(|it| it.contains("missing field")), "{dead}");
    let of = |booking: Uuid| format!("{LIST}?booking_id={booking}");
    assert_eq!(items(&operator, &of(booking.id.0)).await, std::slice::from_ref(&dead));
    assert_eq!(items(&operator, &of(NEVER)).await, Vec::<Value>::new());
    operator.get(&format!("{LIST}?booking_id=x")).await.is_about("booking_id");
    let path = path_of(&dead);
    let whole = operator.get(&path).await.is(200).body;
    assert_eq!(whole["headers"]["ce_source"], "event-service");
    assert_eq!(whole["headers"]["ce_type"], dead["type"]);

    let redrive = format!("{path}/redrive");
    operator.post(&redrive, &json!({})).await.is_about("reason");
    operator.post(&redrive, &json!({"reason": " "})).await.is_about("reason");
    operator.post(&format!("{LIST}/{NEVER}/redrive"), &why()).await.is_problem(404, "not-found");
    let done = operator.post(&redrive, &why()).await.is(200).body;
    assert_eq!(done, json!({"id": dead["dead_letter_id"], "is_repeated": false}));
    let done = operator.post(&redrive, &why()).await.is(200).body;
    assert_eq!(done["is_repeated"], true);

    // Nothing has changed, so it fails again.
    let again = one_of(&operator, LIST).await;
    assert_ne!(again["dead_letter_id"], dead["dead_letter_id"]);
    let whole_again = operator.get(&path_of(&again)).await.is(200).body;
    for name in ["ce_id", "ce_type", "ce_correlationid", "traceparent", "ce_attempt"] {
        assert_eq!(whole_again["headers"][name], whole["headers"][name], "{name}");
    }
    let discard = format!("{}/discard", path_of(&again));
    assert_eq!(operator.post(&discard, &why()).await.is(200).body["is_repeated"], false);
    assert_eq!(items(&operator, LIST).await, Vec::<Value>::new());

    let audit = items(&operator, "/ops/booking/audit").await;
    let acts = audit.iter().map(|act| {
        assert!(act["trace_id"].is_string() && act["actor_id"] == json!(operator.user_id));
        assert_eq!(act["reason"], "it is mended");
        assert_eq!(act["detail"], "karcis.tickets.v1 karcis.TicketsReserved.v1");
        (act["action"].as_str().expect("a name"), &act["subject_id"])
    });
    let redriven = ("redrive_dead_letter", &dead["dead_letter_id"]);
    let discarded = ("discard_dead_letter", &again["dead_letter_id"]);
    assert_eq!(acts.collect::<Vec<_>>(), [discarded, redriven]);
    app.stop().await;
}

#[tokio::test]
async fn operators_and_admins_alone_see_what_was_set_aside() {
    let app = TestApp::start().await;
    for list in [LIST, "/ops/booking/parked"] {
        app.visitor.get(list).await.is_problem(401, "not-logged-in");
        app.visitor.get(&list.replace("booking", "event")).await.is_problem(404, "not-found");
        for (role, is_shown) in [
            (Role::Buyer, false),
            (Role::Organiser, false),
            (Role::Door, false),
            (Role::Operator, true),
            (Role::Admin, true),
        ] {
            let person = app.person(UserId(Uuid::now_v7()), role);
            let acts = ["redrive", "resend", "discard"].map(|act| format!("{list}/{NEVER}/{act}"));
            if is_shown {
                person.get(list).await.is(200);
                person.get(&format!("{list}/{NEVER}")).await.is_problem(404, "not-found");
            } else {
                person.get(list).await.is_problem(403, "wrong-role");
                person.get(&format!("{list}/{NEVER}")).await.is_problem(403, "wrong-role");
                let own = if list == LIST { [0, 2] } else { [1, 2] };
                for act in own.map(|at| &acts[at]) {
                    person.post(act, &why()).await.is_problem(403, "wrong-role");
                }
            }
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn nobody_learns_a_tickets_code_from_a_dead_letter_or_a_parked_message() {
    let app = TestApp::start().await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let booking = buyer.books().await;
    let [code, _] = codes(booking).map(|code| code.to_string());
    // What is wrong with it is said with the code in it.
    let body = json!({"booking_id": booking.id, "event_id": booking.event_id, "tickets": code});
    let (topic, kind) = (TicketCodes::TOPIC, "karcis.TicketsIssued.v1");
    app.says(booking, topic, kind, &body.to_string()).await;
    let dead = one_of(&operator, LIST).await;
    app.park(booking, topic, kind, body.to_string().as_bytes()).await;
    let parked = one_of(&operator, "/ops/booking/parked").await;

    let whole = operator.get(&path_of(&dead)).await.is(200).body;
    let path = format!("/ops/booking/parked/{}", text(&parked["message_id"]));
    for shown in [dead, whole, parked, operator.get(&path).await.is(200).body] {
        assert_eq!([&shown["topic"], &shown["body"]], [&json!(topic), &Value::Null]);
        assert!(!shown.to_string().contains(&code), "{shown}");
    }
    app.clear().await;
    app.stop().await;
}

#[tokio::test]
async fn a_parked_message_is_shown_and_sent_again() {
    let app = TestApp::start().await;
    let (operator, buyer) = (app.operator(), app.buyer());
    let booking = buyer.books().await;
    let kind = "karcis.BookingCancelled.v1";
    let (topic, list) = ("karcis.bookings.v1", "/ops/booking/parked");
    for _ in 0..2 {
        app.park(booking, topic, kind, b"{}").await;
    }
    let parked = items(&operator, list).await;
    let paths = parked.iter().map(|it| format!("{list}/{}", text(&it["message_id"])));
    let paths: Vec<String> = paths.collect();
    assert_eq!(items(&operator, &format!("{list}?booking_id={}", booking.id)).await, parked);
    assert_eq!(items(&operator, &format!("{list}?booking_id={NEVER}")).await, Vec::<Value>::new());
    let first = operator.get(&format!("{list}?limit=1")).await.is(200).body;
    let cursor = text(&first["next_cursor"]);
    let second = items(&operator, &format!("{list}?limit=1&cursor={cursor}")).await;
    assert_eq!(json!([&first["items"][0], second[0]]), json!(parked));
    assert_eq!([&parked[0]["booking_id"], &parked[0]["error"]], [&json!(booking.id), &json!("no")]);

    let resend = format!("{}/resend", paths[0]);
    assert_eq!(operator.post(&resend, &why()).await.is(200).body["is_repeated"], false);
    assert_eq!(operator.post(&resend, &why()).await.is(200).body["is_repeated"], true);
    app.receives(booking, "BookingCancelled").await;
    let discard = format!("{}/discard", paths[1]);
    assert_eq!(operator.post(&discard, &why()).await.is(200).body["is_repeated"], false);
    operator.get(&paths[1]).await.is_problem(404, "not-found");
    operator.post(&format!("{}/resend", paths[1]), &why()).await.is_problem(404, "not-found");
    assert_eq!(app.count(booking, "BookingCancelled"), 1);
    let acts = items(&operator, "/ops/booking/audit").await;
    let acts: Vec<&str> = acts.iter().map(|act| act["action"].as_str().expect("a name")).collect();
    assert_eq!(acts, ["discard_parked_message", "resend_parked_message"]);
    app.stop().await;
}

#[tokio::test]
async fn answers_stay_small_however_long_the_messages_are() {
    let app = TestApp::start().await;
    let operator = app.operator();
    // Each byte takes six in JSON, unless it is shown as something else.
    let insert = r#"INSERT INTO bookings.dead_letter
            (topic, "partition", "offset", key, kind, headers, body, error)
        SELECT 'karcis.tickets.v1', 0, n, convert_to(repeat(chr(1), 5000), 'UTF8'),
            repeat(chr(2), 5000), json_build_object('remark', repeat(chr(3), 5000))::jsonb,
            convert_to(repeat(chr(4), 300000), 'UTF8'), repeat(chr(5), 5000)
        FROM generate_series(1, 100) AS n"#;
    sqlx::query(insert).execute(app.environment.superuser()).await.expect("rows can be made");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = operator.get(&format!("{LIST}?limit=100{cursor}")).await.is(200).body;
        assert!(page.to_string().len() < 64 * 1024);
        let items = page["items"].as_array().expect("a list");
        seen.extend(items.iter().map(|item| item["offset"].as_i64().expect("a number")));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=100).collect::<Vec<i64>>(), "each once");
    let path = path_of(&items(&operator, LIST).await[0]);
    let whole = operator.get(&path).await.is(200).body;
    assert!(whole.to_string().len() < 64 * 1024);
    assert_eq!(whole["body_bytes"], 300_000);
    operator.post(&format!("{path}/redrive"), &why()).await.is_problem(409, "not-redrivable");
    app.clear().await;
    app.stop().await;
}

fn why() -> Value {
    json!({"reason": "it is mended"})
}

fn path_of(dead: &Value) -> String {
    format!("{LIST}/{}", text(&dead["dead_letter_id"]))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

async fn items(operator: &Person, list: &str) -> Vec<Value> {
    let list = operator.get(list).await.is(200).body;
    list["items"].as_array().expect("a list").clone()
}

/// Waits until the list has one item.
async fn one_of(operator: &Person, list: &str) -> Value {
    eventually(async || match &items(operator, list).await[..] {
        [one] => Ok(one.clone()),
        others => Err(others.to_vec()),
    })
    .await
}

impl TestApp {
    /// event-service says this about a booking.
    pub(crate) async fn says(&self, booking: Booked, topic: &str, kind: &str, body: &str) {
        let insert = "INSERT INTO events.outbox (topic, key, kind, correlation, trace, body)
            VALUES ($1, $2, $3, $2, '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', $4)";
        let said = sqlx::query(insert).bind(topic).bind(booking.id.0).bind(kind);
        let said = said.bind(body.as_bytes()).execute(self.environment.superuser()).await;
        said.expect("rows can be made");
    }

    /// A message of the service's own that the broker did not take.
    pub(crate) async fn park(&self, booking: Booked, topic: &str, kind: &str, body: &[u8]) {
        let insert = "INSERT INTO bookings.parked_message
                (id, topic, key, kind, correlation, attempt, body, created_at, error)
            VALUES (gen_random_uuid(), $1, $2, $3, $2, 1, $4, now(), 'no')";
        let parked = sqlx::query(insert).bind(topic).bind(booking.id.0).bind(kind).bind(body);
        parked.execute(self.environment.superuser()).await.expect("rows can be made");
    }

    /// Throws away what a test left: it is expected.
    pub(crate) async fn clear(&self) {
        for table in ["bookings.dead_letter", "bookings.parked_message"] {
            let all = sqlx::AssertSqlSafe(format!("DELETE FROM {table}"));
            sqlx::query(all).execute(self.environment.superuser()).await.expect("rows can go");
        }
    }
}
