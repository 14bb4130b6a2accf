//! Connections to the database go silent: nobody closes them, and no answer comes.

use karcis_kernel::{EventId, TicketTypeId};
use karcis_testkit::{TestEnvironment, eventually};
use reqwest::StatusCode;
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use crate::harness::{TestApp, order, paid};

/// Within this everything works again.
const LIMIT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn silent_connections_stop_neither_requests_nor_replies_nor_deadlines() {
    let mut environment = TestEnvironment::start().await;
    let proxy = environment.behind_proxy().await;
    let app = TestApp::start_on(environment, &["--resend-after", "10m"]).await;
    let buyer = app.buyer();
    let (paying, late) = (buyer.books().await, buyer.books().await);
    for booking in [paying, late] {
        app.makes_payable(booking).await;
        buyer.waits_for(booking, "awaiting_payment").await;
    }

    proxy.silence();
    let since = Instant::now();
    app.ends_deadlines(&[late]).await;
    app.publishes([paid(paying)]).await;
    let create = || async {
        let order = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
        buyer.post("/booking/create", &order).await.status
    };
    eventually(create).within(LIMIT).is(StatusCode::ACCEPTED).await;
    for (booking, command) in [(paying, "ConfirmTickets"), (late, "CancelPayment")] {
        let sent = async || (app.count(booking, command) > 0).then_some(()).ok_or(command);
        eventually(sent).within(LIMIT).await;
    }
    let ready = || async { app.visitor.get("/readyz").await.status };
    eventually(ready).within(LIMIT).is(StatusCode::OK).await;
    assert!(since.elapsed() < LIMIT, "it took {:?}", since.elapsed());
    assert!(proxy.swallowed() >= 3, "{} connections were silent", proxy.swallowed());
    app.stop().await;
}
