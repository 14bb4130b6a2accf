//! Many large bookings at once: no commit has more seats than memory has room for.

use karcis_contracts::EventCommand;
use karcis_kernel::BookingId;
use karcis_testkit::eventually;
use serde_json::json;

use crate::harness::{Concert, TestApp, plan, with};

/// Bookings of the largest size, which are confirmed and released at once.
const BOOKINGS: u32 = 60;
const SEATS_EACH: u32 = 1_000;
/// The most seats that one commit sells.
const MOST_SEATS: i64 = 20_000;

#[tokio::test]
async fn sixty_bookings_of_a_thousand_seats_are_sold_and_released_in_parts() {
    let app = TestApp::start().await;
    let ticket_type = json!([{
        "name": "VIP", "price": {"amount": 750_000, "currency": "IDR"},
        "capacity": BOOKINGS * SEATS_EACH, "max_per_booking": SEATS_EACH,
    }]);
    let plan = with(plan(1), json!({ "ticket_types": ticket_type }));
    let event = app.made(&app.organiser(), &plan).await;
    let holds: Vec<_> = (0..BOOKINGS).map(|_| event.reserve(SEATS_EACH)).collect();
    let bookings: Vec<BookingId> = holds.iter().map(|hold| hold.booking_id).collect();
    app.send(&holds.into_iter().map(EventCommand::from).collect::<Vec<_>>()).await;
    has(&app, &event, "held", BOOKINGS).await;

    let confirm = bookings.iter().map(|booking| event.confirm(*booking).into());
    app.send(&confirm.collect::<Vec<_>>()).await;
    has(&app, &event, "sold", BOOKINGS).await;
    let sold_at_once = "
        SELECT max(seats) FROM (SELECT count(*) AS seats FROM events.ticket GROUP BY xmin::text) AS c";
    let sold: i64 = count(&app, sold_at_once).await;
    assert!(sold <= MOST_SEATS, "{sold} seats were sold in one commit");
    assert!(sold > i64::from(SEATS_EACH), "and not one booking at a time");

    let release = bookings.iter().map(|booking| event.release(*booking).into());
    app.send(&release.collect::<Vec<_>>()).await;
    has(&app, &event, "released", BOOKINGS).await;
    let released_at_once = "
        SELECT max(holds) FROM (SELECT count(*) AS holds FROM events.hold GROUP BY xmin::text) AS c";
    let released = count(&app, released_at_once).await * i64::from(SEATS_EACH);
    assert!(released <= MOST_SEATS, "{released} seats were released in one commit");
    assert!(released > i64::from(SEATS_EACH), "and not one booking at a time");
    assert_eq!(app.stock(event.types[0]).await, ((BOOKINGS * SEATS_EACH) as i32, 0, 0));
    app.stop().await;
}

/// Waits until so many holds of the event have this state.
async fn has(app: &TestApp, event: &Concert, state: &str, holds: u32) {
    let count = "SELECT count(*) FROM events.hold WHERE event_id = $1 AND state = $2";
    let counted = async || -> i64 {
        let count = sqlx::query_scalar(count).bind(event.id.0).bind(state);
        let counted = count.fetch_one(app.environment.superuser()).await;
        counted.expect("holds can be counted")
    };
    eventually(counted).is(i64::from(holds)).await;
}

async fn count(app: &TestApp, query: &'static str) -> i64 {
    let counted = sqlx::query_scalar(query).fetch_one(app.environment.superuser()).await;
    counted.expect("rows can be counted")
}
