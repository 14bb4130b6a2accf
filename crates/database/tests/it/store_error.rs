//! Which errors of the database are the data's fault, and which are contention.

use std::error::Error;

use karcis_database::{StoreError, connect_to};
use karcis_schemas::BOOKINGS;
use karcis_testkit::TestEnvironment;
use sqlx::AssertSqlSafe;

#[tokio::test]
async fn only_data_that_cannot_be_stored_is_rejected() {
    let environment = TestEnvironment::start().await;
    for (code, kind) in [
        ("08006", "unavailable"), // connection failure
        ("22003", "rejected"),    // numeric value out of range
        ("22021", "rejected"),    // character not in repertoire
        ("23505", "rejected"),    // unique violation
        ("23514", "rejected"),    // check violation
        ("25006", "unavailable"), // a standby, or read-only
        ("25P03", "unavailable"), // idle in transaction too long
        ("40001", "contended"),   // serialization failure
        ("40P01", "contended"),   // deadlock
        ("42P01", "unavailable"), // no such table: a migration is still to come
        ("53100", "unavailable"), // the disk is full
        ("53300", "unavailable"), // too many connections
        ("55P03", "contended"),   // lock timeout
        ("57P01", "unavailable"), // shutdown
        ("P0001", "unavailable"), // anything else
    ] {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$");
        let error =
            sqlx::query(AssertSqlSafe(raise)).execute(environment.superuser()).await.unwrap_err();
        let error = StoreError::from(error);
        assert_eq!(kind_of(&error), kind, "{code}");
        assert!(error.source().unwrap().to_string().contains("error returned"), "{error:?}");
    }
    for error in
        [sqlx::Error::PoolTimedOut, sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())]
    {
        assert_eq!(kind_of(&error.into()), "unavailable");
    }
    for error in [sqlx::Error::Decode("no number".into()), sqlx::Error::Encode("no number".into())]
    {
        assert_eq!(kind_of(&error.into()), "rejected");
    }
}

#[tokio::test]
async fn a_locked_row_is_contention_and_a_locked_table_is_an_unavailable_store() {
    let environment = TestEnvironment::start().await;
    let url = environment.role_url(BOOKINGS);
    let pool = connect_to("DATABASE_URL", &url, 1).await.unwrap();
    let row = "INSERT INTO bookings.cancelled_event VALUES (gen_random_uuid(), now(), true)";
    sqlx::query(row).execute(environment.superuser()).await.unwrap();
    let (read, write) = ("SELECT FROM cancelled_event", "UPDATE cancelled_event SET open = false");
    let insert = "INSERT INTO cancelled_event
        VALUES ('00000000-0000-0000-0000-000000000000', now(), true)";
    for (other, ours, kind) in [
        ("LOCK TABLE bookings.cancelled_event", read, "unavailable"),
        ("LOCK TABLE bookings.cancelled_event", write, "unavailable"),
        // As an index is built.
        ("LOCK TABLE bookings.cancelled_event IN SHARE MODE", write, "unavailable"),
        ("SELECT FROM bookings.cancelled_event FOR UPDATE", write, "contended"),
        ("SET search_path = bookings; $insert", insert, "contended"),
    ] {
        let mut transaction = environment.superuser().begin().await.unwrap();
        let other = other.replace("$insert", insert);
        sqlx::raw_sql(AssertSqlSafe(other.clone())).execute(&mut *transaction).await.unwrap();
        let mut batch = pool.begin_batch().await.unwrap();
        let error = sqlx::query(ours).execute(&mut *batch).await.unwrap_err();
        assert_eq!(kind_of(&error.into()), kind, "{other}: {ours}");
        transaction.rollback().await.unwrap();
    }
}

fn kind_of(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unavailable(_) => "unavailable",
        StoreError::Contended(_) => "contended",
        StoreError::Busy(_) => "busy",
        StoreError::RejectedByStore(_) => "rejected",
    }
}
