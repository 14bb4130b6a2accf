//! An event is called off while its bookings are in every stage there is.

use std::{collections::BTreeMap, time::Duration};

use karcis_fleet::{Booking, Concert, Fleet, Person, Stock};
use karcis_schemas::{BOOKING, EVENT, PAYMENT};
use karcis_testkit::{eventually, together};

const PRICE: i64 = 750_000;

/// How long a thousand bookings may take on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_thousand_bookings_are_undone_and_every_rupiah_returned() {
    let mut fleet = Fleet::start().await;
    fleet.checked_at_rest();
    let concert = fleet.concert().tickets("VIP", 2_000).published().await;
    let crowd = fleet.crowd(1_000);
    let (early, late) = crowd.split_at(900);

    let bookings = order(&concert, early).await;
    reach(&fleet, [("awaiting", 900)]).await;
    pay(&early[..300], &bookings[..300]).await;
    reach(&fleet, [("awaiting", 600), ("confirmed", 300)]).await;

    fleet.stop(&EVENT).await;
    pay(&early[300..450], &bookings[300..450]).await;
    cancel(&early[450..550], &bookings[450..550]).await;
    reach(&fleet, [("awaiting", 350), ("confirmed", 300), ("confirming", 150), ("releasing", 100)])
        .await;

    fleet.stop(&PAYMENT).await;
    cancel(&early[550..650], &bookings[550..650]).await;
    cancel(&early[..100], &bookings[..100]).await;
    let late_bookings = order(&concert, late).await;
    fleet.stop(&BOOKING).await;
    reach(
        &fleet,
        [
            ("reserving", 100),
            ("awaiting", 250),
            ("cancelling", 100),
            ("confirming", 150),
            ("confirmed", 200),
            ("releasing", 100),
            ("refunding", 100),
        ],
    )
    .await;

    fleet.start_again(&EVENT).await;
    concert.is_called_off().await;
    fleet.start_again(&BOOKING).await;
    fleet.start_again(&PAYMENT).await;

    let all: Vec<(&Person, Booking)> =
        early.iter().zip(bookings).chain(late.iter().zip(late_bookings)).collect();
    together(32, all.iter().map(|(buyer, booking)| is_over(buyer, booking))).await;
    let ids: Vec<_> = all.iter().map(|(_, booking)| booking.id).collect();
    eventually(async || fleet.ledgers(&ids).await.iter().map(|ledger| ledger.kept()).sum::<i64>())
        .within(TIMEOUT)
        .is(0)
        .await;
    let ledgers = fleet.ledgers(&ids).await;
    let captured: i64 = ledgers.iter().map(|ledger| ledger.captured).sum();
    assert_eq!(captured, 450 * PRICE);
    assert!(ledgers.iter().all(|ledger| ledger.kept() == 0), "each got back what they paid");
    // A booking is shown as cancelled before its seats are back.
    let all_free = Stock { capacity: 2_000, free: 2_000, held: 0, sold: 0 };
    eventually(|| fleet.stock(&concert, "VIP")).within(TIMEOUT).is(all_free).await;
    assert_eq!(concert.seen().await["status"], "cancelled");
}

async fn order(concert: &Concert, buyers: &[Person]) -> Vec<Booking> {
    together(64, buyers.iter().map(|buyer| buyer.orders(concert, "VIP", 1))).await
}

async fn pay(buyers: &[Person], bookings: &[Booking]) {
    let pairs = buyers.iter().zip(bookings);
    let payments = pairs.map(|(buyer, booking)| async {
        eventually(async || match buyer.pays(booking, "tok_approved").await {
            paid if paid.status == 200 => Ok(()),
            not_yet => Err(not_yet), // it may not be payable yet
        })
        .await;
    });
    together(64, payments).await;
}

async fn cancel(buyers: &[Person], bookings: &[Booking]) {
    let pairs = buyers.iter().zip(bookings);
    together(64, pairs.map(|(buyer, booking)| async { buyer.cancels(booking).await.is(202) }))
        .await;
}

/// Waits until this many bookings are in each stage.
async fn reach<const N: usize>(fleet: &Fleet, stages: [(&str, i64); N]) {
    let wanted: BTreeMap<String, i64> =
        stages.into_iter().map(|(stage, count)| (stage.to_owned(), count)).collect();
    eventually(|| fleet.stages()).within(TIMEOUT).is(wanted).await;
}

/// Undone; or never reserved, as the event was called off first.
async fn is_over(buyer: &Person, booking: &Booking) {
    eventually(async || {
        let seen = buyer.sees_why(booking).await;
        match (seen.0.as_str(), seen.1.as_str()) {
            ("cancelled", "event_cancelled" | "cancelled_by_buyer") => Ok(()),
            ("rejected", "event_cancelled") => Ok(()),
            _ => Err(seen),
        }
    })
    .within(TIMEOUT)
    .await;
}
