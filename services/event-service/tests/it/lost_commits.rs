//! The answer to a COMMIT is lost: what was done counts, and is done once.

use karcis_contracts::{EventFact, TicketFact};
use karcis_testkit::eventually;
use serde_json::json;

use crate::harness::{TestApp, plan};

#[tokio::test]
async fn an_event_whose_commit_lost_its_answer_is_answered_and_exists_once() {
    let (app, proxy) = TestApp::losing_commits().await;
    let organiser = app.organiser();
    proxy.lose("INSERT INTO event (");
    let event = app.made(&organiser, &plan(10)).await;
    assert_eq!(proxy.lost(), 1);
    app.visitor().get(&format!("/events/{}", event.id)).await.is(200);
    let list = organiser.get("/events").await.is(200).body;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    eventually(async || app.facts(event.id).len()).is(1).await;
    assert!(matches!(app.facts(event.id)[0], EventFact::EventPublished(_)));
    app.stop().await;
}

#[tokio::test]
async fn a_reservation_whose_commit_lost_its_answer_holds_its_seats_once() {
    let (app, proxy) = TestApp::losing_commits().await;
    let event = app.made(&app.organiser(), &plan(10)).await;
    let reserve = event.reserve(3);
    let booking = reserve.booking_id;
    proxy.lose("INSERT INTO hold");
    // Taken once more, a command is answered from what is stored.
    app.send(&[reserve.into()]).await;
    let replies = app.replies(booking, 2).await;
    assert!(replies.iter().all(|reply| matches!(reply, TicketFact::TicketsReserved(_))));
    assert_eq!(replies[0], replies[1]);
    assert_eq!(proxy.lost(), 1);
    assert_eq!(app.stock(event.types[0]).await, (10, 3, 0));

    proxy.lose("INSERT INTO ticket ");
    app.send(&[event.confirm(booking).into()]).await;
    let replies = app.replies(booking, 4).await;
    assert!(matches!(replies[2], TicketFact::TicketsConfirmed(_)));
    assert_eq!(replies[2], replies[3], "the same codes");
    assert_eq!(proxy.lost(), 2);
    assert_eq!(app.stock(event.types[0]).await, (10, 0, 3));

    proxy.lose("UPDATE hold SET state");
    app.send(&[event.release(booking).into()]).await;
    app.replies(booking, 6).await;
    assert_eq!(proxy.lost(), 3);
    assert_eq!(app.stock(event.types[0]).await, (10, 0, 0));
    app.stop().await;
}

#[tokio::test]
async fn an_edit_whose_commit_lost_its_answer_can_be_repeated() {
    let (app, proxy) = TestApp::losing_commits().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(10)).await;
    for (path, change) in [
        ("/event/unpublish", json!({"event_id": event.id})),
        ("/event/publish", json!({"event_id": event.id})),
        ("/event/cancel", json!({"event_id": event.id, "reason": "rain"})),
    ] {
        let before = proxy.lost();
        proxy.lose("UPDATE event");
        organiser.post(path, &change).await.is_problem(503, "unavailable");
        assert_eq!(proxy.lost(), before + 1, "{path}");
        assert!(organiser.post(path, &change).await.status.is_success(), "{path}");
    }
    let seen = organiser.get(&format!("/events/{}", event.id)).await.is(200).body;
    assert_eq!(seen["status"], "cancelled");
    app.stop().await;
}
