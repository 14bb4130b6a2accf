//! All topics are deleted, with what is in them, and made again while people book.

use std::time::Duration;

use karcis_fleet::{Fleet, Ledger, Stock, TIMEOUT};
use karcis_schemas::{BOOKING, SERVICES};
use karcis_testkit::{Broker, TestEnvironment, eventually, together};
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn every_booking_comes_to_its_end_although_all_topics_were_deleted() {
    let fleet = Fleet::builder().flag(&BOOKING, "--resend-after", "1s").start().await;
    let concert = fleet.concert().tickets("VIP", 100).published().await;
    let crowd = fleet.crowd(40);
    let (early, late) = crowd.split_at(20);
    let mut bookings = together(8, early.iter().map(|it| it.books(&concert, "VIP", 1))).await;

    // In the midst of orders; half of those who have booked pay, and the others cancel.
    let orders = together(4, late.iter().map(|it| it.orders(&concert, "VIP", 1)));
    let (ordered, ()) = tokio::join!(orders, fleet.environment().delete_topics());
    bookings.extend(ordered);
    let pairs: Vec<_> = crowd.iter().zip(&bookings).collect();
    together(8, pairs[..10].iter().map(|(it, booking)| it.pays_up(booking))).await;
    together(
        8,
        pairs[10..20].iter().map(|(it, booking)| async { it.cancels(booking).await.is(202) }),
    )
    .await;
    let waiting = fleet.environment().unsent(*BOOKING.schema).await;
    assert!(waiting >= 10, "{waiting} messages wait for their topics");
    fleet.environment().make_topics().await;

    for (buyer, booking) in &pairs[20..] {
        eventually(|| buyer.sees(booking)).within(TIMEOUT).is("awaiting_payment").await;
    }
    together(8, pairs[20..].iter().map(|(it, booking)| it.pays_up(booking))).await;
    for (number, (buyer, booking)) in pairs.iter().enumerate() {
        let end = if (10..20).contains(&number) { "cancelled" } else { "confirmed" };
        eventually(|| buyer.sees(booking)).within(TIMEOUT).is(end).await;
    }
    let stock = Stock { capacity: 100, free: 70, held: 0, sold: 30 };
    eventually(|| fleet.stock(&concert, "VIP")).within(TIMEOUT).is(stock).await;
    let ids: Vec<_> = bookings.iter().map(|booking| booking.id).collect();
    let once = Ledger::captured_once(750_000);
    let ledgers = fleet.ledgers(&ids).await;
    assert_eq!(ledgers[10..20], [Ledger::default(); 10]);
    assert!(ledgers[..10].iter().chain(&ledgers[20..]).all(|ledger| *ledger == once));
}

#[tokio::test]
async fn bookings_go_on_within_a_minute_where_topics_are_made_again_after_a_crash_of_the_broker() {
    let mut broker = Broker::start().await;
    let fleet = Fleet::builder()
        .on(TestEnvironment::on_kafka(broker.bootstrap_servers()).await)
        .flag(&BOOKING, "--resend-after", "1s")
        .start()
        .await;
    let concert = fleet.concert().tickets("VIP", 100).published().await;
    let crowd = fleet.crowd(3);
    broker.kill().await;
    broker.start_again().await;
    let early = crowd[0].books(&concert, "VIP", 1).await;

    fleet.environment().delete_topics().await;
    // As deployments do it.
    sleep(Duration::from_secs(2)).await;
    fleet.environment().make_topics().await;
    let made = Instant::now();
    let late = crowd[1].orders(&concert, "VIP", 1).await;
    crowd[0].pays_up(&early).await;
    let left = || Duration::from_secs(60).saturating_sub(made.elapsed());
    eventually(|| crowd[0].sees(&early)).within(left()).is("confirmed").await;
    eventually(|| crowd[1].sees(&late)).within(left()).is("awaiting_payment").await;
    for service in SERVICES {
        crowd[2].get(service, "/readyz").await.is(200);
    }
}
