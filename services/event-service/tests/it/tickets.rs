//! A ticket for everybody who knows its code, and the code as a picture.

use karcis_contracts::{Message, TicketFact};
use karcis_kernel::TicketCode;
use serde_json::json;

use crate::harness::{TestApp, in_days, plan, with};

async fn status(app: &TestApp, code: &TicketCode) -> String {
    let ticket = app.visitor().get(&format!("/tickets/{code}")).await.is(200).body;
    ticket["status"].as_str().expect("a ticket has a status").to_owned()
}

#[tokio::test]
async fn the_code_shows_the_ticket_and_its_picture() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let (_, codes) = app.sold(&event, 2).await;
    for code in &codes {
        let ticket = app.visitor().get(&format!("/tickets/{code}")).await.is(200).body;
        let expected = json!({
            "code": code, "status": "valid", "name": "VIP", "cancel_reason": null,
            "event": {
                "event_id": event.id, "title": "Dewa 19", "venue": "Istora Senayan",
                "starts_at": event.body["starts_at"], "time_zone": "Asia/Jakarta",
            },
        });
        assert_eq!(ticket, expected);
        let picture = app.visitor().get(&format!("/tickets/{code}.svg")).await.is(200);
        let as_scanned = format!("/tickets/%EF%BB%BF{code}.SVG");
        assert_eq!(app.visitor().get(&as_scanned).await.is(200).body, picture.body);
        assert_eq!(picture.headers["content-type"], "image/svg+xml");
        assert!(picture.body.as_str().expect("a text").contains("<svg"));
    }
    app.stop().await;
}

#[tokio::test]
async fn a_ticket_shows_what_is_true_of_its_event_now() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let (_, codes) = app.sold(&event, 2).await;
    let shown = async || {
        app.visitor().get(&format!("/tickets/{}", codes[0])).await.is(200).body["event"].clone()
    };
    let mut expected = with(
        event.named(),
        json!({"title": "Dewa 19", "venue": "Istora Senayan", "time_zone": "Asia/Jakarta",
            "starts_at": event.body["starts_at"]}),
    );
    assert_eq!(shown().await, expected);
    let booked = expected.clone();
    for change in [
        json!({"title": "Dewa 20"}),
        json!({"venue": "Sabuga, Bandung"}),
        json!({"starts_at": in_days(500)}),
        json!({"time_zone": "Asia/Makassar"}),
    ] {
        organiser.post("/event/update", &with(event.named(), change.clone())).await.is(200);
        expected = with(expected, change);
        assert_eq!(shown().await, expected);
    }
    // Where nothing can be said of it now, what was booked is shown.
    for spoilt in [
        "UPDATE events.event SET time_zone = 'Mars/Phobos'",
        "UPDATE events.event SET time_zone = 'Asia/Makassar', title = ''",
        "DELETE FROM events.event",
    ] {
        sqlx::query(spoilt).execute(app.environment.superuser()).await.expect("it is spoilt");
        assert_eq!(shown().await, booked, "{spoilt}");
        assert_eq!(status(&app, &codes[0]).await, "valid");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_ticket_is_cancelled_with_its_booking_and_with_its_event() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    let ((released, gone), (_, kept)) = (app.sold(&event, 2).await, app.sold(&event, 2).await);
    app.ask(event.release(released)).await;
    assert_eq!(status(&app, &gone[0]).await, "cancelled");
    assert_eq!(status(&app, &kept[0]).await, "valid");
    let cancel = with(event.named(), json!({"reason": "rain"}));
    organiser.post("/event/cancel", &cancel).await.is(202);
    assert_eq!(status(&app, &kept[0]).await, "cancelled");
    let ticket = app.visitor().get(&format!("/tickets/{}", kept[0])).await.is(200).body;
    assert_eq!(ticket["cancel_reason"], "rain");
    let picture = app.visitor().get(&format!("/tickets/{}.svg", kept[0])).await.is(200);
    assert_eq!(picture.headers["content-type"], "image/svg+xml");
    app.stop().await;
}

#[tokio::test]
async fn codes_are_told_to_booking_service_alone_as_often_as_it_asks() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let (booking, codes) = app.sold(&event, 2).await;
    for _ in 0..2 {
        app.ask(event.confirm(booking)).await;
    }
    let told = app.issued(booking, 3).await;
    assert_eq!(told.len(), 3, "once for each command");
    let codes_of = |tickets: &Vec<_>| -> Vec<_> {
        tickets.iter().map(|ticket: &karcis_contracts::Ticket| ticket.code.clone()).collect()
    };
    assert!(told.iter().all(|tickets| codes_of(tickets) == codes), "always the same");
    for fact in app.replies(booking, 4).await {
        let body = String::from_utf8(fact.body().expect("JSON")).expect("a text");
        for code in &codes {
            assert!(
                !body.contains(&code.to_string()),
                "anyone may read {}: {body}",
                TicketFact::TOPIC
            );
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn a_ticket_that_was_used_says_so() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let (_, codes) = app.sold(&event, 2).await;
    sqlx::query("UPDATE events.ticket SET used_at = now() WHERE code = $1")
        .bind(uuid::Uuid::from_u128(codes[0].bits()))
        .execute(app.environment.superuser())
        .await
        .expect("the ticket is stored");
    assert_eq!(status(&app, &codes[0]).await, "used");
    assert_eq!(status(&app, &codes[1]).await, "valid");
    app.stop().await;
}

#[tokio::test]
async fn a_code_is_found_as_scanners_and_people_send_it() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let (_, codes) = app.sold(&event, 2).await;
    let code = codes[0].to_string();
    let groups = [&code[..8], &code[8..16], &code[16..24], &code[24..]];
    for sent in [
        code.to_uppercase(),
        format!("{code}%0A"),
        format!("{}%0D%0A", code.to_uppercase()),
        format!("%20{code}%20"),
        format!("{code}%09"),
        groups.join("-"),
        groups.join("%20"),
        groups.join("%E2%80%93"),
    ] {
        let ticket = app.visitor().get(&format!("/tickets/{sent}")).await.is(200).body;
        assert_eq!(ticket["code"], code, "{sent}");
        app.visitor().get(&format!("/tickets/{sent}.svg")).await.is(200);
    }
    app.stop().await;
}

#[tokio::test]
async fn what_is_no_code_of_a_ticket_is_not_found() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let (_, codes) = app.sold(&event, 2).await;
    let code = codes[0].to_string();
    for unknown in [
        "ffffffffffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffff.svg",
        "0",
        ".svg",
        &format!("{code}0"),
        &format!("{code}.png"),
        &format!("{code}.svg.svg"),
        &format!("+{}", &code[1..]),
        &code.replace(|c: char| c.is_ascii_hexdigit(), "G"),
        "%00",
        "%FF",
    ] {
        app.visitor().get(&format!("/tickets/{unknown}")).await.is_problem(404, "not-found");
    }
    app.stop().await;
}

#[tokio::test]
async fn a_ticket_stays_in_no_cache_and_its_address_in_no_referrer() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let (_, codes) = app.sold(&event, 2).await;
    let unknown = "0".repeat(32);
    for (path, status) in [
        (format!("/tickets/{}", codes[0]), 200),
        (format!("/tickets/{}.svg", codes[0]), 200),
        (format!("/tickets/{unknown}"), 404),
    ] {
        let answer = app.visitor().get(&path).await.is(status);
        assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
        assert_eq!(answer.headers["referrer-policy"], "no-referrer", "{path}");
    }
    app.stop().await;
}
