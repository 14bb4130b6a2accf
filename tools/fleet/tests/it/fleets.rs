//! A fleet looks at what a test leaves behind, and says so.

use std::time::Duration;

use karcis_fleet::{Booking, Fleet, Person, When, violations};
use karcis_testkit::eventually;
use sqlx::AssertSqlSafe;

const LETTER: &str = "
INSERT INTO bookings.dead_letter (topic, \"partition\", \"offset\", headers, body, error)
VALUES ('t', 0, 0, '{}', '', 'nobody can read this')";

#[tokio::test]
#[should_panic(expected = "nobody can read this")]
async fn it_fails_a_test_that_leaves_a_dead_letter() {
    let fleet = Fleet::start().await;
    sqlx::query(LETTER).execute(fleet.environment().superuser()).await.unwrap();
}

#[tokio::test]
async fn it_lets_a_test_leave_what_it_wants() {
    let mut fleet = Fleet::start().await;
    sqlx::query(LETTER).execute(fleet.environment().superuser()).await.unwrap();
    fleet.unchecked();
}

#[tokio::test]
#[should_panic(expected = "is not []")]
async fn it_fails_a_test_whose_seats_and_bookings_disagree() {
    let mut fleet = Fleet::start().await;
    let concert = fleet.concert().priced("Free", 10, 0).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "Free", 1).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    let steal = "UPDATE events.hold SET state = 'released'";
    sqlx::query(steal).execute(fleet.environment().superuser()).await.unwrap();
    fleet.checked_for(Duration::from_secs(2));
}

#[tokio::test]
#[should_panic(expected = "it is confirmed, its hold is sold, and of 750000 it keeps 0")]
async fn it_fails_a_test_whose_booking_is_confirmed_and_was_never_charged() {
    let mut fleet = Fleet::start().await;
    let booking = bought(&fleet).await.0;
    for table in [
        "simulated_gateway.charge WHERE intent",
        "payments.attempt WHERE booking_id",
        "payments.payment WHERE booking_id",
    ] {
        execute(&fleet, format!("DELETE FROM {table} = '{}'", booking.id)).await;
    }
    fleet.checked_for(Duration::from_secs(2));
}

#[tokio::test]
async fn money_that_is_kept_for_released_seats_is_seen_while_others_still_buy() {
    let mut fleet = Fleet::start().await;
    let (booking, sari) = bought(&fleet).await;
    sari.cancels(&booking).await.is(202);
    eventually(|| sari.sees(&booking)).is("cancelled").await;
    let superuser = fleet.environment().superuser();
    assert_eq!(violations(superuser, When::Always).await.unwrap(), []);
    let keep = "UPDATE payments.payment SET status = 'succeeded', refunded = 0";
    execute(&fleet, format!("{keep} WHERE booking_id = '{}'", booking.id)).await;
    let found = violations(superuser, When::Always).await.unwrap();
    let rules: Vec<_> = found.iter().map(|one| (one.rule, one.booking)).collect();
    assert_eq!(rules, [(4, Some(booking.id))], "{found:?}");
    fleet.unchecked();
}

#[tokio::test]
#[should_panic(expected = "it is awaiting, stuck as nothing says")]
async fn it_fails_a_test_that_has_to_come_to_rest_and_leaves_a_booking_open() {
    let mut fleet = Fleet::start().await;
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    fleet.buyer("Sari").await.books(&concert, "VIP", 1).await;
    fleet.checked_at_rest();
    fleet.checked_for(Duration::from_secs(2));
}

/// A ticket that is paid, and who has it.
async fn bought(fleet: &Fleet) -> (Booking, Person) {
    let concert = fleet.concert().tickets("VIP", 10).published().await;
    let sari = fleet.buyer("Sari").await;
    let booking = sari.books(&concert, "VIP", 1).await;
    sari.pays_up(&booking).await;
    eventually(|| sari.sees(&booking)).is("confirmed").await;
    (booking, sari)
}

async fn execute(fleet: &Fleet, statement: String) {
    let statement = sqlx::query(AssertSqlSafe(statement));
    statement.execute(fleet.environment().superuser()).await.unwrap();
}
