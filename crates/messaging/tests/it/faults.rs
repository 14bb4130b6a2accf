//! Which errors of the database are the data's fault.

use karcis_messaging::{HandleError, is_transient};
use sqlx::AssertSqlSafe;

use crate::desk::Desk;

#[tokio::test]
async fn only_data_that_cannot_be_stored_is_poison() {
    let desk = Desk::open().await;
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
        let error = sqlx::query(AssertSqlSafe(raise)).execute(&desk.pool).await.unwrap_err();
        assert_eq!(is_transient(&error), heals, "{code}");
        let unavailable = matches!(HandleError::from(error), HandleError::Unavailable(_));
        assert_eq!(unavailable, heals, "{code}");
    }
    assert!(is_transient(&sqlx::Error::PoolTimedOut));
    assert!(is_transient(&sqlx::Error::Io(std::io::ErrorKind::ConnectionReset.into())));
}
