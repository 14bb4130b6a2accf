//! Events that move after sale: who is told, what is shown, and until when money is given back.

use chrono::{DateTime, TimeDelta, Utc};
use karcis_contracts::{EventFact, EventUpdated, TicketFact, TicketsReserved};
use karcis_process::now;
use karcis_testkit::{Answer, Person, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Concert, TestApp, in_days, plan, with};

async fn update(organiser: &Person, event: &Concert, changes: Value) -> Value {
    organiser.post("/event/update", &with(event.named(), changes)).await.is(200).body
}

/// The updates that were published, once there are so many.
async fn updates(app: &TestApp, event: &Concert, number: usize) -> Vec<EventUpdated> {
    let heard = eventually(async || {
        let facts = app.facts(event.id).into_iter();
        let updates: Vec<EventUpdated> = facts
            .filter_map(|fact| match fact {
                EventFact::EventUpdated(updated) => Some(updated),
                _ => None,
            })
            .collect();
        if updates.len() >= number { Ok(updates) } else { Err(updates) }
    });
    heard.await
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().and_then(|text| text.parse().ok()).expect("a time")
}

fn reserved(reply: TicketFact) -> TicketsReserved {
    match reply {
        TicketFact::TicketsReserved(reserved) => reserved,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_move_opens_refunds_for_a_week_and_everybody_hears_of_it() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let closed = in_days(-3);
    let event = app.made(&organiser, &with(plan(9), json!({"refundable_until": closed}))).await;
    let unsold = update(&organiser, &event, json!({"venue": "Gelora Bung Karno"})).await;
    assert_eq!(unsold["refundable_until"], closed, "nobody has a ticket yet");
    app.ask(event.reserve(2)).await;

    let before = now();
    let postponed = update(&organiser, &event, json!({"starts_at": in_days(665)})).await;
    let week = before + TimeDelta::days(7)..=now() + TimeDelta::days(7);
    let until = time(&postponed["refundable_until"]);
    assert!(week.contains(&until), "{until}");
    let seen = app.visitor().get(&format!("/events/{}", event.id)).await.is(200).body;
    assert_eq!(seen["refundable_until"], postponed["refundable_until"]);
    assert_eq!(reserved(app.ask(event.reserve(1)).await).refundable_until, until);

    // What was promised stays, also if the whole event is sent as it was shown, or set back.
    let put = async |whole: &Value| {
        let request = organiser.request(Method::PUT, "/event/update").json(whole);
        Answer::to(request).await.is(200).body
    };
    assert_eq!(put(&seen).await["version"], seen["version"], "as it was shown");
    let mut whole = seen.clone();
    whole["title"] = json!("Dewa 19, postponed");
    let renamed = put(&whole).await;
    assert_eq!(renamed["refundable_until"], postponed["refundable_until"]);
    let set_back = update(&organiser, &event, json!({"refundable_until": in_days(-4)})).await;
    assert_eq!(set_back["refundable_until"], postponed["refundable_until"]);

    let soon = in_days(2);
    let brought_forward = update(&organiser, &event, json!({"starts_at": soon})).await;
    assert_eq!(brought_forward["refundable_until"], soon, "not beyond the start");
    let again = update(&organiser, &event, json!({"venue": "Istora", "starts_at": in_days(90)}));
    let again = again.await;
    assert!(time(&again["refundable_until"]) > until, "a second move, a week of its own");

    let shown = [&unsold, &postponed, &renamed, &set_back, &brought_forward, &again];
    let told = updates(&app, &event, shown.len()).await;
    assert_eq!(told.len(), shown.len());
    for (told, shown) in told.iter().zip(shown) {
        let told = json!([told.version, told.venue, told.starts_at, told.refundable_until]);
        let fields = ["version", "venue", "starts_at", "refundable_until"];
        assert_eq!(told, json!(fields.map(|field| &shown[field])));
    }
    app.stop().await;
}

#[tokio::test]
async fn every_change_that_buyers_see_is_published_and_nothing_else() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &with(plan(5), json!({"ends_at": in_days(366)}))).await;
    let mut versions = vec![];
    for changes in [
        json!({"title": "Dewa 20"}),
        json!({"venue": "Sabuga, Bandung"}),
        json!({"starts_at": in_days(100)}),
        json!({"time_zone": "Asia/Makassar"}),
        json!({"refundable_until": in_days(30)}),
        json!({"refundable_until": null}),
    ] {
        for _ in 0..2 {
            let after = update(&organiser, &event, changes.clone()).await;
            versions.push(after["version"].as_i64().expect("a version"));
        }
        let seen = organiser.get(&format!("/events/{}", event.id)).await.is(200).body;
        let same = organiser.request(Method::PUT, "/event/update").json(&seen);
        assert_eq!(Answer::to(same).await.is(200).body["version"], seen["version"]);
    }
    versions.dedup();
    assert_eq!(versions, [2, 3, 4, 5, 6, 7]);
    organiser.post("/event/unpublish", &event.named()).await.is(200);
    organiser.post("/event/publish", &event.named()).await.is(200);
    let facts = async || app.facts(event.id).len();
    eventually(facts).is(9).await;
    let told = updates(&app, &event, 6).await;
    assert_eq!(told.iter().map(|told| told.version).collect::<Vec<_>>(), versions);
    let (Some(EventFact::EventPublished(first)), Some(EventFact::EventPublished(last))) =
        (app.facts(event.id).first().cloned(), app.facts(event.id).last().cloned())
    else {
        panic!("{:?}", app.facts(event.id));
    };
    assert_eq!((first.version, first.refundable_until), (1, Some(first.starts_at)));
    assert_eq!((last.version, last.refundable_until), (9, Some(last.starts_at)));
    assert_eq!((last.title.as_str(), last.time_zone.as_str()), ("Dewa 20", "Asia/Makassar"));
    app.stop().await;
}

#[tokio::test]
async fn a_reservation_says_which_version_was_booked_and_when_its_first_sale_ends() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let price = json!({"amount": 50, "currency": "EUR"});
    let types = json!([
        {"name": "Stage", "price": price, "capacity": 9, "sales_end": in_days(40)},
        {"name": "Early", "price": price, "capacity": 9, "sales_end": in_days(20)},
        {"name": "Lawn", "price": price, "capacity": 9},
    ]);
    let event = app.made(&organiser, &with(plan(1), json!({"ticket_types": types}))).await;
    let ends = |place: usize| time(&event.body["ticket_types"][place]["sales_end"]);
    let of = |places: &[usize]| {
        let mut command = event.reserve(1);
        let item = command.items.swap_remove(0);
        let types = places.iter().map(|place| event.types[*place]);
        command.items = types
            .map(|ticket_type_id| karcis_contracts::Item { ticket_type_id, ..item.clone() })
            .collect();
        command
    };
    for (places, first) in [(&[0_usize] as &[usize], 0), (&[0, 1, 2], 1), (&[2, 0], 0), (&[2], 2)] {
        let told = reserved(app.ask(of(places)).await);
        assert_eq!(
            (told.event.version, told.sales_end),
            (Some(1), Some(ends(first))),
            "{places:?}"
        );
    }
    assert_eq!(ends(2), time(&event.body["starts_at"]), "it says nothing: until the start");

    // What is stored is told again, whatever has changed since.
    let command = of(&[1, 2]);
    let told = reserved(app.ask(command.clone()).await);
    update(&organiser, &event, json!({"title": "Dewa 20", "starts_at": in_days(50)})).await;
    assert_eq!(reserved(app.ask(command.clone()).await), told);
    assert_eq!(reserved(app.ask(of(&[2])).await).event.version, Some(2));

    // Older releases stored neither.
    let older = "
        UPDATE events.hold SET reservation = reservation - 'version' - 'sales_end'
        WHERE booking_id = $1";
    let older = sqlx::query(older).bind(command.booking_id.0);
    older.execute(app.environment.superuser()).await.expect("the hold is stored");
    let repeated = reserved(app.ask(command).await);
    assert_eq!((repeated.event.version, repeated.sales_end), (None, None));
    assert_eq!(repeated.event.title, "Dewa 19");
    app.stop().await;
}
