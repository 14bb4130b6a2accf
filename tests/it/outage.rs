//! Kafka goes away for a while: orders and payments go on, and nothing is lost.

use std::time::Duration;

use karcis_fleet::{Fleet, Stock};
use karcis_schemas::{BOOKING, SERVICES};
use karcis_testkit::{Broker, TestEnvironment, eventually, together};

const OUTAGE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn nothing_is_lost_while_kafka_is_down() {
    let mut broker = Broker::start().await;
    let fleet = Fleet::builder()
        .on(TestEnvironment::on_kafka(broker.bootstrap_servers()).await)
        .start()
        .await;
    let concert = fleet.concert().tickets("VIP", 200).published().await;
    let (before, during) = (fleet.crowd(40), fleet.crowd(40));
    let early = together(8, before.iter().map(|buyer| buyer.books(&concert, "VIP", 1))).await;

    broker.stop().await;
    let began = tokio::time::Instant::now();
    // What was payable stays so, what is payable can be cancelled, and new orders are taken.
    let paid = before[..20].iter().zip(&early);
    together(8, paid.map(|(buyer, booking)| async { buyer.pays_up(booking).await })).await;
    let cancelled = before[20..].iter().zip(&early[20..]);
    together(8, cancelled.map(|(buyer, booking)| async { buyer.cancels(booking).await.is(202) }))
        .await;
    let late = together(8, during.iter().map(|buyer| buyer.orders(&concert, "VIP", 1))).await;
    for service in SERVICES {
        before[0].get(service, "/readyz").await.is(200);
    }
    assert_eq!(during[0].sees(&late[0]).await, "pending");
    let waiting = fleet.environment().unsent(*BOOKING.schema).await;
    assert!(waiting >= 60, "{waiting} messages wait for Kafka");
    tokio::time::sleep_until(began + OUTAGE).await;
    broker.start_again().await;

    let timeout = Duration::from_secs(120);
    for (buyer, booking) in before[..20].iter().zip(&early) {
        eventually(|| buyer.sees(booking)).within(timeout).is("confirmed").await;
    }
    for (buyer, booking) in before[20..].iter().zip(&early[20..]) {
        eventually(|| buyer.sees(booking)).within(timeout).is("cancelled").await;
    }
    for (buyer, booking) in during.iter().zip(&late) {
        eventually(|| buyer.sees(booking)).within(timeout).is("awaiting_payment").await;
    }
    let stock = Stock { capacity: 200, free: 140, held: 40, sold: 20 };
    eventually(|| fleet.stock(&concert, "VIP")).within(timeout).is(stock).await;
}
