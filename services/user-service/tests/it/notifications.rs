//! Buyers are notified of the status of their bookings.

use karcis_contracts::{BookingFact, BookingRejected, Message};
use karcis_database::connect_to;
use karcis_kernel::{BookingId, EventId, UserId};
use karcis_messaging::{Outbox, Outgoing};
use karcis_process::CancellationToken;
use karcis_schemas::{BOOKINGS, USERS};
use karcis_testkit::{TestEnvironment, eventually};
use uuid::Uuid;

use crate::{
    booking_mails::{Ids, tickets},
    harness::TestApp,
    logs,
    mail::PAY_BY,
};

/// Publishes these messages as booking-service does.
pub(crate) async fn publish<M: Message>(environment: &TestEnvironment, facts: &[M]) {
    let url = environment.role_url(BOOKINGS);
    let pool = connect_to("DATABASE_URL", &url, 4).await.unwrap();
    let outbox = Outbox::new(pool.clone(), "booking-service");
    let outgoing: Vec<_> = facts.iter().map(Outgoing::new).collect();
    let mut transaction = pool.begin().await.unwrap();
    outbox.insert(&mut transaction, &outgoing).await.unwrap();
    transaction.commit().await.unwrap();
    let stopping = CancellationToken::new();
    let relay = tokio::spawn(outbox.relay(environment.kafka().clone(), stopping.clone()));
    environment.all_sent(BOOKINGS).await;
    stopping.cancel();
    relay.await.unwrap().unwrap();
}

fn life_of(booking_id: BookingId) -> [BookingFact; 4] {
    let ids = Ids::for_user(booking_id, UserId(Uuid::now_v7()));
    [
        ids.reserved(PAY_BY),
        ids.confirmed(Some(tickets(250_000))),
        ids.rejected("sold_out"),
        ids.cancelled(None, None),
    ]
}

fn times_notified(booking: BookingId, kind: &str) -> usize {
    let (booking, kind) = (format!("booking_id={booking}"), format!("kind=\"{kind}\""));
    logs::lines_with(&["notified the buyer", &booking, &kind]).len()
}

#[tokio::test]
async fn each_change_is_notified_once_although_its_message_is_repeated() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let booking = BookingId(Uuid::now_v7());
    let [reserved, confirmed, rejected, cancelled] = life_of(booking);
    let twice_in_a_batch = [reserved.clone(), reserved.clone()];
    publish(&environment, &twice_in_a_batch).await;
    eventually(async || times_notified(booking, "reserved")).is(1).await;
    publish(&environment, &[reserved, confirmed, rejected, cancelled]).await;
    eventually(async || times_notified(booking, "cancelled")).is(1).await;
    for kind in ["reserved", "confirmed", "rejected", "cancelled"] {
        assert_eq!(times_notified(booking, kind), 1, "{kind}");
    }
    users.stop().await;
    assert_eq!(environment.dead_letters(USERS).await, []);
}

#[tokio::test]
async fn a_notification_sent_before_a_restart_is_not_sent_again() {
    let environment = TestEnvironment::start().await;
    let booking = BookingId(Uuid::now_v7());
    let [_, confirmed, _, cancelled] = life_of(booking);
    let users = TestApp::start(&environment, &[]).await;
    publish(&environment, std::slice::from_ref(&confirmed)).await;
    eventually(async || times_notified(booking, "confirmed")).is(1).await;
    users.stop().await;
    let users = TestApp::start(&environment, &[]).await;
    publish(&environment, &[confirmed, cancelled]).await;
    eventually(async || times_notified(booking, "cancelled")).is(1).await;
    assert_eq!(times_notified(booking, "confirmed"), 1);
    users.stop().await;
}

#[tokio::test]
async fn another_instance_sends_what_a_dead_one_claimed_unless_it_is_old() {
    let environment = TestEnvironment::start().await;
    let (claimed, free, old) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    for (booking, age, try_in) in
        [(claimed, "1 minute", "1 hour"), (free, "1 minute", "0 s"), (old, "4 days", "0 s")]
    {
        sqlx::query(
            "INSERT INTO users.notice
                 (booking_id, kind, user_id, event_id, noted_at, try_at)
             VALUES ($1, 'confirmed', $1, $1, now() - $2::interval, now() + $3::interval)",
        )
        .bind(booking)
        .bind(age)
        .bind(try_in)
        .execute(environment.superuser())
        .await
        .unwrap();
    }
    let users = TestApp::start(&environment, &[]).await;
    let unsent = async || {
        let read = "SELECT booking_id FROM users.notice WHERE told_at IS NULL ORDER BY booking_id";
        sqlx::query_scalar::<_, Uuid>(read).fetch_all(environment.superuser()).await.unwrap()
    };
    eventually(unsent).is(vec![claimed, old]).await;
    assert_eq!(times_notified(BookingId(free), "confirmed"), 1);
    assert_eq!(times_notified(BookingId(old), "confirmed"), 0);
    users.stop().await;
}

#[tokio::test]
async fn a_message_that_cannot_be_stored_is_dead_lettered_and_the_others_are_sent() {
    let environment = TestEnvironment::start().await;
    let users = TestApp::start(&environment, &[]).await;
    let (good, bad) = (BookingId(Uuid::now_v7()), BookingId(Uuid::now_v7()));
    let [_, confirmed, ..] = life_of(good);
    let (user_id, event_id) = (UserId(Uuid::now_v7()), EventId(Uuid::now_v7()));
    let reason = "sold\u{0}out".to_owned();
    let poison = BookingRejected { booking_id: bad, user_id, event_id, reason, event: None }.into();
    publish(&environment, &[poison, confirmed]).await;
    eventually(async || times_notified(good, "confirmed")).is(1).await;
    eventually(async || environment.dead_letters(USERS).await.len()).is(1).await;
    assert_eq!(times_notified(bad, "rejected"), 0);
    users.stop().await;
}
