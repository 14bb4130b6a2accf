//! Readers have connections of their own: however many wait, nothing else waits for them.

use karcis_contracts::TicketFact;
use karcis_testkit::eventually;
use tokio::{
    task::JoinSet,
    time::{Duration, Instant},
};

use crate::harness::{TestApp, plan};

#[tokio::test]
async fn readers_that_wait_starve_neither_commands_nor_edits() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    let concert = app.made(&organiser, &plan(10)).await;
    // A request for a ticket waits for this, and gives up after 5 s.
    let mut lock = app.environment.superuser().begin().await.expect("a transaction begins");
    let locking = sqlx::query("LOCK TABLE events.ticket IN ACCESS EXCLUSIVE MODE");
    locking.execute(&mut *lock).await.expect("the table can be locked");
    let mut readers = JoinSet::new();
    for _ in 0..50 {
        let visitor = app.visitor();
        readers.spawn(async move {
            loop {
                visitor.get("/tickets/00000000000000000000000000000000").await;
            }
        });
    }
    let waiting = async || {
        let count = "SELECT count(*) FROM pg_locks
            WHERE relation = 'events.ticket'::regclass AND NOT granted";
        let counted = sqlx::query_scalar::<_, i64>(count);
        counted.fetch_one(app.environment.superuser()).await.expect("locks can be counted")
    };
    // A third of the service's 9 connections.
    eventually(waiting).is(3).await;

    let since = Instant::now();
    let reply = app.ask(concert.reserve(1)).await;
    assert!(matches!(reply, TicketFact::TicketsReserved(_)), "{reply:?}");
    app.made(&organiser, &plan(10)).await;
    assert!(since.elapsed() < Duration::from_secs(4), "it took {:?}", since.elapsed());
    let another = tokio::time::timeout(Duration::from_secs(1), async {
        app.visitor().get("/events?from=2030-01-01T00:00:00Z").await.is(200);
    });
    assert!(another.await.is_err(), "a connection was free for another reader");

    readers.shutdown().await;
    lock.rollback().await.expect("the lock is released");
    app.stop().await;
}
