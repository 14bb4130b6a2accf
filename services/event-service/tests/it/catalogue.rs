//! What everybody sees of events, and what only their organisers see.

use karcis_contracts::{Message, RejectReason, TicketFact};
use karcis_kernel::{Role, Timestamp};
use karcis_testkit::{Person, eventually};
use serde_json::{Value, json};

use crate::harness::{Concert, TestApp, in_days, plan, with};

async fn titles(who: &Person, query: &str) -> Vec<String> {
    let list = who.get(&format!("/events?{query}")).await.is(200).body;
    let items = list["items"].as_array().expect("a list has items");
    items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test]
async fn drafts_are_seen_by_their_organiser_and_admins_alone() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let draft = app.made(&organiser, &with(plan(10), json!({"status": "draft"}))).await;
    let path = format!("/events/{}", draft.id);
    let admin = app.person(Role::Admin);
    for who in [&organiser, &admin] {
        assert_eq!(who.get(&path).await.is(200).body["status"], "draft");
        assert_eq!(titles(who, "status=draft").await, ["Dewa 19"]);
    }
    for who in [app.visitor(), app.organiser(), app.person(Role::Buyer)] {
        who.get(&path).await.is_problem(404, "not-found");
        assert!(titles(&who, "status=draft").await.is_empty());
        assert!(titles(&who, "").await.is_empty());
    }
    organiser.post("/event/publish", &draft.named()).await.is(200);
    assert_eq!(app.visitor().get(&path).await.is(200).body["status"], "published");
    assert_eq!(titles(&app.visitor(), "").await, ["Dewa 19"]);
    app.stop().await;
}

#[tokio::test]
async fn a_draft_that_is_cancelled_is_never_shown_to_strangers() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let secret = json!({"title": "Reuni rahasia", "status": "draft"});
    let never = app.made(&organiser, &with(plan(10), secret)).await;
    let taken_back = app.made(&organiser, &with(plan(10), json!({"title": "Batal"}))).await;
    organiser.post("/event/unpublish", &taken_back.named()).await.is(200);
    let public = app.made(&organiser, &with(plan(10), json!({"title": "Ditunda"}))).await;
    for event in [&never, &taken_back, &public] {
        let cancel = with(event.named(), json!({"reason": "no permit"}));
        assert_eq!(
            organiser.post("/event/cancel", &cancel).await.is(202).body["status"],
            "cancelled"
        );
    }
    for who in [app.visitor(), app.organiser(), app.person(Role::Buyer)] {
        for hidden in [&never, &taken_back] {
            who.get(&format!("/events/{}", hidden.id)).await.is_problem(404, "not-found");
        }
        who.get(&format!("/events/{}", public.id)).await.is(200);
        for query in ["status=cancelled", "status=cancelled&q=a", "status=cancelled&limit=1"] {
            assert_eq!(titles(&who, query).await, ["Ditunda"], "{query}");
        }
        for query in ["", "status=ended", "status=draft", "q=rahasia", "q=batal"] {
            assert!(titles(&who, query).await.is_empty(), "{query}");
        }
    }
    for who in [&organiser, &app.person(Role::Admin)] {
        let seen = who.get(&format!("/events/{}", never.id)).await.is(200).body;
        assert_eq!(
            (&seen["title"], &seen["status"]),
            (&json!("Reuni rahasia"), &json!("cancelled"))
        );
    }
    let kinds = async |event: &Concert| -> Vec<&str> {
        app.facts(event.id).iter().map(Message::kind).collect()
    };
    eventually(async || kinds(&public).await.len()).is(2).await;
    assert!(kinds(&never).await.is_empty(), "nobody is told of a draft");
    let reply = app.ask(never.reserve(1)).await;
    let TicketFact::TicketsRejected(rejected) = reply else { panic!("{reply:?}") };
    assert_eq!(rejected.reason, RejectReason::EventNotFound);
    app.stop().await;
}

#[tokio::test]
async fn lists_are_searched_and_filtered_soonest_first() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = |title: &str, days: i64| {
        with(plan(10), json!({"title": title, "starts_at": in_days(days)}))
    };
    app.made(&organiser, &event("Late", 30)).await;
    app.made(&organiser, &event("Soon", 10)).await;
    let elsewhere = with(event("100%_sure", 20), json!({"venue": "Gedung Kesenian"}));
    app.made(&organiser, &elsewhere).await;
    let going_on = with(event("Going on", -1), json!({"ends_at": in_days(1)}));
    app.made(&organiser, &going_on).await;
    let cancelled = app.made(&organiser, &event("Cancelled", 15)).await;
    let reason = with(cancelled.named(), json!({"reason": "rain"}));
    organiser.post("/event/cancel", &reason).await.is(202);
    let over = app.made(&organiser, &event("Over", 12)).await;
    app.let_pass(&over, 14).await;

    let (from, to) = (in_days(15), in_days(25));
    for (query, expected) in [
        ("", &["Going on", "Soon", "100%_sure", "Late"] as &[&str]),
        ("status=published", &["Going on", "Soon", "100%_sure", "Late"]),
        ("status=cancelled", &["Cancelled"]),
        ("status=ended", &["Over"]),
        ("q=soon", &["Soon"]),
        ("q=kesenian", &["100%_sure"]),
        ("q=%25_", &["100%_sure"]),
        ("q=%25", &["100%_sure"]),
        ("q=_", &["100%_sure"]),
        ("q=%5C", &[]),
        (&format!("from={from}"), &["100%_sure", "Late"]),
        (&format!("to={to}"), &["Going on", "Soon", "100%_sure"]),
        (&format!("from={from}&to={to}"), &["100%_sure"]),
        ("unknown=parameter&limit=1", &["Going on"]),
    ] {
        assert_eq!(titles(&app.visitor(), query).await, expected, "{query}");
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("cursor=nonsense", "cursor"),
        ("from=yesterday", "from"),
        ("to=%2B99999-01-01T00:00:00Z", "to"),
        ("status=over", "status"),
        ("q=%00", "q"),
    ] {
        app.visitor().get(&format!("/events?{query}")).await.is_about(field);
    }
    app.visitor().get("/events/nonsense").await.is_problem(404, "not-found");
    app.stop().await;
}

#[tokio::test]
async fn pages_show_every_event_once() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    // Three of them start at the same moment: the cursor must tell those apart too.
    let starts = [10, 11, 12].map(in_days);
    let mut expected = Vec::new();
    for n in 0..9 {
        let changes = json!({"title": format!("Event {n}"), "starts_at": starts[n / 3]});
        let made = app.made(&organiser, &with(plan(10), changes)).await;
        expected.push(made.id.to_string());
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.visitor().get(&format!("/events?limit=2{cursor}")).await.is(200).body;
        let items = page["items"].as_array().expect("a page has items");
        seen.extend(items.iter().map(|item| item["event_id"].as_str().expect("an id").to_owned()));
        match &page["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            end => {
                assert_eq!(end, &Value::Null);
                break;
            }
        }
    }
    assert_eq!(seen, expected);
    app.stop().await;
}

#[tokio::test]
async fn what_is_left_is_seen_within_a_second() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let types = json!([
        {"name": "VIP", "price": {"amount": 900, "currency": "USD"}, "capacity": 10},
        {"name": "Lawn", "price": {"amount": 100, "currency": "USD"}, "capacity": 1},
    ]);
    let event = app.made(&organiser, &with(plan(1), json!({"ticket_types": types}))).await;
    let listed = async || {
        let asked = karcis_process::now();
        let list = app.visitor().get("/events").await.is(200).body;
        let item = &list["items"][0];
        let as_of = item["as_of"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        assert!(as_of > Some(asked - chrono::Duration::seconds(1)), "{as_of:?}, asked {asked}");
        let left = |n: usize| item["ticket_types"][n]["available"].as_i64();
        let price = item["from_price"]["amount"].as_i64();
        (price, item["availability"].as_str().map(str::to_owned), left(0), left(1))
    };
    let is =
        |price, word: &str, vip, lawn| (Some(price), Some(word.to_owned()), Some(vip), Some(lawn));
    assert_eq!(listed().await, is(100, "many", 10, 1));
    let mut lawn = event.reserve(1);
    lawn.items[0].ticket_type_id = event.types[1];
    app.ask(lawn).await;
    eventually(listed).is(is(900, "many", 10, 0)).await;
    app.ask(event.reserve(9)).await;
    eventually(listed).is(is(900, "few", 1, 0)).await;
    app.ask(event.reserve(1)).await;
    eventually(listed).is(is(100, "sold_out", 0, 0)).await;
    let seen = app.visitor().get(&format!("/events/{}", event.id)).await.is(200).body;
    assert_eq!(seen["ticket_types"][0]["available"], 0);
    assert_eq!(seen["version"], 1, "sales are no edits");
    app.stop().await;
}
