//! A fleet looks at what a test leaves behind, and says so.

use std::time::Duration;

use karcis_fleet::Fleet;
use karcis_testkit::eventually;

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
