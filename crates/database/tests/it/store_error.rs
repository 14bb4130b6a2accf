//! Which errors of the database are the data's fault.

use std::error::Error;

use karcis_database::StoreError;
use karcis_testkit::TestEnvironment;
use sqlx::AssertSqlSafe;

#[tokio::test]
async fn only_data_that_cannot_be_stored_is_rejected() {
    let bed = TestEnvironment::start().await;
    for (code, heals) in [
        ("08006", true),  // connection failure
        ("22003", false), // numeric value out of range
        ("22021", false), // character not in repertoire
        ("23505", false), // unique violation
        ("23514", false), // check violation
        ("25P03", true),  // idle in transaction too long
        ("40001", true),  // serialization failure
        ("40P01", true),  // deadlock
        ("42P01", true),  // no such table: a migration is still to come
        ("53300", true),  // too many connections
        ("55P03", true),  // lock timeout
        ("57P01", true),  // shutdown
        ("P0001", true),  // anything else
    ] {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$");
        let error = sqlx::query(AssertSqlSafe(raise)).execute(bed.superuser()).await.unwrap_err();
        let error = StoreError::from(error);
        assert_eq!(matches!(error, StoreError::Unavailable(_)), heals, "{code}");
        assert!(error.source().unwrap().to_string().contains("error returned"), "{error:?}");
    }
    for error in
        [sqlx::Error::PoolTimedOut, sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())]
    {
        assert!(matches!(StoreError::from(error), StoreError::Unavailable(_)));
    }
    for error in [sqlx::Error::Decode("no number".into()), sqlx::Error::Encode("no number".into())]
    {
        assert!(matches!(StoreError::from(error), StoreError::RejectedByStore(_)));
    }
}
