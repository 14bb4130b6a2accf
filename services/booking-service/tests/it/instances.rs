//! Two instances, or two releases, work on the same bookings.

use karcis_testkit::eventually;

use crate::harness::TestApp;

/// Bookings as the release before writes them, which has no column for claims: all due.
const OLDER_WRITER: &str = "INSERT INTO bookings.booking (id, version, stage, reason, payable, released,
        refunded, offer, tickets, attempt, wake_at, due_at, stuck, updated_at, user_id, event_id, items,
        expected_amount, expected_currency, created_at, pay_by)
    SELECT gen_random_uuid(), 1, 'reserving', NULL, false, false,
        false, NULL, NULL, 1, now(), now(), NULL, now(), gen_random_uuid(), gen_random_uuid(),
        json_build_array(json_build_object('ticket_type_id', gen_random_uuid(), 'quantity', 1)),
        NULL, NULL, now(), now()
    FROM generate_series(1, $1)";

/// Records each claim of a booking that is as it was written, and each change of one.
const WATCH: &str = "
    CREATE TABLE bookings.seen (id uuid, is_claim boolean);
    GRANT ALL ON bookings.seen TO PUBLIC;
    CREATE FUNCTION bookings.see_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO bookings.seen SELECT id, true FROM bookings.booking
            WHERE id = new.booking_id AND version = 1;
        RETURN NULL;
    END $$;
    CREATE TRIGGER see AFTER UPDATE ON bookings.timer
        FOR EACH ROW EXECUTE FUNCTION bookings.see_claim();
    CREATE FUNCTION bookings.see_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO bookings.seen VALUES (new.id, false);
        RETURN NULL;
    END $$;
    CREATE TRIGGER see AFTER UPDATE ON bookings.booking
        FOR EACH ROW EXECUTE FUNCTION bookings.see_change();";

async fn count(app: &TestApp, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(app.environment.superuser()).await.expect("it is counted")
}

/// Instances that wait for the table to look for due bookings.
const WAITING: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
        AND query LIKE '%FROM timer%'";

#[tokio::test]
async fn each_deadline_is_handled_by_one_of_two_instances() {
    const BOOKINGS: i32 = 1_200;
    let app = TestApp::start().await;
    let other = app.another_instance().await;
    sqlx::raw_sql(WATCH).execute(app.environment.superuser()).await.expect("triggers can be made");

    let mut transaction = app.environment.superuser().begin().await.expect("a transaction begins");
    let lock = "LOCK TABLE bookings.timer IN EXCLUSIVE MODE";
    sqlx::query(lock).execute(&mut *transaction).await.expect("the table can be locked");
    let written = sqlx::query(OLDER_WRITER).bind(BOOKINGS).execute(&mut *transaction).await;
    written.expect("the older release's statement works");
    eventually(async || count(&app, WAITING).await).is(2).await;
    transaction.commit().await.expect("it commits");

    let undone = "SELECT count(*) FROM bookings.booking WHERE stage = 'releasing'";
    eventually(async || count(&app, undone).await).is(i64::from(BOOKINGS)).await;
    let twice = "SELECT count(*) FROM (SELECT id FROM bookings.seen GROUP BY id, is_claim
        HAVING count(*) > 1) AS twice";
    assert_eq!(count(&app, twice).await, 0);
    assert_eq!(count(&app, "SELECT count(*) FROM bookings.seen").await, 2 * i64::from(BOOKINGS));
    other.stop().await;
    app.stop().await;
}

/// The older release's timers: they know no claim, and change what they found at its version.
const OLDER_TIMERS: &str = "
    WITH due AS (
        SELECT id, event_id FROM bookings.booking
        WHERE LEAST(due_at, wake_at) <= now() AND wake_at IS NOT NULL AND stage = 'reserving'
        ORDER BY LEAST(due_at, wake_at) LIMIT 20 FOR NO KEY UPDATE SKIP LOCKED
    ), changed AS (
        UPDATE bookings.booking SET version = 2, stage = 'releasing', reason = 'payment_expired',
            attempt = 1, wake_at = now() + interval '10 min', due_at = NULL, updated_at = now()
        FROM due WHERE booking.id = due.id
        RETURNING booking.id
    )
    INSERT INTO bookings.saga_log (booking_id, seq, at, input, from_stage, to_stage, sent)
    SELECT id, 1, now(), 'due', 'reserving', 'releasing', 'ReleaseTickets' FROM changed";

#[tokio::test]
async fn an_older_release_works_beside_this_one() {
    const BOOKINGS: i32 = 600;
    let app = TestApp::start().await;
    sqlx::raw_sql(WATCH).execute(app.environment.superuser()).await.expect("triggers can be made");
    let mut older = 0;
    for _ in 0..BOOKINGS / 20 {
        let written = sqlx::query(OLDER_WRITER).bind(20).execute(app.environment.superuser()).await;
        written.expect("the older release's statement works");
        let fired = sqlx::query(OLDER_TIMERS).execute(app.environment.superuser()).await;
        older += fired.expect("the older release's statement works").rows_affected();
    }
    let undone = "SELECT count(*) FROM bookings.booking WHERE stage = 'releasing' AND version = 2";
    eventually(async || count(&app, undone).await).is(i64::from(BOOKINGS)).await;
    assert!(older > 0, "the older release took part");
    let logged = "SELECT count(*) FROM bookings.saga_log WHERE to_stage = 'releasing'";
    assert_eq!(count(&app, logged).await, i64::from(BOOKINGS), "each booking was undone once");
    app.stop().await;
}
