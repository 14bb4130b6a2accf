//! Connections to the database go silent: nobody closes them, and no answer comes.

use std::time::Duration;

use karcis_contracts::TicketFact;
use karcis_testkit::{TestEnvironment, eventually};
use tokio::time::Instant;

use crate::harness::{TestApp, plan};

#[tokio::test]
async fn silent_connections_stop_neither_commands_nor_organisers() {
    let mut environment = TestEnvironment::start().await;
    let proxy = environment.behind_proxy().await;
    let app = TestApp::start_on(environment).await;
    let organiser = app.organiser();
    let concert = app.made(&organiser, &plan(9)).await;
    app.ask(concert.reserve(1)).await;

    proxy.silence();
    let since = Instant::now();
    let reserve = concert.reserve(1);
    app.send(&[reserve.clone().into()]).await;
    let creating = || async { organiser.post("/event/create", &plan(9)).await.status.as_u16() };
    eventually(creating).is(201).await;
    let reply = app.replies(reserve.booking_id, 1).await.remove(0);
    assert!(matches!(reply, TicketFact::TicketsReserved(_)), "{reply:?}");
    assert!(since.elapsed() < Duration::from_secs(60), "it took {:?}", since.elapsed());
    assert!(proxy.swallowed() >= 2, "{} connections were silent", proxy.swallowed());
    app.stop().await;
}
