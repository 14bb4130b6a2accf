//! All consumer groups begin again at the first message: nothing happens a second time.

use std::collections::BTreeMap;

use karcis_fleet::{Booking, Concert, Fleet, Ledger, Person, Stock};
use karcis_schemas::{BOOKING, EVENT, PAYMENT, SERVICES, USER};
use karcis_testkit::eventually;
use serde_json::Value;

#[tokio::test]
async fn rewound_groups_change_no_booking_no_seat_and_no_money() {
    let fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 20).published().await;
    let sari = fleet.registers("Sari").await;
    let (budi, dewi) = (fleet.buyer("Budi").await, fleet.buyer("Dewi").await);
    let [kept, given_back, declined, unpaid] = [
        sari.books(&concert, "VIP", 2).await,
        sari.books(&concert, "VIP", 1).await,
        budi.books(&concert, "VIP", 1).await,
        dewi.books(&concert, "VIP", 3).await,
    ];
    for booking in [&kept, &given_back] {
        sari.pays_up(booking).await;
        eventually(|| sari.sees(booking)).is("confirmed").await;
    }
    sari.cancels(&given_back).await.is(202);
    budi.pays(&declined, "tok_stolen_card").await.is(402);
    for (buyer, booking) in [(&sari, &given_back), (&budi, &declined)] {
        eventually(|| buyer.sees(booking)).is("cancelled").await;
    }
    let all = [kept, given_back, declined, unpaid];
    is_quiet(&fleet).await;
    let before = state(&fleet, &concert, &sari, &all).await;

    all_are_rewound(&fleet).await;
    assert_eq!(state(&fleet, &concert, &sari, &all).await, before);
}

/// Has all services read all messages again, which they have handled.
pub(crate) async fn all_are_rewound(fleet: &Fleet) {
    let mut handled = BTreeMap::new();
    for service in SERVICES {
        fleet.stop(service).await;
        handled.insert(service.name, fleet.environment().committed(service).await);
    }
    for service in SERVICES {
        fleet.environment().rewind(service).await;
        assert_eq!(fleet.environment().committed(service).await, 0);
    }
    for service in SERVICES {
        fleet.start_again(service).await;
    }
    is_quiet(fleet).await;
    for service in SERVICES {
        let (once, again) = (handled[service.name], fleet.environment().committed(service).await);
        // Commands were answered again, so there are more answers than before.
        let expected = if service.name == BOOKING.name { once + 1 } else { once };
        assert!(once > 0 && again >= expected, "{}: {again} after {once}", service.name);
    }
}

/// What must not change.
#[derive(Debug, PartialEq)]
struct State {
    stages: BTreeMap<String, i64>,
    stock: Stock,
    ledgers: Vec<Ledger>,
    timelines: Vec<i64>,
    tickets: Value,
    notifications: i64,
}

async fn state(fleet: &Fleet, concert: &Concert, sari: &Person, all: &[Booking; 4]) -> State {
    let ids = all.map(|booking| booking.id);
    let superuser = fleet.environment().superuser();
    let mut timelines = Vec::new();
    for id in ids {
        let count = "SELECT count(*) FROM bookings.saga_log WHERE booking_id = $1";
        timelines.push(sqlx::query_scalar(count).bind(id.0).fetch_one(superuser).await.unwrap());
    }
    let notifications = sqlx::query_scalar("SELECT count(*) FROM users.notice");
    State {
        stages: fleet.stages().await,
        stock: fleet.stock(concert, "VIP").await,
        ledgers: fleet.ledgers(&ids).await,
        timelines,
        tickets: sari.booking(&all[0]).await["tickets"].clone(),
        notifications: notifications.fetch_one(superuser).await.unwrap(),
    }
}

/// Waits until each message was sent and handled: commands, what answers them, and what follows.
pub(crate) async fn is_quiet(fleet: &Fleet) {
    for service in [&EVENT, &PAYMENT, &BOOKING, &EVENT, &PAYMENT, &BOOKING, &USER] {
        fleet.environment().all_handled(service).await;
        fleet.environment().all_sent(*service.schema).await;
    }
}
