//! Stock that somebody keeps locked: commands of other events go on, and those of this one come later.

use std::time::Duration;

use karcis_contracts::{EventCommand, TicketFact};
use karcis_kernel::BookingId;
use karcis_schemas::EVENT;
use sqlx::{AssertSqlSafe, Postgres, Transaction};
use tokio::time::Instant;
use uuid::Uuid;

use crate::harness::{Concert, TestApp, plan};

/// How long the others may take.
const A_MOMENT: Duration = Duration::from_secs(10);

const LOCK_EVENT: &str = "SELECT FROM events.event WHERE event_id = $1 FOR UPDATE";

/// Locks the row that this statement finds by its id.
async fn lock(app: &TestApp, statement: &str, id: Uuid) -> Transaction<'static, Postgres> {
    let mut locking = app.environment.superuser().begin().await.expect("a transaction begins");
    let lock = sqlx::query(AssertSqlSafe(statement.to_owned())).bind(id);
    let rows = lock.execute(&mut *locking).await.expect("the row can be locked").rows_affected();
    assert_eq!(rows, 1);
    locking
}

/// Locks a row of this statement, which has one parameter, while 20 bookings of another event and one of
/// this are made.
async fn nobody_waits_for(statement: &str, of: impl Fn(&Concert) -> Uuid) {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let (locked, free) =
        (app.made(&organiser, &plan(9)).await, app.made(&organiser, &plan(99)).await);
    let locking = lock(&app, statement, of(&locked)).await;

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
    nobody_waits_for(LOCK_EVENT, |event| event.id.0).await;
}

#[tokio::test]
async fn a_locked_ticket_type_holds_up_no_other_event() {
    let lock = "SELECT FROM events.ticket_type WHERE ticket_type_id = $1 FOR UPDATE";
    nobody_waits_for(lock, |event| event.types[0].0).await;
}

/// Makes a booking and undoes it, 150 times.
fn made_and_undone(event: &Concert) -> (Vec<EventCommand>, Vec<BookingId>) {
    let reserving: Vec<_> = (0..150).map(|_| event.reserve(1)).collect();
    let bookings: Vec<BookingId> = reserving.iter().map(|command| command.booking_id).collect();
    let releasing = bookings.iter().map(|booking| event.release(*booking).into());
    (reserving.into_iter().map(Into::into).chain(releasing).collect(), bookings)
}

/// Waits until each of these bookings is told that it has its tickets, then that they are released, and
/// nothing else.
async fn each_is_told_both_once(app: &TestApp, bookings: &[BookingId]) {
    for booking in bookings {
        let told = app.replies(*booking, 2).await;
        let [TicketFact::TicketsReserved(_), TicketFact::TicketsReleased(_)] = &told[..] else {
            panic!("{told:?}")
        };
    }
}

#[tokio::test]
async fn hundreds_of_commands_of_a_locked_event_hold_up_no_other_and_each_is_answered_once() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let (locked, free) =
        (app.made(&organiser, &plan(999)).await, app.made(&organiser, &plan(999)).await);
    let locking = lock(&app, LOCK_EVENT, locked.id.0).await;
    let member = app.environment.joined(&EVENT, 1).await;

    let (waiting, held) = made_and_undone(&locked);
    let (others, going_on) = made_and_undone(&free);
    let commands: Vec<_> = waiting.into_iter().zip(others).flat_map(|(a, b)| [a, b]).collect();
    let since = Instant::now();
    app.send(&commands).await;
    each_is_told_both_once(&app, &going_on).await;
    // What comes behind goes on as well, though the consumer has met the lock.
    let reply = app.ask(free.reserve(1)).await;
    assert!(matches!(reply, TicketFact::TicketsReserved(_)), "{reply:?}");
    assert!(since.elapsed() < A_MOMENT, "it took {:?}", since.elapsed());
    assert_eq!(app.stock(locked.types[0]).await, (999, 0, 0));

    locking.rollback().await.expect("the row is free");
    each_is_told_both_once(&app, &held).await;
    each_is_told_both_once(&app, &going_on).await;
    assert_eq!(app.environment.joined(&EVENT, 1).await, member, "it has left its group");
    app.stop().await;
}
