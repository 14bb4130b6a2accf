//! Bugs that only a death shows: one at the right place, or at the right moment, is noticed.

use karcis_fleet::{Fleet, When, violations};
use karcis_schemas::{BOOKING, SERVICES, USER};
use karcis_testkit::eventually;

use super::acts::{Act, Scene};

/// Other transactions of the service may come to the place where it dies before that of the order.
const DEATHS: usize = 10;

async fn fleet(bug: &str) -> Fleet {
    let variables = [("KARCIS_PLANTED_BUG", bug), ("KARCIS_RESEND_AFTER", "1s")];
    let mut fleet = Fleet::of_processes(&variables).await;
    fleet.unchecked();
    fleet
}

/// Waits until no message is under way.
async fn all_handled(fleet: &Fleet) {
    for service in SERVICES {
        fleet.environment().all_sent(*service.schema).await;
        fleet.environment().all_handled(service).await;
    }
}

async fn is_broken(fleet: &Fleet, rule: u8) -> bool {
    let broken = violations(fleet.environment().superuser(), When::Rest).await.unwrap();
    broken.iter().any(|violation| violation.rule == rule)
}

#[tokio::test]
async fn orders_that_are_sent_before_they_are_stored_hold_seats_for_nobody() {
    let fleet = fleet("PublishedBeforeCommit").await;
    for _ in 0..DEATHS {
        let mut scene = Scene::prepare(&fleet, Act::Order, &BOOKING).await;
        let dying = fleet.processes().crashes_at(&BOOKING, "database.committed");
        tokio::join!(scene.play(), dying);
        fleet.ready(&BOOKING).await;
        all_handled(&fleet).await;
        if is_broken(&fleet, 7).await {
            return;
        }
    }
    panic!("{DEATHS} deaths break no rule");
}

#[tokio::test]
async fn offsets_that_are_committed_before_the_work_leave_a_buyer_untold() {
    let fleet = fleet("OffsetBeforeDatabase").await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let buyer = fleet.registers("Sari").await;
    let booking = buyer.books(&concert, "VIP", 1).await;
    all_handled(&fleet).await;
    let mut locking = fleet.environment().superuser().begin().await.unwrap();
    let lock = "LOCK TABLE users.notice IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *locking).await.unwrap();
    buyer.pays_up(&booking).await;
    eventually(|| buyer.sees(&booking)).is("confirmed").await;
    let waits = "SELECT EXISTS (SELECT FROM pg_locks
                               WHERE relation = 'users.notice'::regclass AND NOT granted)";
    let waits = async || {
        let waits = sqlx::query_scalar::<_, bool>(waits);
        waits.fetch_one(fleet.environment().superuser()).await.unwrap()
    };
    eventually(waits).is(true).await;
    // Its offsets are committed while its work waits.
    fleet.environment().all_handled(&USER).await;
    fleet.processes().kill(&USER);
    // What has waited for the lock is given up with its client; else it would be done after all.
    eventually(waits).is(false).await;
    locking.rollback().await.unwrap();
    fleet.ready(&USER).await;
    all_handled(&fleet).await;
    assert!(is_broken(&fleet, 12).await);
}
