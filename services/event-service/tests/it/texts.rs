//! Texts and times as people and their programs send them.

use karcis_testkit::Answer;
use serde_json::{Value, json};

use crate::harness::{TestApp, plan, with};

fn message(answer: &Answer) -> String {
    answer.body["errors"][0]["message"].to_string()
}

fn named(name: &str) -> Value {
    json!({"ticket_types": [with(plan(10)["ticket_types"][0].clone(), json!({"name": name}))]})
}

#[tokio::test]
async fn what_people_write_is_stored_trimmed_and_in_one_spelling() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    for (typed, stored) in [
        ("Malam Keroncong\n", "Malam Keroncong"),
        ("\u{feff}\r\nKafka im Cafe\u{301}\u{2029}", "Kafka im Café"),
        ("مهرجان (2036)\u{200f}", "مهرجان (2036)\u{200f}"),
        ("👨\u{200d}👩\u{200d}👧 & ❤\u{fe0f}", "👨\u{200d}👩\u{200d}👧 & ❤\u{fe0f}"),
    ] {
        let change = with(named(typed), json!({"title": typed, "venue": typed}));
        let event = app.made(&organiser, &with(plan(10), change)).await.body;
        assert_eq!(event["title"], stored);
        assert_eq!(event["venue"], stored);
        assert_eq!(event["ticket_types"][0]["name"], stored);
    }
    let lines = "Doors\r\nat six\n\nShow at e\u{301}ight\n";
    let event = app.made(&organiser, &with(plan(10), json!({"description": lines}))).await;
    assert_eq!(event.body["description"], "Doors\r\nat six\n\nShow at \u{e9}ight");
    app.stop().await;
}

#[tokio::test]
async fn what_turns_hides_or_breaks_text_is_refused_and_named() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    for (text, code) in [
        ("Tiket \u{202e}fdp.exe", "U+202E"),
        ("\u{2067}Tiket\u{2069}", "U+2067"),
        ("Tiket\u{2028}VIP", "U+2028"),
        ("Tiket\tVIP", "U+0009"),
        ("\u{2060}\u{115f}", "that can be seen"),
    ] {
        for (change, field) in [
            (json!({"title": text}), "title"),
            (json!({"venue": text}), "venue"),
            (json!({"description": text}), "description"),
            (named(text), "ticket_types[0].name"),
        ] {
            let answer = organiser.post("/event/create", &with(plan(10), change)).await;
            assert!(message(&answer).contains(code), "{text:?}: {:#}", answer.body);
            answer.is_about(field);
        }
        let change = with(event.named(), json!({"title": text}));
        organiser.post("/event/update", &change).await.is_about("title");
        let cancel = with(event.named(), json!({"reason": text}));
        organiser.post("/event/cancel", &cancel).await.is_about("reason");
    }
    app.stop().await;
}

/// Older releases took texts that are refused now.
#[tokio::test]
async fn what_an_older_release_stored_is_still_read() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let odd = "photo\u{202e}gnp.exe";
    for stored in [
        "UPDATE events.event SET title = $1, venue = $1, description = $1 || E'\\u2028' || $1",
        "UPDATE events.ticket_type SET name = $1",
    ] {
        let stored = sqlx::query(stored).bind(odd);
        stored.execute(app.environment.superuser()).await.expect("it is stored");
    }
    let change = with(event.named(), json!({"max_per_buyer": 3}));
    let seen = organiser.post("/event/update", &change).await.is(200).body;
    assert_eq!((&seen["title"], &seen["venue"]), (&json!(odd), &json!(odd)));
    assert_eq!(seen["ticket_types"][0]["name"], odd);
    assert_eq!(seen["description"], format!("{odd}\u{2028}{odd}"));
    app.stop().await;
}

#[tokio::test]
async fn a_time_is_rfc_3339_in_a_body_and_in_a_query() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let cause = [
        ("2036-08-17T19:00:00+0700", "with a colon"),
        ("2036-08-17T19:00:00-03", "with a colon"),
        ("2036-08-17T19:00:00 07:00", "%2B"),
        ("2036-08-17 19:00:00+07:00", "write a T"),
        ("2036-08-17T19:00:00", "such as +07:00"),
    ];
    for (time, cause) in cause {
        for field in ["starts_at", "ends_at", "refundable_until"] {
            let change = json!({(field): time});
            let created = organiser.post("/event/create", &with(plan(10), change.clone())).await;
            let updated = organiser.post("/event/update", &with(event.named(), change)).await;
            for answer in [created, updated] {
                assert!(message(&answer).contains(cause), "{time}: {:#}", answer.body);
                answer.is_about(field);
            }
        }
        for field in ["from", "to"] {
            let time = time.replace('+', "%2B").replace(' ', "%20");
            let answer = app.visitor().get(&format!("/events?{field}={time}")).await;
            assert!(message(&answer).contains(cause), "{time}: {:#}", answer.body);
            answer.is_about(field);
        }
    }
    // Unencoded, a + arrives as a blank.
    let answer = app.visitor().get("/events?from=2030-03-01T09:00:00+07:00").await;
    assert!(message(&answer).contains("%2B"), "{:#}", answer.body);
    answer.is_about("from");
    for time in
        ["2030-03-01T09:00:00%2B07:00", "2030-03-01T02:00:00Z", "2030-03-01T02:00:00.5-00:00"]
    {
        app.visitor().get(&format!("/events?from={time}")).await.is(200);
    }
    app.stop().await;
}
