//! Stock that somebody keeps locked: commands of other events go on, and those of this one come later.

use std::time::Duration;

use karcis_contracts::TicketFact;
use karcis_kernel::BookingId;
use sqlx::AssertSqlSafe;
use tokio::time::Instant;
use uuid::Uuid;

use crate::harness::{TestApp, plan};

/// How long the others may take.
const A_MOMENT: Duration = Duration::from_secs(10);

/// Locks a row of this statement, which has one parameter, while 20 bookings of another event and one of
/// this are made.
async fn nobody_waits_for(lock: &str, of: impl Fn(&crate::harness::Concert) -> Uuid) {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let (locked, free) =
        (app.made(&organiser, &plan(9)).await, app.made(&organiser, &plan(99)).await);
    let mut locking = app.environment.superuser().begin().await.expect("a transaction begins");
    let lock = sqlx::query(AssertSqlSafe(lock.to_owned())).bind(of(&locked));
    let rows = lock.execute(&mut *locking).await.expect("the row can be locked").rows_affected();
    assert_eq!(rows, 1);

    let since = Instant::now();
    let waiting = locked.reserve(1);
    let others: Vec<_> = (0..20).map(|_| free.reserve(1)).collect();
    let ids: Vec<BookingId> = others.iter().map(|command| command.booking_id).collect();
    let commands = std::iter::once(waiting.clone()).chain(others).map(Into::into);
    app.send(&commands.collect::<Vec<_>>()).await;
    for booking in ids {
        let reply = app.replies(booking, 1).await.remove(0);
        assert!(matches!(reply, TicketFact::TicketsReserved(_)), "{reply:?}");
    }
    assert!(since.elapsed() < A_MOMENT, "it took {:?}", since.elapsed());
    // What comes behind, too.
    let reply = app.ask(free.reserve(1)).await;
    assert!(matches!(reply, TicketFact::TicketsReserved(_)), "{reply:?}");
    assert_eq!(app.stock(locked.types[0]).await, (9, 0, 0));
    locking.rollback().await.expect("the row is free");
    let reply = app.replies(waiting.booking_id, 1).await.remove(0);
    assert!(matches!(reply, TicketFact::TicketsReserved(_)), "{reply:?}");
    app.stop().await;
}

#[tokio::test]
async fn a_locked_event_holds_up_no_other() {
    let lock = "SELECT FROM events.event WHERE event_id = $1 FOR UPDATE";
    nobody_waits_for(lock, |event| event.id.0).await;
}

#[tokio::test]
async fn a_locked_ticket_type_holds_up_no_other_event() {
    let lock = "SELECT FROM events.ticket_type WHERE ticket_type_id = $1 FOR UPDATE";
    nobody_waits_for(lock, |event| event.types[0].0).await;
}
