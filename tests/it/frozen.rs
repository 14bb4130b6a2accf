//! A machine stands still for longer than its sessions: its work goes on elsewhere, and it does no harm
//! when it comes back.

use std::{collections::BTreeMap, time::Duration};

use karcis_fleet::{Booking, Concert, Fleet, Ledger, Person, Stock, TIMEOUT};
use karcis_schemas::{BOOKING, EVENT, PAYMENT, Service};
use karcis_testkit::{eventually, together};

const FROZEN: [&Service; 3] = [&EVENT, &BOOKING, &PAYMENT];
/// How long buyers wait for the others to take over.
const TAKEN_OVER: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_work_of_frozen_services_goes_on_elsewhere_and_they_do_no_harm_when_they_thaw() {
    let fleet = Fleet::of_instances(2, &[("KARCIS_RESEND_AFTER", "1s")]).await;
    let [first, other] = fleet.instances() else { panic!("there are two") };
    let concert = fleet.concert().tickets("VIP", 100).published().await;
    let crowd: Vec<Person> =
        fleet.crowd(30).iter().map(|buyer| buyer.through(other.urls())).collect();
    let (before, rest) = crowd.split_at(10);
    let (during, after) = rest.split_at(10);
    // Both have a share of the messages; the first, which came first, sends all outboxes.
    for service in FROZEN {
        fleet.environment().joined(service, 2).await;
    }
    let early = together(10, before.iter().map(|it| it.books(&concert, "VIP", 1))).await;
    let owners = relays(&fleet).await;

    // In the midst of their payments, and of others' orders.
    let paying = together(10, before.iter().zip(&early).map(|(it, booking)| it.pays_up(booking)));
    let freezing = together(1, FROZEN.iter().map(|service| first.freeze(service)));
    let (_, pids) = tokio::join!(paying, freezing);
    let began = tokio::time::Instant::now();
    let late = together(10, during.iter().map(|it| it.orders(&concert, "VIP", 1))).await;
    for (buyer, booking) in before.iter().zip(&early) {
        ends(buyer, booking, "confirmed", TAKEN_OVER.saturating_sub(began.elapsed())).await;
    }
    for (buyer, booking) in during.iter().zip(&late) {
        ends(buyer, booking, "awaiting_payment", TAKEN_OVER.saturating_sub(began.elapsed())).await;
    }
    let taken_over = relays(&fleet).await;
    for service in FROZEN {
        let role = service.schema.role;
        assert_ne!(owners[role], taken_over[role], "{} has another relay", service.name);
    }

    assert_eq!(pids, FROZEN.map(|service| first.thaw(service)));
    for service in FROZEN {
        fleet.environment().joined(service, 2).await;
        fleet.ready(service).await;
    }
    pay(during, &late).await;
    let last = together(10, after.iter().map(|it| it.orders(&concert, "VIP", 1))).await;
    for (buyer, booking) in after.iter().zip(&last) {
        ends(buyer, booking, "awaiting_payment", TIMEOUT).await;
    }
    pay(after, &last).await;
    adds_up(&fleet, &concert, &[early, late, last].concat()).await;
    assert_eq!(pids, FROZEN.map(|service| first.pid(service)), "they went on");
}

async fn ends(buyer: &Person, booking: &Booking, status: &str, within: Duration) {
    eventually(|| buyer.sees(booking)).within(within).is(status).await;
}

async fn pay(buyers: &[Person], bookings: &[Booking]) {
    let pairs = buyers.iter().zip(bookings);
    together(10, pairs.clone().map(|(buyer, booking)| buyer.pays_up(booking))).await;
    for (buyer, booking) in pairs {
        ends(buyer, booking, "confirmed", TIMEOUT).await;
    }
}

/// Each booking was charged once and has its seat.
async fn adds_up(fleet: &Fleet, concert: &Concert, bookings: &[Booking]) {
    let ids: Vec<_> = bookings.iter().map(|booking| booking.id).collect();
    let once = Ledger::captured_once(750_000);
    assert_eq!(fleet.ledgers(&ids).await, vec![once; bookings.len()]);
    let sold = bookings.len() as i64;
    let stock = Stock { capacity: 100, free: 100 - sold, held: 0, sold };
    assert_eq!(fleet.stock(concert, "VIP").await, stock);
}

/// The database session that owns each role's outbox.
async fn relays(fleet: &Fleet) -> BTreeMap<String, i32> {
    const RELAYS: &str = "
        SELECT usename::text, pid FROM pg_stat_activity
        WHERE datname = current_database()
            AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)";
    let superuser = fleet.environment().superuser();
    let relays: Vec<(String, i32)> = sqlx::query_as(RELAYS).fetch_all(superuser).await.unwrap();
    relays.into_iter().collect()
}
