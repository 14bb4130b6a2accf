//! The dates of an event and its ticket types, as its organiser sets and moves them over HTTP.

use karcis_contracts::TicketFact;
use karcis_testkit::{Answer, Person};
use serde_json::{Value, json};

use crate::harness::{Concert, TestApp, in_days, plan, with};

async fn update(organiser: &Person, event: &Concert, changes: Value) -> Answer {
    organiser.post("/event/update", &with(event.named(), changes)).await
}

/// The message about this field alone.
fn message(answer: Answer, field: &str) -> String {
    let answer = answer.is(422).body;
    let errors = answer["errors"].as_array().expect("a 422 names fields");
    assert_eq!(errors.len(), 1, "{answer}");
    assert_eq!(errors[0]["field"], field, "{answer}");
    errors[0]["message"].as_str().expect("a message").to_owned()
}

#[tokio::test]
async fn what_create_refuses_update_refuses_and_says_which_two_times_do_not_fit() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let (starts, ends) = (in_days(100), in_days(103));
    let (refund, sold_until) = (in_days(90), in_days(102));
    let types = json!([{
        "name": "Three days", "price": {"amount": 900_000, "currency": "IDR"}, "capacity": 50,
        "sales_end": sold_until,
    }]);
    let festival = with(
        plan(1),
        json!({
            "starts_at": starts, "ends_at": ends, "refundable_until": refund, "ticket_types": types,
        }),
    );
    let event = app.made(&organiser, &festival).await;
    app.ask(event.reserve(2)).await;
    let (earlier, too_early, later) = (in_days(101), in_days(80), in_days(200));
    for (changes, field, one, other) in [
        (json!({"ends_at": earlier}), "ticket_types[0].sales_end", &sold_until, &earlier),
        (json!({"starts_at": too_early}), "refundable_until", &refund, &too_early),
        (json!({"starts_at": later}), "ends_at", &ends, &later),
        (json!({"refundable_until": earlier}), "refundable_until", &earlier, &starts),
    ] {
        let message = message(update(&organiser, &event, changes.clone()).await, field);
        assert!(message.contains(one) && message.contains(other), "{changes}: {message}");
    }
    let long_ago = "2020-02-29T12:00:00Z";
    let moved = json!({"starts_at": long_ago, "ends_at": null, "refundable_until": null,
        "ticket_types": [{"ticket_type_id": event.types[0], "sales_end": null}]});
    let message = message(update(&organiser, &event, moved).await, "starts_at");
    assert!(message.contains(long_ago), "{message}");
    let seen = app.visitor().get(&format!("/events/{}", event.id)).await.is(200).body;
    assert_eq!((&seen["version"], &seen["status"]), (&json!(1), &json!("published")));

    let renamed = json!({"title": "Konser yang lalu"});
    app.let_pass(&event, 500).await;
    assert_eq!(update(&organiser, &event, renamed).await.is(200).body["status"], "ended");
    app.stop().await;
}

#[tokio::test]
async fn a_postponed_event_takes_with_it_what_was_never_set() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(3)).await;
    let mut edited = event.body.clone();
    for (days, whole) in [(700, false), (40, true)] {
        let starts_at = in_days(days);
        let changes = if whole {
            // What a form sends: all that it was shown, one field changed.
            let mut types = edited["ticket_types"].clone();
            types[0].as_object_mut().expect("a type").remove("available");
            json!({"starts_at": starts_at, "refundable_until": edited["refundable_until"],
                "ticket_types": types})
        } else {
            json!({"starts_at": starts_at})
        };
        edited = update(&organiser, &event, changes).await.is(200).body;
        assert_eq!(edited["refundable_until"], starts_at);
        assert_eq!(edited["ticket_types"][0]["sales_end"], starts_at);
    }
    let reserved = app.ask(event.reserve(1)).await;
    let TicketFact::TicketsReserved(reserved) = reserved else { panic!("{reserved:?}") };
    assert_eq!(json!(reserved.refundable_until), edited["starts_at"]);
    app.stop().await;
}

#[tokio::test]
async fn refunds_after_the_start_are_given_only_by_an_organiser_who_says_so() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let after = json!({"refundable_until": in_days(366)});
    let unsaid = organiser.post("/event/create", &with(plan(1), after.clone())).await;
    let message = message(unsaid, "refundable_until");
    assert!(message.contains("refundable_after_start"), "{message}");
    let said = with(after.clone(), json!({"refundable_after_start": true}));
    let event = app.made(&organiser, &with(plan(1), said.clone())).await;
    assert_eq!(event.body["refundable_until"], after["refundable_until"]);
    let later = json!({"refundable_until": in_days(400)});
    update(&organiser, &event, later.clone()).await.is(200);
    let unsaid = json!({"refundable_after_start": false});
    update(&organiser, &event, unsaid).await.is_about("refundable_until");

    let other = app.made(&organiser, &plan(1)).await;
    update(&organiser, &other, later).await.is_about("refundable_until");
    update(&organiser, &other, said).await.is(200);
    app.stop().await;
}

#[tokio::test]
async fn a_festival_sells_while_it_runs() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let days = |sales_end: i64| {
        json!({
            "starts_at": in_days(-1), "ends_at": in_days(2),
            "ticket_types": [{"name": "Day", "price": {"amount": 5, "currency": "EUR"},
                "capacity": 4, "sales_end": in_days(sales_end)}],
        })
    };
    let refused = organiser.post("/event/create", &with(plan(1), days(3))).await;
    refused.is_about("ticket_types[0].sales_end");
    let event = app.made(&organiser, &with(plan(1), days(1))).await;
    let reply = app.ask(event.reserve(1)).await;
    assert!(matches!(reply, TicketFact::TicketsReserved(_)), "{reply:?}");
    let until_the_end = json!({"ticket_types": [
        {"ticket_type_id": event.types[0], "sales_end": event.body["ends_at"]},
    ]});
    let after = update(&organiser, &event, until_the_end).await.is(200).body;
    assert_eq!(after["ticket_types"][0]["sales_end"], after["ends_at"]);
    app.stop().await;
}

#[tokio::test]
async fn a_leap_second_is_the_next_and_finer_than_microseconds_is_cut() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let at = |starts_at: &str, ends_at: &str| {
        with(plan(1), json!({"starts_at": starts_at, "ends_at": ends_at}))
    };
    for (starts_at, ends_at) in [
        ("2036-12-31T23:59:60Z", "2037-01-01T00:00:00Z"),
        ("2041-07-01T06:59:60.5+07:00", "2041-07-01T00:00:00.500000Z"),
        ("2036-12-31T23:59:59.9999991Z", "2036-12-31T23:59:59.9999999Z"),
        ("9999-12-30T23:59:59.999999Z", "9999-12-30T23:59:60Z"),
    ] {
        organiser.post("/event/create", &at(starts_at, ends_at)).await.is_about("ends_at");
    }
    for (starts_at, ends_at, starts, ends) in [
        (
            "2036-12-31T23:59:60Z",
            "2037-01-01T00:00:01Z",
            "2037-01-01T00:00:00Z",
            "2037-01-01T00:00:01Z",
        ),
        (
            "2036-12-31T23:59:59.9999999Z",
            "2036-12-31T23:59:60Z",
            "2036-12-31T23:59:59.999999Z",
            "2037-01-01T00:00:00Z",
        ),
        (
            "2044-02-29T12:00:00.1234567-05:30",
            "9999-12-30T23:59:59.9999999Z",
            "2044-02-29T17:30:00.123456Z",
            "9999-12-30T23:59:59.999999Z",
        ),
    ] {
        let made = app.made(&organiser, &at(starts_at, ends_at)).await;
        let seen = organiser.get(&format!("/events/{}", made.id)).await.is(200).body;
        for shown in [&made.body, &seen] {
            assert_eq!((&shown["starts_at"], &shown["ends_at"]), (&json!(starts), &json!(ends)));
        }
        let same = json!({"starts_at": starts_at, "ends_at": ends_at, "as_of": starts_at});
        assert_eq!(update(&organiser, &made, same).await.is(200).body["version"], 1);
        let sold = json!({"ticket_types": [
            {"ticket_type_id": made.types[0], "sales_start": ends_at, "sales_end": ends_at},
        ]});
        update(&organiser, &made, sold).await.is_about("ticket_types[0].sales_end");
    }
    for early in ["1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "9999-12-31T00:00:00Z"] {
        let early_plan = with(plan(1), json!({"starts_at": early}));
        let message = message(organiser.post("/event/create", &early_plan).await, "starts_at");
        assert!(message.contains("1970 to 9999"), "{message}");
        app.visitor().get(&format!("/events?from={early}")).await.is_about("from");
        app.visitor().get(&format!("/events?to={early}")).await.is_about("to");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_list_is_asked_for_up_to_a_leap_second_and_no_cursor_leads_out_of_time() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    app.made(&organiser, &with(plan(1), json!({"starts_at": "2036-12-31T23:59:60Z"}))).await;
    let count = async |query: &str| {
        let list = app.visitor().get(&format!("/events?{query}")).await.is(200).body;
        list["items"].as_array().expect("a list").len()
    };
    assert_eq!(count("from=2036-12-31T23:59:60Z").await, 1);
    assert_eq!(count("from=2037-01-01T00:00:00Z&to=2037-01-01T00:00:00.0000019Z").await, 1);
    assert_eq!(count("to=2036-12-31T23:59:60Z").await, 0, "what starts then is not before");
    let id = uuid::Uuid::nil();
    let operator = app.person(karcis_kernel::Role::Operator);
    for (at, good) in [
        ("2036-12-31T23:59:60Z", true),
        ("2036-12-31T23:59:59.9999999Z", true),
        ("-4800-01-01T00:00:00Z", false),
        ("+262000-01-01T00:00:00Z", false),
        ("10000-01-01T00:00:00Z", false),
    ] {
        let cursor = karcis_http::Cursor::encode(&(at, id));
        for (who, path) in [(&operator, "/ops/event/audit"), (&app.visitor(), "/events")] {
            let answer = who.get(&format!("{path}?cursor={cursor}")).await;
            if good {
                answer.is(200)
            } else {
                answer.is_about("cursor")
            };
        }
    }
    app.stop().await;
}
