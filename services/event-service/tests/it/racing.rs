//! Many at once: no seat is sold twice, and none is lost.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicBool, AtomicI64, Ordering},
};

use karcis_contracts::{EventCommand, RejectReason, TicketFact};
use karcis_kernel::BookingId;
use karcis_testkit::{eventually, together};
use serde_json::json;

use crate::harness::{Concert, TestApp, plan, with};

#[tokio::test]
async fn of_2000_who_want_one_of_500_seats_exactly_500_get_one() {
    let app = TestApp::start().await;
    let event = app.made(&app.organiser(), &plan(500)).await;
    let commands: Vec<_> = (0..2_000).map(|_| event.reserve(1)).collect();
    let bookings: Vec<_> = commands.iter().map(|command| command.booking_id).collect();
    for some in commands.chunks(250) {
        let some: Vec<EventCommand> = some.iter().cloned().map(Into::into).collect();
        app.send(&some).await;
    }
    let mut lucky = Vec::new();
    for booking in &bookings {
        match &app.replies(*booking, 1).await[0] {
            TicketFact::TicketsReserved(_) => lucky.push(*booking),
            TicketFact::TicketsRejected(no) => assert_eq!(no.reason, RejectReason::SoldOut),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lucky.len(), 500);
    assert_eq!(app.stock(event.types[0]).await, (500, 500, 0));

    let confirm = |booking: &BookingId| event.confirm(*booking).into();
    app.send(&lucky.iter().map(confirm).collect::<Vec<_>>()).await;
    let mut codes = HashSet::new();
    for booking in &lucky {
        let tickets = app.issued(*booking, 1).await.swap_remove(0);
        codes.extend(tickets.into_iter().map(|ticket| ticket.code));
    }
    assert_eq!(codes.len(), 500, "a code per seat");
    assert_eq!(app.stock(event.types[0]).await, (500, 0, 500));
    app.stop().await;
}

#[tokio::test]
async fn edits_that_race_reservations_never_break_the_sum() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let event = app.made(&organiser, &plan(300)).await;
    let (selling, made) = (AtomicBool::new(true), AtomicI64::new(0));
    let edit = async {
        while selling.load(Ordering::SeqCst) {
            let edits = made.fetch_add(1, Ordering::SeqCst);
            let (capacity, price) = (250 + edits % 100, 1_000 + edits);
            let types = json!([{
                "ticket_type_id": event.types[0], "capacity": capacity,
                "price": {"amount": price, "currency": "IDR"},
            }]);
            let update = with(event.named(), json!({"ticket_types": types}));
            let answer = organiser.post("/event/update", &update).await;
            assert!([200, 409].contains(&answer.status.as_u16()), "{answer:?}");
        }
    };
    let sell = async {
        together(40, (0..400).map(|n| live(&app, &event, n))).await;
        // Until the two have met; none of these keeps its seat.
        eventually(async || match (made.load(Ordering::SeqCst), conflicts(&app).await) {
            (21.., 1..) => Ok(()),
            met => {
                together(40, (0..40).map(|n| live(&app, &event, 2 * n))).await;
                Err(met)
            }
        })
        .await;
        selling.store(false, Ordering::SeqCst);
    };
    tokio::join!(edit, sell);

    let (capacity, held, sold) = app.stock(event.types[0]).await;
    let counted = "
        SELECT count(*) FILTER (WHERE state = 'held'), count(*) FILTER (WHERE state = 'sold')
        FROM events.hold";
    let (holds_held, holds_sold): (i64, i64) = sqlx::query_as(counted)
        .fetch_one(app.environment.superuser())
        .await
        .expect("holds are counted");
    assert_eq!((i64::from(held), i64::from(sold)), (holds_held, holds_sold));
    assert!(held + sold <= capacity && sold > 0 && held > 0, "{capacity} {held} {sold}");
    let seen = app.visitor().get(&format!("/events/{}", event.id)).await.is(200).body;
    let version = seen["version"].as_i64().expect("a version");
    assert!((2..=made.into_inner() + 1).contains(&version), "{version} counts edits, never sales");
    app.stop().await;
}

/// How often a batch met an edit, and was decided again.
pub(crate) async fn conflicts(app: &TestApp) -> u64 {
    let metrics = app.visitor().get("/metrics").await.is(200).body;
    let lines = metrics.as_str().expect("metrics are text").lines();
    let counts = lines.filter(|line| line.starts_with("karcis_stock_conflicts_total"));
    counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// A booking that is released, sold, or left held.
async fn live(app: &TestApp, event: &Concert, n: u32) {
    let command = event.reserve(1);
    let booking = command.booking_id;
    let answer = app.ask(command).await;
    if let TicketFact::TicketsRejected(_) = answer {
        return;
    }
    match n % 4 {
        0 => drop(app.ask(event.release(booking)).await),
        1 => drop(app.ask(event.confirm(booking)).await),
        2 => {
            app.ask(event.confirm(booking)).await;
            app.ask(event.release(booking)).await;
        }
        _ => {}
    }
}
