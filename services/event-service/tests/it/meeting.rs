//! Two that decide on the same event at the same moment: instances, and edits beside reservations.

use karcis_contracts::{EventCommand, TicketFact};
use karcis_testkit::{Answer, Person, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Postgres, Transaction};

use crate::harness::{TestApp, plan};

/// Nobody reads the holds until the transaction ends.
async fn hold_up(app: &TestApp) -> Transaction<'static, Postgres> {
    let mut transaction = app.environment.superuser().begin().await.expect("a transaction begins");
    let lock = "LOCK TABLE events.hold IN ACCESS EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *transaction).await.expect("the table can be locked");
    transaction
}

/// How many sessions of the service wait for a lock.
async fn waiting(app: &TestApp) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND usename = 'karcis_event' AND wait_event_type = 'Lock'";
    let count = sqlx::query_scalar(count).fetch_one(app.environment.superuser()).await;
    count.expect("sessions can be counted")
}

/// The edits that race a reservation: the path, and the answers if the edit or the reservation is
/// first.
const EDITS: [(&str, u16, u16); 3] =
    [("/event/delete", 204, 409), ("/event/unpublish", 200, 409), ("/event/cancel", 202, 202)];

fn edit(by: &Person, path: &str, event: &Value) -> impl Future<Output = Answer> + use<> {
    let mut body = json!({"event_id": event["event_id"]});
    if path == "/event/cancel" {
        body["reason"] = json!("rain");
    }
    Answer::to(by.request(Method::POST, path).json(&body))
}

#[tokio::test]
async fn an_edit_between_a_reservations_read_and_its_commit_wins() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    for (path, status, _) in EDITS {
        let event = app.made(&organiser, &plan(10)).await;
        let reserve = event.reserve(1);
        let booking = reserve.booking_id;
        let holding_up = hold_up(&app).await;
        app.send(&[reserve.into()]).await;
        // It has read the event, and waits to read the holds.
        eventually(async || waiting(&app).await).is(1).await;
        edit(&organiser, path, &event.body).await.is(status);
        holding_up.rollback().await.expect("the lock ends");

        let replies = app.replies(booking, 1).await;
        assert!(matches!(replies[..], [TicketFact::TicketsRejected(_)]), "{path}: {replies:?}");
        if path != "/event/delete" {
            assert_eq!(app.stock(event.types[0]).await, (10, 0, 0), "{path}");
        }
    }
    app.stop().await;
}

#[tokio::test]
async fn an_edit_waits_for_a_reservation_that_is_being_written() {
    let app = TestApp::start().await;
    let organiser = app.organiser();
    // Left to itself, a reservation gives up after 250 ms of waiting, perhaps before the edit comes.
    let patient = "CREATE FUNCTION events.wait() RETURNS trigger LANGUAGE plpgsql
            SET lock_timeout = 0 AS $$ BEGIN
            PERFORM pg_advisory_xact_lock_shared(1); RETURN new;
        END $$;
        CREATE TRIGGER wait BEFORE INSERT ON events.hold
            FOR EACH ROW EXECUTE FUNCTION events.wait();";
    let superuser = app.environment.superuser();
    sqlx::raw_sql(patient).execute(superuser).await.expect("triggers can be made");
    for (path, _, status) in EDITS {
        let event = app.made(&organiser, &plan(10)).await;
        let reserve = event.reserve(1);
        let booking = reserve.booking_id;
        let mut holding_up = superuser.begin().await.expect("a transaction begins");
        let lock = sqlx::query("SELECT pg_advisory_xact_lock(1)").execute(&mut *holding_up);
        lock.await.expect("nobody else has the lock");
        app.send(&[reserve.into()]).await;
        // It has locked the event, and waits to write its hold.
        eventually(async || waiting(&app).await).is(1).await;
        let editing = tokio::spawn(edit(&organiser, path, &event.body));
        eventually(async || waiting(&app).await).is(2).await;
        holding_up.rollback().await.expect("the lock ends");

        editing.await.expect("the edit ends").is(status);
        let replies = app.replies(booking, 1).await;
        assert!(matches!(replies[..], [TicketFact::TicketsReserved(_)]), "{path}: {replies:?}");
        assert_eq!(app.stock(event.types[0]).await, (10, 1, 0), "{path}");
        app.ask(event.release(booking)).await;
        assert_eq!(app.stock(event.types[0]).await, (10, 0, 0), "{path}");
    }
    app.stop().await;
}

#[tokio::test]
async fn two_instances_that_take_commands_of_one_event_sell_each_seat_once() {
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    // As while partitions move, an event's commands reach both.
    let scatter = "CREATE FUNCTION bookings.scatter() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            new.key = gen_random_uuid(); RETURN new;
        END $$;
        CREATE TRIGGER scatter BEFORE INSERT ON bookings.outbox
            FOR EACH ROW EXECUTE FUNCTION bookings.scatter();";
    sqlx::raw_sql(scatter)
        .execute(app.environment.superuser())
        .await
        .expect("triggers can be made");
    let event = app.made(&app.organiser(), &plan(100)).await;
    let commands: Vec<_> = (0..200).map(|_| event.reserve(1)).collect();
    let bookings: Vec<_> = commands.iter().map(|command| command.booking_id).collect();

    let holding_up = hold_up(&app).await;
    app.send(&commands.into_iter().map(EventCommand::from).collect::<Vec<_>>()).await;
    // Both have read the same stock.
    eventually(async || waiting(&app).await).is(2).await;
    holding_up.rollback().await.expect("the lock ends");

    let mut lucky = vec![];
    for booking in bookings {
        match &app.replies(booking, 1).await[0] {
            TicketFact::TicketsReserved(_) => lucky.push(booking),
            TicketFact::TicketsRejected(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(lucky.len(), 100);
    assert_eq!(app.stock(event.types[0]).await, (100, 100, 0));

    let holding_up = hold_up(&app).await;
    let (sold, released) = lucky.split_at(50);
    let commands = sold.iter().map(|booking| EventCommand::from(event.confirm(*booking)));
    let commands = commands.chain(released.iter().map(|booking| event.release(*booking).into()));
    app.send(&commands.collect::<Vec<_>>()).await;
    eventually(async || waiting(&app).await).is(2).await;
    holding_up.rollback().await.expect("the lock ends");
    // Replies may come again while partitions move; the stock says that all is done.
    eventually(async || app.stock(event.types[0]).await).is((100, 0, 50)).await;
    other.stop().await;
    app.stop().await;
}
