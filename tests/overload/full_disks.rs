//! The disk of the database is full, and that of the broker.

use karcis_fleet::{Booking, Concert, Fleet, FleetAnswer, Ledger, Person, Stock};
use karcis_schemas::{BOOKING, EVENT, SERVICES};
use karcis_testkit::{Broker, PostgresServer, TestEnvironment, eventually, together};

use crate::{ALONE, creates, is_refused, pids};

/// As both servers say it.
const CAUSE: &str = "No space left on device";

#[tokio::test]
async fn a_full_database_refuses_what_is_new_shows_what_it_has_and_loses_nothing() {
    let _alone = ALONE.lock().await;
    let server = PostgresServer::on_a_disk().await;
    let environment = TestEnvironment::on_postgres(&server).await;
    let fleet = Fleet::of_instances_on(environment, 1, &[("KARCIS_RESEND_AFTER", "1s")]).await;
    let (pids, concert) = (pids(&fleet), fleet.concert().tickets("VIP", 1_000).published().await);
    let (before, during) = (fleet.crowd(20), fleet.crowd(200));
    let early = together(8, before.iter().map(|buyer| buyer.books(&concert, "VIP", 1))).await;

    // A new file of the server's own log, which is made whole: without room for the next one the server stops.
    for make in ["SELECT pg_switch_wal()", "SELECT pg_logical_emit_message(true, '', '')"] {
        sqlx::query(make).execute(fleet.environment().superuser()).await.unwrap();
    }
    server.fill_disk();
    let mut taken = Vec::new();
    let mut refused = 0;
    let answers = together(8, during.iter().map(|buyer| creates(buyer, &concert, "VIP"))).await;
    for (buyer, answer) in during.iter().zip(answers) {
        if answer.status == 202 {
            taken.push((buyer, answer.booking()));
        } else {
            is_refused(answer);
            refused += 1;
        }
    }
    println!("a full database took {} creates and refused {refused}", taken.len());
    assert!(refused > 100, "{refused} were refused");
    let log = fleet.processes().log(&BOOKING);
    assert!(log.contains(CAUSE), "the log does not name the cause: {log}");
    assert!(fleet.processes().counted(&BOOKING, "karcis_disk_full_total").await > 0.0);
    // Reads need no room; payments are taken, or refused for a moment.
    assert_eq!(before[0].sees(&early[0]).await, "awaiting_payment");
    before[0].get(&EVENT, &format!("/events/{}", concert.id)).await.is(200);
    for (buyer, booking) in before.iter().zip(&early) {
        let answer = buyer.pays(booking, "tok_approved").await;
        if !matches!(answer.status.as_u16(), 200 | 202) {
            is_refused(answer);
        }
    }

    server.make_room();
    let stored = count(&fleet).await;
    assert_eq!(stored, (early.len() + taken.len()) as i64, "none of the refused exists");
    for service in SERVICES {
        fleet.ready(service).await;
    }
    let paid: Vec<_> = before.iter().zip(early).chain(taken).collect();
    all_end(&fleet, &concert, &paid).await;
    assert_eq!(pids, crate::pids(&fleet), "no service was started again");
}

#[tokio::test]
async fn a_broker_whose_disk_is_full_stops_and_all_goes_on_once_it_is_back() {
    let _alone = ALONE.lock().await;
    let mut broker = Broker::on_a_disk().await;
    let environment = TestEnvironment::on_kafka(broker.bootstrap_servers()).await;
    let fleet = Fleet::of_instances_on(environment, 1, &[("KARCIS_RESEND_AFTER", "1s")]).await;
    let (pids, concert) = (pids(&fleet), fleet.concert().tickets("VIP", 1_000).published().await);
    let (before, during) = (fleet.crowd(20), fleet.crowd(20));
    let early = together(8, before.iter().map(|buyer| buyer.books(&concert, "VIP", 1))).await;

    let filling = broker.fill_disk();
    let ordering = together(8, during.iter().map(|buyer| buyer.orders(&concert, "VIP", 1)));
    let paying = together(8, before.iter().zip(&early).map(|(it, booking)| it.pays_up(booking)));
    let (said, late, _) = tokio::join!(filling, ordering, paying);
    assert!(said.contains(CAUSE), "the broker's disk was not full: {said}");
    // Without it orders and payments are taken, and instances are ready.
    for service in SERVICES {
        during[0].get(service, "/readyz").await.is(200);
    }
    let last = fleet.buyer("Sari").await;
    let waiting = last.orders(&concert, "VIP", 1).await;
    let log = async || fleet.processes().log(&BOOKING).contains("the relay starts again");
    eventually(log).is(true).await;
    assert_eq!(last.sees(&waiting).await, "pending");

    broker.make_room();
    broker.start_again().await;
    let pairs = before.iter().zip(early).chain(during.iter().zip(late));
    all_end(&fleet, &concert, &pairs.chain([(&last, waiting)]).collect::<Vec<_>>()).await;
    assert_eq!(pids, crate::pids(&fleet), "no service was started again");
}

/// Who has not paid pays; each has a ticket in the end, and nothing is left.
async fn all_end(fleet: &Fleet, concert: &Concert, bookings: &[(&Person, Booking)]) {
    let each = bookings.iter().map(|(buyer, booking)| async move {
        eventually(async || buyer.sees(booking).await != "pending").is(true).await;
        buyer.pays_up(booking).await;
        eventually(|| buyer.sees(booking)).is("confirmed").await;
    });
    together(8, each).await;
    let ids: Vec<_> = bookings.iter().map(|(_, booking)| booking.id).collect();
    let once = Ledger::captured_once(750_000);
    assert_eq!(fleet.ledgers(&ids).await, vec![once; ids.len()]);
    let sold = ids.len() as i64;
    let stock = Stock { capacity: 1_000, free: 1_000 - sold, held: 0, sold };
    assert_eq!(fleet.stock(concert, "VIP").await, stock);
}

async fn count(fleet: &Fleet) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM bookings.booking");
    count.fetch_one(fleet.environment().superuser()).await.unwrap()
}
