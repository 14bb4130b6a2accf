//! Bugs that only real processes have: a death at the right place is noticed.

use karcis_fleet::{Fleet, When, violations};
use karcis_schemas::{BOOKING, SERVICES, Service, USER};
use karcis_testkit::eventually;

use super::acts::{Act, Scene};

/// What a message that is sent at the moment of a death needs to be lost by.
const DEATHS: usize = 10;

/// Whether one of some deaths at this place breaks this rule.
async fn is_noticed(
    bug: &str,
    (service, place): (&'static Service, &str),
    act: Act,
    rule: u8,
) -> bool {
    let variables = [("KARCIS_PLANTED_BUG", bug), ("KARCIS_RESEND_AFTER", "1s")];
    let mut fleet = Fleet::of_processes(&variables).await;
    fleet.unchecked();
    for _ in 0..DEATHS {
        let mut scene = Scene::prepare(&fleet, act, service).await;
        all_handled(&fleet).await;
        tokio::join!(scene.play(), fleet.processes().crashes_at(service, place));
        fleet.ready(service).await;
        all_handled(&fleet).await;
        let broken = violations(fleet.environment().superuser(), When::Rest).await.unwrap();
        if broken.iter().any(|violation| violation.rule == rule) {
            return true;
        }
    }
    false
}

/// Waits until no message is under way.
async fn all_handled(fleet: &Fleet) {
    let environment = fleet.environment();
    for service in SERVICES {
        let waiting = format!("SELECT count(*) FROM {}.outbox", service.schema.name);
        eventually(async || {
            let waiting = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(waiting.as_str()));
            waiting.fetch_one(environment.superuser()).await.unwrap()
        })
        .is(0)
        .await;
    }
    for service in SERVICES {
        environment.all_handled(service).await;
    }
}

#[tokio::test]
async fn orders_that_are_sent_before_they_are_stored_hold_seats_for_nobody() {
    let place = (&BOOKING, "database.committed");
    assert!(is_noticed("PublishedBeforeCommit", place, Act::Order, 7).await);
}

#[tokio::test]
async fn offsets_that_are_committed_before_the_work_leave_a_buyer_untold() {
    let place = (&USER, "notifications.added");
    assert!(is_noticed("OffsetBeforeDatabase", place, Act::Pay, 12).await);
}
