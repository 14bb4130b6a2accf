//! Kafka is away: what is still accepted, and what is not.

use karcis_kernel::{EventId, TicketTypeId};
use karcis_testkit::{Broker, TestEnvironment, eventually};
use reqwest::StatusCode;
use uuid::Uuid;

use crate::harness::{TestApp, order};

#[tokio::test]
async fn without_kafka_bookings_are_taken_until_too_much_waits_and_cancels_always() {
    let mut broker = Broker::start().await;
    let environment = TestEnvironment::on_kafka(broker.bootstrap_servers()).await;
    let app = TestApp::start_on(environment, &["--resend-after", "10m"]).await;
    let buyer = app.buyer();
    broker.stop().await;
    let booking = buyer.books().await;
    assert_eq!(buyer.status(booking).await, "pending");

    let pile_up = "INSERT INTO bookings.outbox (topic, key, kind, body)
        SELECT 'karcis.users.v1', gen_random_uuid(), 'karcis.Nothing.v1', '{}'
        FROM generate_series(1, 10001)";
    sqlx::query(pile_up).execute(app.environment.superuser()).await.expect("rows can be stored");
    let create = || async {
        let order = order(EventId(Uuid::now_v7()), TicketTypeId(Uuid::now_v7()));
        buyer.post("/booking/create", &order).await
    };
    let status = || async { create().await.status };
    eventually(status).is(StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(create().await.headers.contains_key("retry-after"));
    buyer.cancels(booking).await.is(202);

    broker.start_again().await;
    app.receives(booking, "ReserveTickets").await;
    app.receives(booking, "ReleaseTickets").await;
    eventually(status).is(StatusCode::ACCEPTED).await;
    app.stop().await;
}
